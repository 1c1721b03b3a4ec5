"""Deals in parts, made and carried out as the parties do it, on either rail."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from bloxtr8.entities import Escrow, Milestone
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Answer, Platform
from tests.functions import chain as chains
from tests.functions import escrows
from tests.functions.chain import FakeChain

THIRDS = (3_333, 3_333, 3_334)  # of 10,000


def parts(*amounts: int, asset: int | None = None) -> list[dict[str, Any]]:
    """Milestones of so many cents; the last hands the asset over, unless `asset` names another by its number."""
    made: list[dict[str, Any]] = [
        {"title": f"Part {n}", "amountCents": amount} for n, amount in enumerate(amounts, start=1)
    ]
    if asset is not None:
        made[asset]["transfersAsset"] = True
    return made


class House(NamedTuple):
    """A rail: how an escrow comes to hold its money there, and what was paid out since."""

    name: str
    hold: Callable[..., Escrow]


@pytest.fixture(params=["STRIPE", "USDC_BASE"])
def house(request: pytest.FixtureRequest, aws: Platform, stripe: StripeDouble, chain: FakeChain) -> House:
    """Either rail."""
    if request.param == "STRIPE":
        return House("STRIPE", lambda **fields: factories.funded(stripe, **fields))
    return House("USDC_BASE", lambda **fields: chains.held(aws, chain, **fields))


def of_thirds(house: House, **fields: Any) -> Escrow:
    """An escrow of 10,000 cents in three parts, FUNDS_HELD."""
    return house.hold(amount=10_000, milestones=parts(*THIRDS), **fields)


def milestone(escrow: Escrow, n: int) -> Milestone:
    """The n-th, from 0, as it lies in the table now."""
    return escrows.file(escrow).milestones[n]


def statuses(escrow: Escrow) -> list[str]:
    """Of its milestones, in order."""
    return [str(row.status) for row in escrows.file(escrow).milestones]


def release(aws: Platform, escrow: Escrow, n: int, user: Any = None, key: str | None = None, **options: Any) -> Answer:
    """The buyer (or somebody else) releases the n-th."""
    headers = {"Idempotency-Key": key or f"release {n}"} | options.pop("headers", {})
    path = {"escrow_id": escrow.id, "milestone_id": milestone(escrow, n).id}
    asks = user or escrow.buyer_id
    return aws.call("release_milestone", asks, {"acknowledge": True}, headers=headers, **path, **options)


def mark(aws: Platform, escrow: Escrow) -> Answer:
    """The seller starts the delivery that has its turn, and says that it is done; the asset is the buyer's then."""
    _, roblox = factories._ground
    turn = escrows.file(escrow)
    started = aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id)
    assert started.status == 200, started.body
    if turn.escrow.asset_in_turn:
        roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    path = {"escrow_id": escrow.id, "delivery_id": started.body["id"]}
    return aws.call("mark_delivered", escrow.seller_id, **path)


def delivered(aws: Platform, escrow: Escrow) -> None:
    """The same where it is taken."""
    answer = mark(aws, escrow)
    assert answer.status == 200, answer.body


def confirmed(aws: Platform, escrow: Escrow) -> None:
    """What has its turn is delivered, and the buyer confirms it."""
    delivered(aws, escrow)
    key = f"confirm {escrows.delivery(escrow).n}"
    assert escrows.confirm(aws, escrow, key).status == 202


def paid(aws: Platform, escrow: Escrow) -> Escrow:
    """What has its turn is delivered, confirmed and paid."""
    confirmed(aws, escrow)
    return factories.settle(escrow)
