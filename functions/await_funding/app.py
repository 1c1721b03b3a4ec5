"""fund_escrow: store the task's token on the rail row, then ask the rail once; the machine sleeps until it is
answered."""

from typing import Any

from bloxtr8 import depositing, funding, sagas
from bloxtr8.actors import system
from bloxtr8.lambdas import task
from bloxtr8.rails.base import RailOutcomeUnknown, RailThrottled


def await_funding(event: dict[str, Any]) -> dict[str, Any]:
    """{escrowId, token} → {}. What has happened already answers its own token; an unknown answer waits for the next
    look."""
    actor = system("await_funding")
    funding.store_token(event["escrowId"], event["token"], actor)
    try:
        file, seen = depositing.look(event["escrowId"], actor)
    except (RailThrottled, RailOutcomeUnknown):
        return {}
    outcome = funding.state(file, seen)
    if outcome is not None:
        sagas.answer(file.rail, outcome)
    return {}


lambda_handler = task(await_funding)
