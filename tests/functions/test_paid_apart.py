"""On chain one call pays both sides. Where the token refuses one of them for good, resuming pays each apart, so that
the other has his part; what is refused stays in the vault until it is taken, or reclaimed (states.md, section 5)."""

from typing import Any

import pytest

from bloxtr8 import actors, reclaims
from bloxtr8.entities import Escrow, Hold, PlatformRole
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import disputes, escrows, holding, money
from tests.functions.chain import FEES, UNITS, FakeChain, Wallets, chain, wallets
from tests.functions.webhooks import Machines
from tests.wire import Wire

__all__ = ["chain", "wallets"]
# of 100,000 the seller's part is 90,000, of which 2.9 % are the fee
PARTS = {"SELLER": 87_390, "BUYER": 10_000}
INDEX = {"SELLER": 64, "BUYER": 63}
OTHER = {"SELLER": "BUYER", "BUYER": "SELLER"}
BOTH = pytest.mark.parametrize("barred", [*OTHER])


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def wallet(escrow: Escrow, side: str) -> str:
    buyer, seller = chains.sides(escrow)
    return {"SELLER": seller, "BUYER": buyer}[side]


def refused(aws: Platform, chain: FakeChain, *barred: str) -> Escrow:
    """An arbiter gives the seller nine tenths, and the token refuses whoever is named."""
    escrow = chains.delivered(aws, chain)
    disputes.opened(aws, escrow, escrow.seller_id, reasonCode="BUYER_UNRESPONSIVE")
    judge = disputes.assigned(aws, escrow)
    assert disputes.resolve(aws, escrow, judge, "SPLIT", 90_000, 10_000).status == 202
    chain.unready |= {wallet(escrow, side) for side in barred}
    assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}
    assert chain.units(escrow) == escrow.gross * UNITS
    return escrow


def resume(aws: Platform, escrow: Escrow, key: str = "k") -> None:
    boss, headers = escrows.staff(PlatformRole.PADMIN), {"Idempotency-Key": key}
    answer = aws.call("resume_settlement", boss, {"reason": "Once more."}, headers=headers, escrow_id=escrow.id)
    assert (answer.status, answer.body["holds"]) == (202, [])


def has(chain: FakeChain, escrow: Escrow, side: str) -> int:
    """What the vault has paid him, in cents."""
    return chain.balance(wallet(escrow, side)) // UNITS


def plans(escrow: Escrow) -> list[tuple[str, str, str | None]]:
    return [(str(row.kind), str(row.status), row.error) for row in escrows.file(escrow).settlements]


def half_paid(aws: Platform, chain: FakeChain, barred: str) -> Escrow:
    """The other side has its part, and the refused one's waits."""
    escrow = refused(aws, chain, barred)
    resume(aws, escrow)
    assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}
    assert (has(chain, escrow, OTHER[barred]), has(chain, escrow, barred)) == (PARTS[OTHER[barred]], 0)
    return escrow


