"""Both sides agree: the parts are paid as they said, to the cent, on either rail, and it is over (M46)."""

from functools import partial
from unittest import mock

import pytest

from bloxtr8 import actors, ids, rails, table
from bloxtr8.entities import Dispute, DisputeStatus, Escrow, EscrowStatus, Hold, LegStatus, PlatformRole
from bloxtr8.rails.base import RailBug, RailDeclined, RailOutcomeUnknown
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Clock, Platform
from tests.functions import chain as chains
from tests.functions import chargebacks, escrows, manual, milestones, money, settlements
from tests.functions.chain import FEES, UNITS, FakeChain, chain, wallets
from tests.functions.escrows import around, changed, confirm, delivery, file, hidden, paid_out, row, seen, sound
from tests.functions.money import ScriptedRail, rail
from tests.functions.offers import same_but
from tests.functions.settlements import GONE, WHY, accept, agreed, proposed
from tests.functions.webhooks import Machines
from tests.wire import Wire

__all__ = ["chain", "rail", "wallets"]
KEY = {"Idempotency-Key": "k"}
# of 10,000, the seller pays 290 bps: buyerFeeBps, to the seller, to the platform, to the buyer (states.md, section 10)
WORKED = [(0, 3_237, 96, 6_667), (100, 3_237, 129, 6_734)]


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def stripe_made(stripe: StripeDouble, *kinds: str) -> list[str]:
    """What Stripe was asked to make, in order."""
    return [one["type"] for one in stripe.events if one["type"] in kinds]


