"""The stream's consumer: notes each record; a name that starts with BAD fails, with RAISE the whole batch."""

import os
from typing import Any

from smallhouse.aws import client


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failures = []
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        name = image["name"]["S"]
        _note(image["PK"]["S"].replace("THING#", "SEEN#"), record, len(event["Records"]))
        if name.startswith("RAISE"):
            raise RuntimeError(name)
        if name.startswith("BAD"):
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
    return {"batchItemFailures": failures}


def _note(key: str, record: dict[str, Any], size: int) -> None:
    client("dynamodb").update_item(
        TableName=os.environ["TABLE_NAME"],
        Key={"PK": {"S": key}, "SK": {"S": "META"}},
        UpdateExpression="ADD seen :one SET kind = :kind, together = :size, arn = :arn",
        ExpressionAttributeValues={
            ":one": {"N": "1"},
            ":kind": {"S": record["eventName"]},
            ":size": {"N": str(size)},
            ":arn": {"S": record["eventSourceARN"]},
        },
    )
