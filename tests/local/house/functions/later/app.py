"""Asynchronous work: notes what it was told, or fails as told."""

import json
import os
from typing import Any

from smallhouse.aws import client


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    name = event.get("detail", {}).get("name") or event.get("name") or event.get("detail-type", "?")
    client("dynamodb").update_item(
        TableName=os.environ["TABLE_NAME"],
        Key={"PK": {"S": f"LATER#{name}"}, "SK": {"S": "META"}},
        UpdateExpression="ADD seen :one SET told = :told",
        ExpressionAttributeValues={":one": {"N": "1"}, ":told": {"S": json.dumps(event)}},
    )
    if event.get("fail"):
        raise RuntimeError("told to fail")
    return {"told": name}
