"""What every function is measured against: a plain Powertools resolver with validation and one DynamoDB client.

Its one route reads and writes as make_offer does: one batch read, one transaction.
"""

import json
import os

import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import BaseModel

app = APIGatewayRestResolver(enable_validation=True)
client = boto3.client("dynamodb")
ASKED = json.loads(os.environ["PLAIN_ASKED"])


class Offer(BaseModel):
    """The body of an offer."""

    amount: int
    currency: str
    conditions: str | None = None


class OfferView(BaseModel):
    """What is answered."""

    id: str
    amount: int
    currency: str


@app.post("/listings/<listing_id>/offers")
def make_offer(listing_id: str, body: Offer) -> OfferView:
    """Read, write, answer."""
    client.batch_get_item(**ASKED["BatchGetItem"])
    client.transact_write_items(**ASKED["TransactWriteItems"])
    return OfferView(id=listing_id, amount=body.amount, currency=body.currency)


def lambda_handler(event, context):
    """As Powertools documents it."""
    return app.resolve(event, context)
