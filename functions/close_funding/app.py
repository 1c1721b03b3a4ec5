"""fund_escrow, after a cancellation: make it unpayable; what was paid all the same goes back (M41)."""

from typing import Any

from bloxtr8 import funding
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def close_funding(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId} → {closed}: false while the provider cannot say for good; the escrow's next look asks again."""
    return {"closed": funding.close_rail(event["escrowId"], system("close_funding"))}


lambda_handler = task(close_funding)