@BOTH
def test_the_other_is_paid_and_the_refused_ones_part_waits_alone(aws: Platform, chain: FakeChain, barred: str) -> None:
    escrow = refused(aws, chain, barred)
    error = f"{barred}_WALLET_REFUSED"
    assert plans(escrow) == [("SPLIT", "PARKED", error)]

    resume(aws, escrow)

    old, new = escrows.file(escrow).settlements
    assert (new.replaces, new.seller_share, new.buyer_share) == (old.id, 90_000, 10_000)
    legs: list[Any] = escrows.file(escrow).legs_of(new.id)
    fees = {"SELLER": 2_610, "BUYER": 0}
    assert [(leg.pays, leg.action, leg.amount, leg.fee, leg.also_buyer) for leg in legs] == [
        (side, INDEX[side], PARTS[side], fees[side], 0) for side in (OTHER[barred], barred)
    ]
    assert escrows.file(escrow).disputes[-1].settlement_id == new.id
    assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}
    assert plans(escrow) == [("SPLIT", "DROPPED", error), ("SPLIT", "PARKED", error)]
    assert (has(chain, escrow, OTHER[barred]), has(chain, escrow, barred)) == (PARTS[OTHER[barred]], 0)
    for party in (escrow.buyer_id, escrow.seller_id):  # what is left is his: nobody divides it anew
        assert escrows.seen(aws, escrow, party)["allowedActions"] == ["add_evidence"]

    resume(aws, escrow, "again")
    assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}
    assert len(plans(escrow)) == 2
    chain.unready.clear()
    resume(aws, escrow, "at last")

    assert factories.settle(escrow).status == "SPLIT"
    assert (has(chain, escrow, barred), chain.balance(FEES) // UNITS, chain.units(escrow)) == (PARTS[barred], 2_610, 0)
    assert escrows.sound(aws, escrow) == {"BUYER": -90_000, "SELLER": 87_390, "FEES": 2_610}
    assert escrows.file(escrow).disputes[-1].outcome == "EXECUTED"
    money.nothing_happens(aws, "send_leg", {"escrowId": escrow.id, "settlementId": old.id})


@pytest.mark.parametrize(
    ("barred", "end", "listing", "accounts"),
    [
        ("SELLER", "REFUNDED", "INACTIVE", {}),
        ("BUYER", "SPLIT", "SOLD", {"BUYER": -90_000, "SELLER": 87_390, "FEES": 2_610}),
    ],
)
def test_after_the_term_what_waits_goes_back_to_the_buyer(
    aws: Platform, chain: FakeChain, barred: str, end: str, listing: str, accounts: dict[str, int]
) -> None:
    escrow = half_paid(aws, chain, barred)
    seen = chain.reclaim(escrow)
    for _ in range(2):
        reclaims.record(escrow.id, seen, actors.system("poll_chain"))
    row = escrows.row(escrow)
    assert (row.status, row.reason, row.settlement_id) == (end, "RECLAIMED", None)
    assert plans(escrow)[-1][1] == "DROPPED"
    assert escrows.sound(aws, escrow) == accounts
    assert escrows.around(escrow)["listing"] == listing
    assert chains.open_deals(escrow.buyer_id, escrow.seller_id) == [0, 0]


def test_what_waits_for_the_seller_compliance_may_send_back(aws: Platform, chain: FakeChain) -> None:
    escrow, officer = half_paid(aws, chain, "SELLER"), holding.officer()
    for decision in ("FREEZE", "REFUND"):
        holding.decided(aws, escrow, "COMPLIANCE", decision, officer)
    assert factories.settle(escrow).status == "REFUNDED"
    assert [(order.action, order.amount) for order in chain.sent[-2:]] == [(64, 87_390), (65, 90_000)]
    assert escrows.sound(aws, escrow) == {}
    assert chain.units(escrow) == 0


def test_where_it_refuses_both_it_stays_one_call(aws: Platform, chain: FakeChain) -> None:
    escrow = refused(aws, chain, "SELLER", "BUYER")
    assert plans(escrow) == [("SPLIT", "PARKED", "RailBug")]
    chain.unready.clear()
    resume(aws, escrow)
    assert factories.settle(escrow).status == "SPLIT"
    assert len(plans(escrow)) == len(escrows.file(escrow).legs) == 1


def swapped(aws: Platform, chain: FakeChain, barred: str) -> Escrow:
    """Resumed, and by now the token takes his wallet and refuses the other's, whose call is the first."""
    escrow = refused(aws, chain, barred)
    chain.unready = {wallet(escrow, OTHER[barred])}
    resume(aws, escrow)
    return escrow


def is_swapped(chain: FakeChain, escrow: Escrow, barred: str) -> None:
    """He has his part, and the other's is parked."""
    assert (has(chain, escrow, barred), has(chain, escrow, OTHER[barred])) == (PARTS[barred], 0)
    assert plans(escrow)[-1] == ("SPLIT", "PARKED", f"{OTHER[barred]}_WALLET_REFUSED")
    assert escrows.row(escrow).holds == {Hold.PAYOUT_FAILED}


@BOTH
def test_where_it_refuses_the_first_of_them_the_other_is_paid(aws: Platform, chain: FakeChain, barred: str) -> None:
    escrow = swapped(aws, chain, barred)
    factories.settle(escrow)
    is_swapped(chain, escrow, barred)
    chain.unready.clear()
    resume(aws, escrow, "at last")
    assert factories.settle(escrow).status == "SPLIT"
    assert escrows.sound(aws, escrow) == {"BUYER": -90_000, "SELLER": 87_390, "FEES": 2_610}


@pytest.mark.parametrize(("risk", "holds"), [("UNKNOWN", set()), ("HIGH", {Hold.RISK_REVIEW})])
def test_the_other_is_paid_once_his_wallet_is_known_to_be_clean(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str, holds: set[Hold]
) -> None:
    escrow = swapped(aws, chain, "SELLER")
    wallets.risks[wallet(escrow, "SELLER")] = risk
    for _ in range(2):  # a run that finds nothing new parks nothing
        assert factories.settle(escrow).holds == holds
    assert chain.units(escrow) == escrow.gross * UNITS
    if holds:
        holding.decided(aws, escrow, "RISK_REVIEW", "CLEAR", holding.officer())
    else:
        wallets.risks.clear()
    aws.clock.advance(hours=1)
    factories.settle(escrow)
    is_swapped(chain, escrow, "SELLER")


@BOTH
def test_until_it_is_resumed_both_sides_may_agree_otherwise(aws: Platform, chain: FakeChain, barred: str) -> None:
    escrow = refused(aws, chain, barred)
    assert "propose_settlement" in escrows.seen(aws, escrow, escrow.seller_id)["allowedActions"]
