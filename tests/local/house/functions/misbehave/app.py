"""Does what its event says; how often it was asked under a key is kept in the table."""

import json
import os
import time
from typing import Any

from smallhouse.aws import client


class RailThrottled(Exception):
    """Worth another try."""


class RailRefused(Exception):
    """Never again."""


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    event = json.loads(event["body"]) if "body" in event else event
    if "sleep" in event:
        deadline = time.monotonic() + event["sleep"]
        while time.monotonic() < deadline:
            time.sleep(0.01)
    if "remember" in event:
        _count(f"TOKEN#{event['remember']}", event["token"])
    if event.get("fail") and _count(f"FAIL#{event.get('key')}") <= event.get("times", 1):
        raise {"RailThrottled": RailThrottled, "RailRefused": RailRefused}[event["fail"]]('no: "quoted"')
    if event.get("unserializable"):
        return {1, 2}
    return event.get("return", {"statusCode": 200, "body": "{}"})


def _count(key: str, token: str = "") -> int:
    answer = client("dynamodb").update_item(
        TableName=os.environ["TABLE_NAME"],
        Key={"PK": {"S": key}, "SK": {"S": "META"}},
        UpdateExpression="ADD seen :one SET #token = :token",
        ExpressionAttributeNames={"#token": "token"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":token": {"S": token}},
        ReturnValues="ALL_NEW",
    )
    return int(answer["Attributes"]["seen"]["N"])
