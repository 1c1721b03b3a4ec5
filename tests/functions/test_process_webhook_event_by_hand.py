"""A refund made in Stripe's Dashboard that is not all that is held: it is a fact, and the books follow it."""

from typing import Any

import pytest

from bloxtr8 import rails, reads, webhooks
from bloxtr8.domain import plans, reconciliations
from bloxtr8.entities import Escrow, EscrowStatus, Hold, PlatformRole, WebhookEvent, WebhookStatus
from bloxtr8.rails import stripe_client
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import chargebacks, disputes, escrows, milestones, money
from tests.functions.chargebacks import FEE, tell
from tests.functions.webhooks import Machines, alarms, sent_by
from tests.wire import Wire


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    return alarms(monkeypatch)


def refund(escrow: Escrow, amount: int | None = None) -> str:
    """Somebody refunds in the Dashboard."""
    intent = str(reads.escrow(escrow.id).rail.external_id)
    asked: Any = {"payment_intent": intent} | ({"amount": amount} if amount else {})
    return stripe_client.client().v1.refunds.create(asked).id


def hear(aws: Platform, stripe: StripeDouble, *kinds: str) -> list[str]:
    """The double's events about refunds arrive; what became of them."""
    kinds = kinds or ("refund.created", "refund.updated", "refund.failed")
    return [str(tell(aws, one).status) for one in sent_by(stripe, *kinds)]


def by_hand(aws: Platform, stripe: StripeDouble, escrow: Escrow, amount: int | None = None) -> str:
    """Somebody refunds, the buyer's bank has it, and the platform hears of that, twice."""
    made = refund(escrow, amount)
    stripe.advance(days=5)
    for _ in range(2):
        assert set(hear(aws, stripe)) == {"PROCESSED"}
    return made


def books(aws: Platform, escrow: Escrow) -> dict[str, int]:
    """The accounts that are not zero; they balance, and Stripe has what they say."""
    file = reads.escrow(escrow.id)
    found = rails.cards().books(str(file.rail.external_id), escrow.id)
    paid, sent = found.net
    assert reconciliations.of_card(file, paid, sent) == []
    return chargebacks.seen_by(aws, escrow)