@pytest.mark.parametrize(("buyer_bps", "seller", "platform", "buyer"), WORKED)
def test_by_card_the_seller_is_paid_and_then_the_buyer(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, wire: Wire,
    buyer_bps: int, seller: int, platform: int, buyer: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("BUYER_FEE_BPS", str(buyer_bps))
    escrow = factories.funded(stripe, amount=10_000)
    gross = 10_000 + buyer_bps
    assert escrow.gross == gross
    one = proposed(aws, escrow, 3_333)
    before = aws.rows()
    wire.calls.clear()

    answer = accept(aws, escrow, one)

    assert (answer.status, wire.round_trips()) == (202, 2)
    kept = file(escrow)
    assert answer.body == {"status": "SETTLING", "settlementId": kept.escrow.settlement_id}
    changes = {"Escrow", "SettlementProposal", "Settlement", "Leg", "AuditEntry", "Idempotency"}
    assert same_but(before, aws.rows()) == changes
    (plan,) = kept.settlements
    assert (plan.kind, plan.to_seller, plan.to_platform, plan.to_buyer) == ("SPLIT", seller, platform, buyer)
    assert (plan.reason, plan.actor, plan.seller_share, plan.buyer_share) == (WHY, escrow.seller_id, 3_333, 6_667)
    assert [(leg.pays, leg.amount, leg.destination) for leg in kept.legs] == [
        ("SELLER", seller, escrow.payout_account_id), ("BUYER", buyer, None),
    ]  # fmt: skip
    assert settlements.row(escrow).status == "ACCEPTED"
    assert sound(aws, escrow) == {"BUYER": -gross, "HELD": gross}

    end = paid_out(stripe, escrow)

    assert (end.status, end.held, end.released, end.fees, end.refunded) == ("SPLIT", 0, seller, platform, buyer)
    assert sound(aws, escrow) == {"BUYER": buyer - gross, "SELLER": seller, "FEES": platform}
    assert stripe_made(stripe, "transfer.created", "refund.created") == ["transfer.created", "refund.created"]
    assert delivery(escrow).status == "CANCELLED"
    assert around(escrow)["open"] == [0, 0]


@pytest.mark.parametrize(("buyer_bps", "seller", "platform", "buyer"), WORKED)
def test_on_chain_one_call_pays_all_three(
    aws: Platform, chain: FakeChain, monkeypatch: pytest.MonkeyPatch,
    buyer_bps: int, seller: int, platform: int, buyer: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("BUYER_FEE_BPS", str(buyer_bps))
    escrow = chains.held(aws, chain, amount=10_000)
    agreed(aws, escrow, 3_333)
    assert factories.settle(escrow).status == "SPLIT"
    assert [order.action for order in chain.sent] == [64]
    buyers, sellers = chains.sides(escrow)
    assert [chain.balance(one) // UNITS for one in (sellers, FEES, buyers)] == [seller, platform, buyer]
    assert sound(aws, escrow) == {"BUYER": buyer - escrow.gross, "SELLER": seller, "FEES": platform}


@pytest.mark.parametrize(("to_seller", "kind", "end"), [(0, "REFUND", "REFUNDED"), (100_000, "RELEASE", "RELEASED")])
def test_all_to_one_side_is_a_refund_or_a_release(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, to_seller: int, kind: str, end: str
) -> None:
    agreed(aws, escrow, to_seller)
    assert money.settlement(escrow).kind == kind
    assert paid_out(stripe, escrow).status == end
    assert around(escrow)["listing"] == ("SOLD" if to_seller else "INACTIVE")


@pytest.mark.parametrize("by", ["buyer_id", "seller_id"])
def test_is_the_other_partys_alone_and_needs_a_key(aws: Platform, escrow: Escrow, by: str) -> None:
    mine = getattr(escrow, by)
    (other,) = {escrow.buyer_id, escrow.seller_id} - {mine}
    one = proposed(aws, escrow, 1, mine)
    path = {"escrow_id": escrow.id, "proposal_id": one}
    refused(aws, 403, "FORBIDDEN", "accept_settlement", mine, headers=KEY, **path)
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "accept_settlement", other, **path)
    refused(aws, 412, "VERSION_MISMATCH", "accept_settlement", other, headers=KEY | {"If-Match": '"1"'}, **path)
    hidden(aws, "accept_settlement", escrow, other, proposal=one, headers=KEY)
    for wrong in (GONE, "prp_1", escrow.id, "../me"):
        refused(aws, 404, "NOT_FOUND", "accept_settlement", other, headers=KEY, escrow_id=escrow.id, proposal_id=wrong)
    assert accept(aws, escrow, one, other).status == 202


def test_the_same_request_moves_money_once(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    first = accept(aws, escrow, one)
    before = aws.rows()
    again = accept(aws, escrow, one)
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (202, first.body, "true")
    assert accept(aws, escrow, one, key="other").code == "INVALID_STATE"
    assert aws.rows() == before


def test_waits_for_holds_and_for_a_settlement_under_way(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    path = {"escrow_id": escrow.id, "proposal_id": one, "headers": KEY}
    changed(escrow, holds=frozenset({Hold.CHARGEBACK}))
    assert refused(aws, 409, "ESCROW_ON_HOLD", "accept_settlement", escrow.seller_id, **path).body["holds"] == [
        "CHARGEBACK"
    ]
    assert "accept_settlement" not in seen(aws, escrow, escrow.seller_id)["allowedActions"]


@pytest.mark.parametrize("status", [DisputeStatus.OPEN, DisputeStatus.IN_REVIEW])
def test_closes_the_dispute_that_has_nothing_left_to_decide(
    aws: Platform, stripe: StripeDouble, status: DisputeStatus
) -> None:
    escrow = factories.delivered(stripe)
    found = row(escrow)
    dispute = Dispute(
        escrow_id=escrow.id, id=ids.new("dsp"), opener_id=escrow.buyer_id, reason_code="OTHER",
        status=status, respond_by=escrow.deliver_by, created_at=escrow.created_at,
    )  # fmt: skip
    found.status, found.frozen_from = EscrowStatus.DISPUTED, str(found.status)
    table.commit(found, dispute, action="test", actor=actors.system("test"))

    agreed(aws, escrow, 50_000)

    shown = seen(aws, escrow, escrow.buyer_id)["dispute"]
    assert (shown["status"], shown["outcome"]) == ("CLOSED", "SETTLED")
    assert paid_out(stripe, escrow).status is EscrowStatus.SPLIT


# --- where a payout was refused for good


def refused_payout(aws: Platform, stripe: StripeDouble) -> Escrow:
    """A release whose transfer Stripe refuses for good: parked, with its hold."""
    escrow = factories.delivered(stripe)
    assert confirm(aws, escrow).status == 202
    refuse(escrow)
    return row(escrow)


def refuse(escrow: Escrow) -> None:
    with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("no", code="no")):
        assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}


def test_takes_the_place_of_a_refused_payout(aws: Platform, stripe: StripeDouble) -> None:
    escrow = refused_payout(aws, stripe)
    parked = money.settlement(escrow)
    assert (parked.status, money.leg(escrow).status) == ("PARKED", "REJECTED")
    assert "propose_settlement" in seen(aws, escrow, escrow.seller_id)["allowedActions"]
    one = proposed(aws, escrow, 0, escrow.seller_id)

    assert accept(aws, escrow, one, escrow.buyer_id).status == 202

    old, new = file(escrow).settlements
    assert (old.id, old.status, new.kind, new.status) == (parked.id, "DROPPED", "REFUND", "OPEN")
    assert (row(escrow).holds, row(escrow).settlement_id) == (set(), new.id)
    boss = escrows.staff(PlatformRole.PADMIN)
    again = aws.call("resume_settlement", boss, {"reason": "x"}, headers=KEY, escrow_id=escrow.id)
    assert (again.status, again.code) == (409, "INVALID_STATE")
    end = paid_out(stripe, escrow)
    assert (end.status, end.refunded, end.held) == ("REFUNDED", escrow.gross, 0)
    assert sound(aws, escrow) == {}
    assert stripe_made(stripe, "transfer.created") == []
    money.nothing_happens(aws, "send_leg", {"escrowId": escrow.id, "settlementId": parked.id})


@pytest.mark.parametrize("status", [LegStatus.SENT, LegStatus.UNKNOWN, LegStatus.CONFIRMED])
def test_money_that_has_moved_or_may_have_is_not_divided_again(
    aws: Platform, stripe: StripeDouble, status: LegStatus
) -> None:
    escrow = refused_payout(aws, stripe)
    one = proposed(aws, escrow, 1)
    leg = money.leg(escrow)
    leg.status = status
    money.changed_rows(escrow, leg)
    before = aws.rows()
    for late in (accept(aws, escrow, one), settlements.propose(aws, escrow, 2, escrow.seller_id)):
        assert (late.status, late.code, late.body["currentStatus"]) == (409, "INVALID_STATE", "SETTLING")
    assert aws.rows() == before
    assert seen(aws, escrow, escrow.seller_id)["allowedActions"] == ["add_evidence"]


def test_a_payout_that_may_still_be_mined_is_parked_and_not_replaced(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.delivered(aws, chain)
    assert confirm(aws, escrow).status == 202
    chain.faults["send"] = [RailOutcomeUnknown("its broadcast was not answered")]
    chain.faults["find"] = [RailBug("a contract that this deployment does not know")]
    for task, fault in (("send_leg", RailOutcomeUnknown), ("confirm_leg", RailBug)):
        with pytest.raises(fault):
            aws.invoke(task, money.event(escrow))
    aws.invoke("park_settlement", money.event(escrow) | {"error": "RailBug"})
    assert row(escrow).holds == {Hold.PAYOUT_FAILED}
    assert (money.settlement(escrow).status, money.leg(escrow).status) == ("PARKED", "SENT")
    refused(
        aws, 409, "INVALID_STATE", "propose_settlement", escrow.buyer_id, settlements.parts(escrow, 1),
        escrow_id=escrow.id,
    )  # fmt: skip


def test_another_hold_still_stops_it(aws: Platform, stripe: StripeDouble) -> None:
    escrow = refused_payout(aws, stripe)
    one = proposed(aws, escrow, 1)
    changed(escrow, holds=frozenset({Hold.PAYOUT_FAILED, Hold.COMPLIANCE}))
    path = {"escrow_id": escrow.id, "proposal_id": one, "headers": KEY}
    refused(aws, 409, "ESCROW_ON_HOLD", "accept_settlement", escrow.seller_id, **path)


def test_a_payout_that_goes_on_leaves_nothing_to_accept(aws: Platform, stripe: StripeDouble) -> None:
    escrow = refused_payout(aws, stripe)
    one = proposed(aws, escrow, 1)
    resume(aws, escrow)
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    assert accept(aws, escrow, one).body["currentStatus"] == "SETTLING"

    refuse(escrow)  # and now it divides what there is to divide again

    ended(aws, escrow, one)
    resume(aws, escrow, "again")
    assert paid_out(stripe, escrow).status == "RELEASED"


def resume(aws: Platform, escrow: Escrow, key: str = "k") -> None:
    boss, headers = escrows.staff(PlatformRole.PADMIN), {"Idempotency-Key": key}
    assert aws.call("resume_settlement", boss, {"reason": "x"}, headers=headers, escrow_id=escrow.id).status == 202


def ended(aws: Platform, escrow: Escrow, proposal: str) -> None:
    """A proposal that was shown as EXPIRED stays that, whatever there is to divide now."""
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    before = aws.rows()
    late = accept(aws, escrow, proposal, key="late")
    assert (late.status, late.code) == (410, "PROPOSAL_EXPIRED")
    assert aws.rows() == before


def test_a_part_that_is_refused_and_goes_on_revives_nothing(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(4_000, 6_000))
    assert milestones.release(aws, escrow, 0).status == 202
    one = settlements.propose(aws, escrow, 1_000, rest=6_000).body["id"]
    refuse(escrow)
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    resume(aws, escrow)
    assert paid_out(stripe, escrow).held == 6_000
    ended(aws, escrow, one)


def test_what_people_were_about_to_pay_revives_nothing(aws: Platform, stripe: StripeDouble) -> None:
    escrow, boss = refused_payout(aws, stripe), escrows.staff(PlatformRole.PADMIN)
    one = proposed(aws, escrow, 1)
    assert manual.announce(aws, escrow, boss).status == 201
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    assert manual.withdraw(aws, escrow, boss).status == 200
    ended(aws, escrow, one)
    assert accept(aws, escrow, proposed(aws, escrow, 0), key="new").status == 202


def test_a_part_that_the_bank_gives_back_revives_nothing(aws: Platform, stripe: StripeDouble, wire: Wire) -> None:
    Machines(wire)
    escrow = factories.delivered(stripe)
    one = proposed(aws, escrow, 1)
    lost = chargebacks.disputed(aws, stripe, escrow, amount=30_000)
    chargebacks.decided(aws, stripe, lost, "lost")
    assert seen(aws, escrow, escrow.seller_id)["proposal"]["status"] == "EXPIRED"
    between = settlements.propose(aws, escrow, 1, rest=70_000).body["id"]
    stripe.reinstate_dispute(lost)
    chargebacks.happen(aws, stripe, "funds_reinstated")
    assert row(escrow).held == 100_000
    ended(aws, escrow, between)
    ended(aws, escrow, one)


def test_on_chain_the_same_index_has_later_attempts(aws: Platform, chain: FakeChain, clock: Clock) -> None:
    escrow = chains.held(aws, chain)
    agreed(aws, escrow, 33_333)
    chain.faults["send"] = [RailDeclined("no", code="no")]
    assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}
    clock.advance(seconds=1)
    assert accept(aws, escrow, proposed(aws, escrow, 44_444), key="again").status == 202
    (leg,) = money.legs(escrow)
    assert (leg.action, leg.attempt) == (64, 2)
    assert factories.settle(escrow).status == "SPLIT"
    assert [(order.action, order.attempt, order.amount) for order in chain.sent][-1] == (64, 2, 44_444 - 1_288)
    sound(aws, escrow)


# --- where the asset is


@pytest.mark.parametrize(
    ("owner", "listing", "reason"),
    [("buyer", "SOLD", None), ("seller", "INACTIVE", "DEAL_SPLIT"), ("nobody", "INACTIVE", "DEAL_SPLIT")],
)
@pytest.mark.parametrize("delivered", [False, True])
def test_after_a_split_the_listing_is_sold_where_the_buyer_has_the_asset(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, owner: str, listing: str, reason: str | None, delivered: bool
) -> None:
    escrow = (factories.delivered if delivered else factories.funded)(stripe)
    agreed(aws, escrow, 50_000)
    owners = {"buyer": escrow.buyer_roblox_id, "seller": escrow.seller_roblox_id, "nobody": None}
    roblox.set_group(escrow.asset_id, owner=owners[owner])

    assert paid_out(stripe, escrow).status == "SPLIT"

    assert around(escrow)["listing"] == listing
    found = escrows.listing(escrow)
    assert (found.reason, found.reserved_offer_id) == (reason, None)
    shots = aws.call("list_snapshots", escrow.seller_id, listing_id=escrow.listing_id).body["items"]
    assert shots[0]["owner"] == owners[owner]


def test_an_outage_of_roblox_only_delays_the_end(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, clock: Clock, rail: ScriptedRail
) -> None:
    escrow = money.paid_with_rail(aws, rail)
    agreed(aws, escrow, 50_000)
    event = money.event(escrow)
    roblox.down()
    for _ in range(2):
        with pytest.raises(Exception, match="Roblox"):
            factories.settle(escrow)
        assert (row(escrow).status, row(escrow).held) == ("SETTLING", 0)
        clock.advance(hours=1)
    clock.advance(days=1)
    aws.invoke("finish_settlement", event)
    assert row(escrow).status == "SPLIT"
    assert around(escrow)["listing"] == "INACTIVE"  # what was last proven: it was never delivered


def test_of_accept_and_confirm_at_once_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(2):  # fifty: tests/races
        escrow = factories.delivered(stripe)
        one = proposed(aws, escrow, 50_000)
        answers = together(partial(accept, aws, escrow, one), partial(confirm, aws, escrow))
        assert sorted(answer.status for answer in answers) == [202, 409]
        (plan,) = file(escrow).settlements
        assert plan.kind == ("SPLIT" if answers[0].status == 202 else "RELEASE")
