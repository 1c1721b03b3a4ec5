"""POST and GET /things/{thing_id}, with Powertools: slow on demand, so that requests overlap."""

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.logging import correlation_paths
from smallhouse.aws import client

logger = Logger(service="smallhouse")
app = APIGatewayRestResolver()


@app.post("/things/<thing_id>")
def save_thing(thing_id: str) -> dict[str, Any]:
    body = app.current_event.json_body
    time.sleep(body.get("seconds", 0))
    item = {"PK": {"S": f"{body.get('kind', 'THING')}#{thing_id}"}, "SK": {"S": "META"}, "name": {"S": body["name"]}}
    client("dynamodb").put_item(TableName=os.environ["TABLE_NAME"], Item=item)
    logger.info("saved")
    caller = app.current_event.request_context.authorizer["userId"]
    return {
        "id": thing_id,
        "by": caller,
        "name": app.current_event.json_body["name"],
        "log": logger.get_correlation_id(),
    }


@app.get("/things/<thing_id>")
def get_thing(thing_id: str) -> dict[str, Any]:
    key = {"PK": {"S": f"THING#{thing_id}"}, "SK": {"S": "META"}}
    found = client("dynamodb").get_item(TableName=os.environ["TABLE_NAME"], Key=key, ConsistentRead=True)
    return {"name": found["Item"]["name"]["S"]}


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