def paid_out(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> Escrow:
    """Everything that waits is carried out."""
    for row in reads.escrow(escrow.id).settlements:
        if row.status == "OPEN":
            escrows.paid_out(stripe, escrow, row.id)
    return factories.escrow_row(escrow)


def kinds(escrow: Escrow) -> list[tuple[str, str, int]]:
    rows = sorted(reads.escrow(escrow.id).settlements, key=lambda row: row.created_at)
    return [(str(row.kind), str(row.status), row.to_buyer) for row in rows]


def actions(aws: Platform, escrow: Escrow) -> list[str]:
    return [entry.action for entry in aws.audit(escrow.id)]


# --- a part of what is held


def test_before_anything_was_handed_over_the_rest_goes_back_too(
    aws: Platform, stripe: StripeDouble, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.funded(stripe)

    made = by_hand(aws, stripe, escrow, 30_000)

    row = factories.escrow_row(escrow)
    assert (row.status, row.reason, row.holds) == (EscrowStatus.REFUNDED, "REFUNDED_IN_DASHBOARD", frozenset())
    assert kinds(escrow) == [("DASHBOARD", "DONE", 30_000), ("RETURN", "OPEN", 70_000)]
    assert books(aws, escrow) == {"BUYER": -70_000, "SURPLUS": 70_000}
    assert paid_out(aws, stripe, escrow).surplus == 0
    assert books(aws, escrow) == {}
    assert escrows.around(escrow) == {
        "listing": "INACTIVE", "offer": "ACCEPTED", "open": [0, 0], "volume": [100_000, 100_000],
    }  # fmt: skip
    entry = next(one for one in aws.audit(escrow.id) if one.action == "take_refund")
    assert (entry.role, entry.details) == ("SYSTEM", {"refund": made, "amount": 30_000})
    before = len(told)
    hear(aws, stripe, "charge.refunded")  # all of it is known
    assert told[before:] == []


def test_after_the_delivery_only_that_part_is_gone(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    by_hand(aws, stripe, escrow, 20_000)
    by_hand(aws, stripe, escrow, 10_000)
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, file.escrow.held, plans.remaining(file)) == ("DELIVERED", 70_000, 70_000)
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status is EscrowStatus.SPLIT
    assert books(aws, escrow) == {"BUYER": -70_000, "SELLER": 67_970, "FEES": 2_030}
    assert escrows.around(escrow)["listing"] == "SOLD"
    assert actions(aws, escrow).count("take_refund") == 2


def test_while_it_waits_for_its_payout_the_seller_is_paid_the_rest(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    refund(escrow, 30_000)
    assert factories.settle(escrow).holds == {Hold.PAYOUT_FAILED}  # so much is not left of the charge
    stripe.advance(days=5)
    hear(aws, stripe)
    row = factories.escrow_row(escrow)
    assert (row.status, row.holds) == (EscrowStatus.SETTLING, frozenset())
    assert factories.settle(escrow).status is EscrowStatus.SPLIT
    assert books(aws, escrow) == {"BUYER": -70_000, "SELLER": 67_970, "FEES": 2_030}


@pytest.mark.parametrize(("amount", "left"), [(25_000, 15_000), (40_000, 0), (90_000, 0)])
def test_of_a_split_it_is_the_buyers_part_and_the_seller_keeps_what_he_was_paid(
    aws: Platform, stripe: StripeDouble, amount: int, left: int
) -> None:
    escrow = factories.delivered(stripe)
    money.split(escrow, 60_000)
    event = {"escrowId": escrow.id, "settlementId": factories.escrow_row(escrow).settlement_id}
    if amount <= 40_000:
        for task in ("send_leg", "confirm_leg"):
            aws.invoke(task, event)  # the seller has his part

    by_hand(aws, stripe, escrow, amount)

    paid_out(aws, stripe, escrow)
    paid_out(aws, stripe, escrow)
    row = factories.escrow_row(escrow)
    assert (row.status, row.settlement_id, row.held) == (EscrowStatus.SPLIT, None, 0)
    sellers, fees = (58_260, 1_740) if amount <= 40_000 else (9_710, 290)
    assert books(aws, escrow) == {"BUYER": -(sellers + fees), "SELLER": sellers, "FEES": fees}
    assert escrows.around(escrow)["listing"] == "SOLD"
    assert escrows.around(escrow)["open"] == [0, 0]
    assert [one["data"]["object"]["amount"] for one in sent_by(stripe, "refund.created")][1:] == (
        [left] if left else []
    )


def test_of_milestones_it_is_of_what_nobody_has_released(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=milestones.parts(*milestones.THIRDS))
    milestones.paid(aws, escrow)
    by_hand(aws, stripe, escrow, 3_000)
    file = reads.escrow(escrow.id)
    assert (file.escrow.status, plans.remaining(file)) == ("FUNDS_HELD", 3_667)
    milestones.paid(aws, escrow)
    milestones.paid(aws, escrow)
    row = factories.escrow_row(escrow)
    assert (row.status, row.seller_share) == (EscrowStatus.SPLIT, 7_000)
    assert milestones.statuses(escrow) == ["RELEASED", "RELEASED", "RELEASED"]
    assert books(aws, escrow) == {"BUYER": -7_000, "SELLER": 6_797, "FEES": 203}


def test_an_arbiter_divides_what_is_left(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    assert disputes.opened(aws, escrow, reasonCode="NOT_AS_DESCRIBED").status == 201
    arbiter = disputes.assigned(aws, escrow)
    by_hand(aws, stripe, escrow, 30_000)
    assert factories.escrow_row(escrow).status is EscrowStatus.DISPUTED
    answer = disputes.resolve(aws, escrow, arbiter, "SPLIT", 50_000, 20_000)
    assert answer.status == 202, answer.body
    assert paid_out(aws, stripe, escrow).status is EscrowStatus.SPLIT
    assert books(aws, escrow) == {"BUYER": -50_000, "SELLER": 48_550, "FEES": 1_450}


# --- more than is held


def test_after_the_release_it_is_a_loss_and_the_transfer_is_reversed(
    aws: Platform, stripe: StripeDouble, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = chargebacks.released(aws, stripe)

    by_hand(aws, stripe, escrow, 40_000)

    assert factories.escrow_row(escrow).status is EscrowStatus.RELEASED
    assert books(aws, escrow) == {"BUYER": -60_000, "SELLER": 97_100, "FEES": 2_900, "LOSS": -40_000}
    paid_out(aws, stripe, escrow)
    by_hand(aws, stripe, escrow)
    paid_out(aws, stripe, escrow)
    assert books(aws, escrow) == {"FEES": 2_900, "LOSS": -2_900}
    assert [(row.kind, row.status) for row in reads.escrow(escrow.id).settlements][1:] == [
        ("DASHBOARD", "DONE"), ("RECOVERY", "DONE"),
    ] * 2  # fmt: skip
    assert "a refund of the Dashboard was taken into the books" in [message for message, _ in told]


def test_while_the_money_is_waited_for_it_is_never_held(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    by_hand(aws, stripe, escrow, 30_000)  # told before the payment itself
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    assert books(aws, escrow) == {"BUYER": -70_000, "HELD": 70_000}
    aws.invoke("cancel_unfunded", {"escrowId": escrow.id})
    assert paid_out(aws, stripe, escrow).status is EscrowStatus.CANCELLED
    assert escrows.sound(aws, escrow) == {}


def test_what_is_set_aside_is_given_back_first(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    made = chargebacks.disputed(aws, stripe, escrow)
    chargebacks.decided(aws, stripe, made, "lost")
    stripe.reinstate_dispute(made)
    chargebacks.happen(aws, stripe, "funds_reinstated")
    assert factories.escrow_row(escrow).quarantined == 100_000
    by_hand(aws, stripe, escrow, 60_000)
    row = factories.escrow_row(escrow)
    assert (row.status, row.surplus, row.quarantined) == (EscrowStatus.REFUNDED, 40_000, 40_000)
    assert books(aws, escrow) == {"BUYER": -40_000, "SURPLUS": 40_000, "BANK": FEE, "LOSS": -FEE}


def test_what_was_to_go_back_anyway_counts_before_what_is_held(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    by_hand(aws, stripe, escrow, 30_000)
    by_hand(aws, stripe, escrow, 20_000)  # while the rest waits to be sent
    assert kinds(escrow) == [
        ("DASHBOARD", "DONE", 30_000), ("RETURN", "DROPPED", 70_000),
        ("DASHBOARD", "DONE", 20_000), ("RETURN", "OPEN", 50_000),
    ]  # fmt: skip
    paid_out(aws, stripe, escrow)
    assert books(aws, escrow) == {}


# --- what is not known yet


def test_under_way_it_only_holds_and_what_fails_is_over(
    aws: Platform, stripe: StripeDouble, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.delivered(stripe)
    made = refund(escrow, 30_000)
    hear(aws, stripe)
    row = factories.escrow_row(escrow)
    assert (row.holds, row.hold_causes, row.held) == ({Hold.RISK_REVIEW}, {f"refund:{made}"}, 100_000)
    assert [message for message, _ in told] == ["an escrow is on hold", "money moved that nobody ordered"]
    stripe.fail_refund(made)
    hear(aws, stripe)
    assert factories.escrow_row(escrow).holds == set()
    assert books(aws, escrow) == {"BUYER": -100_000, "HELD": 100_000}


@pytest.mark.parametrize("released", [False, True])
def test_one_that_came_back_is_paid_again(aws: Platform, stripe: StripeDouble, released: bool) -> None:
    escrow = chargebacks.released(aws, stripe) if released else factories.delivered(stripe)
    made = by_hand(aws, stripe, escrow, 30_000)
    paid_out(aws, stripe, escrow)
    stripe.fail_refund(made)
    for _ in range(2):
        hear(aws, stripe, "refund.failed")
    assert kinds(escrow)[-1] == ("RETURN", "OPEN", 30_000)
    paid_out(aws, stripe, escrow)
    rest = {"SELLER": 67_100, "FEES": 2_900} if released else {"HELD": 70_000}
    assert books(aws, escrow) == {"BUYER": -70_000} | rest


def test_what_compliance_has_cleared_is_taken_all_the_same(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    refund(escrow, 30_000)
    hear(aws, stripe)
    wish = {"hold": "RISK_REVIEW", "decision": "CLEAR", "reason": "It was agreed with both."}
    officer = escrows.staff(PlatformRole.COMPLIANCE)
    answer = aws.call("decide_hold", officer, wish, headers={"Idempotency-Key": "c"}, escrow_id=escrow.id)
    assert answer.body["decided"], answer.body
    assert factories.escrow_row(escrow).holds == set()
    stripe.advance(days=5)
    hear(aws, stripe)
    assert books(aws, escrow) == {"BUYER": -70_000, "HELD": 70_000}


@pytest.mark.parametrize("moved", [False, True])
def test_while_a_leg_may_have_moved_it_waits_for_what_became_of_it(
    aws: Platform, stripe: StripeDouble, told: list[tuple[str, dict[str, Any]]], moved: bool
) -> None:
    escrow = factories.delivered(stripe)
    money.split(escrow, 70_000)
    stripe.fault("drop_after" if moved else "drop_before", "post", "/v1/transfers$", times=9)
    with pytest.raises(money.UNKNOWN):
        factories.settle(escrow)
    refund(escrow, 20_000)
    stripe.advance(days=5)
    stripe.fault("drop_before", "get", "/v1/transfers", times=99)
    (sent,) = sent_by(stripe, "refund.created")
    for _ in range(2):
        row = tell(aws, sent)
        assert (row.status, row.error) == (WebhookStatus.FAILED, "RailOutcomeUnknown")
    stripe.clear_faults()
    if not moved:  # an event never judges that a leg is not there: its machine does, and then takes the refund
        assert tell(aws, sent).error == "NotYet"
        assert factories.escrow_row(escrow).holds == {Hold.RISK_REVIEW}
        assert "money moved that nobody ordered" in [message for message, _ in told]
        for _ in range(2):
            factories.settle(escrow)
    aws.clock.advance(seconds=3_600)
    aws.invoke("retry_webhooks")
    for _ in range(3):
        aws.clock.advance(seconds=3_600)
        paid_out(aws, stripe, escrow)
    row = factories.escrow_row(escrow)
    assert (row.status, row.holds) == (EscrowStatus.SPLIT, frozenset())
    assert books(aws, escrow) == {"BUYER": -70_000, "SELLER": 67_970, "FEES": 2_030}


def test_one_that_waits_is_never_given_up_nor_by_a_moment_without_the_provider(
    aws: Platform, stripe: StripeDouble, told: list[tuple[str, dict[str, Any]]]
) -> None:
    escrow = factories.delivered(stripe)
    money.split(escrow, 60_000)
    refund(escrow, 20_000)
    stripe.advance(days=5)
    factories.settle(escrow)  # the seller is paid, and the buyer's part is with his bank, for days
    (made,) = [one for one in sent_by(stripe, "refund.updated") if one["data"]["object"]["metadata"] == {}]
    row = tell(aws, made)
    for _ in range(12):
        assert (row.status, row.error) == (WebhookStatus.FAILED, "NotYet")
        aws.clock.advance(seconds=3_600)
        aws.invoke("retry_webhooks")
        row = row_of(row)
    assert (row.attempts, row.waits) == (0, 13)
    assert "money moved that nobody ordered" in [message for message, _ in told]
    stripe.fault("drop_before", "get", "/v1/refunds", times=99)
    aws.clock.advance(seconds=3_600)
    aws.invoke("retry_webhooks")
    row = row_of(row)
    assert (row.status, row.error, row.attempts) == (WebhookStatus.FAILED, "RailOutcomeUnknown", 1)
    stripe.clear_faults()
    stripe.advance(days=5)
    aws.clock.advance(seconds=3_600)
    aws.invoke("retry_webhooks")  # the bank has both: his part is confirmed, and only its end is awaited
    paid_out(aws, stripe, escrow)
    aws.clock.advance(seconds=3_600)
    aws.invoke("retry_webhooks")
    paid_out(aws, stripe, escrow)
    ended = factories.escrow_row(escrow)
    assert (row_of(row).status, ended.status, ended.holds) == ("PROCESSED", EscrowStatus.SPLIT, frozenset())
    assert books(aws, escrow) == {"BUYER": -40_000, "SELLER": 38_260, "FEES": 1_740}


def row_of(row: WebhookEvent) -> WebhookEvent:
    return webhooks.find(row.provider, row.account, row.event_id)


@pytest.mark.parametrize("done", [True, False])
def test_a_commit_whose_answer_is_lost_is_not_repeated(
    aws: Platform, stripe: StripeDouble, wire: Wire, done: bool
) -> None:
    escrow = chargebacks.released(aws, stripe)
    refund(escrow, 40_000)
    stripe.advance(days=5)
    (last,) = sent_by(stripe, "refund.updated")
    wire.lose("TransactWriteItems", done=done)
    for _ in range(2):
        tell(aws, last)
    assert books(aws, escrow) == {"BUYER": -60_000, "SELLER": 97_100, "FEES": 2_900, "LOSS": -40_000}
    assert [row.kind for row in reads.escrow(escrow.id).settlements].count("RECOVERY") == 1


# --- beside a chargeback


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_of_what_is_left_the_bank_may_take_the_rest(aws: Platform, stripe: StripeDouble, verdict: str) -> None:
    escrow = factories.delivered(stripe)
    by_hand(aws, stripe, escrow, 30_000)
    made = chargebacks.disputed(aws, stripe, escrow)  # what was not refunded
    chargebacks.decided(aws, stripe, made, verdict)
    if verdict == "lost":
        assert factories.escrow_row(escrow).status is EscrowStatus.REFUNDED
        assert books_of_bank(aws, escrow) == {"BUYER": -70_000, "BANK": 70_000 + FEE, "LOSS": -FEE}
        stripe.reinstate_dispute(made)
        chargebacks.happen(aws, stripe, "funds_reinstated")
        assert factories.escrow_row(escrow).quarantined == 70_000
        return
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status is EscrowStatus.SPLIT
    assert books(aws, escrow) == {"BUYER": -70_000, "SELLER": 67_970, "FEES": 2_030, "BANK": FEE, "LOSS": -FEE}


def books_of_bank(aws: Platform, escrow: Escrow) -> dict[str, int]:
    return chargebacks.seen_by(aws, escrow)


def test_an_inquiry_answered_by_a_part_still_holds(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    asked = chargebacks.disputed(aws, stripe, escrow, inquiry=True)
    by_hand(aws, stripe, escrow, 30_000)
    row = factories.escrow_row(escrow)
    assert (row.status, row.holds, row.held) == ("DELIVERED", {Hold.CHARGEBACK}, 70_000)
    chargebacks.decided(aws, stripe, asked, "warning_closed")
    assert escrows.confirm(aws, escrow).status == 202
    assert factories.settle(escrow).status is EscrowStatus.SPLIT
    assert books(aws, escrow) == {"BUYER": -70_000, "SELLER": 67_970, "FEES": 2_030}
