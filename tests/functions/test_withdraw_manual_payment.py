"""What was announced and paid by nobody is withdrawn, and waits as it did before."""

import datetime as dt

import pytest

from bloxtr8 import clock
from bloxtr8.entities import Escrow, PlatformRole, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import chargebacks, escrows, manual
from tests.functions.chargebacks import decided, disputed, happen
from tests.functions.escrows import file, seen, staff
from tests.functions.manual import announce, boss, leg, machines, moves, say, withdraw
from tests.functions.offers import same_but
from tests.functions.webhooks import alarms
from tests.wire import Wire

__all__ = ["boss", "machines"]
ACTION, RECORD = "withdraw_manual_payment", "record_manual_payment"


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble) -> Escrow:
    return manual.parked(aws, stripe)


def test_the_leg_is_refused_again_and_may_be_resumed_or_announced_anew(
    aws: Platform, escrow: Escrow, boss: User, wire: Wire
) -> None:
    was = leg(escrow)
    announce(aws, escrow, boss)
    say(aws, escrow, factories.user())  # no administrator: it counts for nothing
    before, path = aws.rows(), {"escrow_id": escrow.id, "manual_payment_id": manual.last(escrow).id}
    wire.calls.clear()

    answer = aws.call(ACTION, boss, {"reason": "Nobody paid."}, headers={"Idempotency-Key": "w"}, **path)

    assert (answer.status, answer.body["status"], wire.round_trips()) == (200, "WITHDRAWN", 3)
    assert answer.body["allowedActions"] == []
    assert same_but(before, aws.rows()) == {"Escrow", "Leg", "ManualPayment", "AuditEntry", "Idempotency"}
    found = leg(escrow)
    assert (found.status, found.external_id, found.error) == ("REJECTED", was.external_id, was.error)
    assert seen(aws, escrow, boss)["allowedActions"] == ["resume_settlement", "announce_manual_payment"]
    again = withdraw(aws, escrow, boss, "again")
    assert (again.status, again.code) == (409, "INVALID_STATE")
    assert say(aws, escrow, boss).code == "INVALID_STATE"
    assert announce(aws, escrow, boss, "anew").status == 201


@pytest.mark.parametrize(("lost", "left"), [((100_000,), []), ((60_000, 40_000), [40_000])])
def test_what_the_seller_owes_no_more_is_over_with_it(
    aws: Platform, stripe: StripeDouble, boss: User, lost: tuple[int, ...], left: list[int]
) -> None:
    """A loss is made good while he was about to pay it back."""
    escrow = chargebacks.released(aws, stripe)
    stripe.pay_out(str(escrow.payout_account_id), 97_100)
    first, *_ = (disputed(aws, stripe, escrow, amount=amount) for amount in lost)
    for chargeback in [one.id for one in file(escrow).chargebacks]:
        decided(aws, stripe, chargeback, "lost")
    recovered = min(one.id for one in file(escrow).settlements if one.kind == "RECOVERY")
    factories.settle(escrow, recovered)
    (refused,) = seen(aws, escrow, boss)["refusals"]["refused"]
    assert (
        announce(aws, escrow, boss, **{name: refused[name] for name in ("settlementId", "leg", "amount")}).status == 201
    )
    stripe.reinstate_dispute(first)
    happen(aws, stripe, "funds_reinstated")
    assert file(escrow).settlement(recovered).status == "PARKED"

    assert withdraw(aws, escrow, boss).status == 200

    assert seen(aws, escrow, boss)["refusals"]["refused"] == []
    assert file(escrow).settlement(recovered).status == "DROPPED"
    due = [one for one in file(escrow).settlements if one.status == "OPEN"]
    assert [one.to_platform for one in due] == left
    assert all(one.next_look for one in due)


def test_what_another_says_is_paid_is_not_withdrawn(
    aws: Platform, escrow: Escrow, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor by the days: but everybody may take his own word back, and who is no administrator any more has none."""
    escrows.settings(monkeypatch, two_people_by_hand_cents=99_999)
    other = staff(PlatformRole.PADMIN)
    announce(aws, escrow, boss)
    assert say(aws, escrow, other).body["votes"] == 1
    aws.clock.advance(days=3)
    assert (moves(aws, escrow, boss), moves(aws, escrow, other)) == ([RECORD], [RECORD, ACTION])
    refusal = withdraw(aws, escrow, boss, "no")
    assert (refusal.code, refusal.body["by"]) == ("SAID_TO_BE_PAID", other.id)
    assert say(aws, escrow, boss, "other", payment_id="ANOTHER-1").body["votes"] == 1
    back = withdraw(aws, escrow, boss, "back")  # his own word, and no more
    assert aws.audit(escrow.id)[-1].action == "take_back_vote"
    assert (back.body["status"], [one["id"] for one in back.body["people"]]) == ("ANNOUNCED", [other.id])
    assert (leg(escrow).status, back.body["allowedActions"]) == ("SENT", [RECORD])
    assert withdraw(aws, escrow, other, "his").body["status"] == "ANNOUNCED"  # it is the other's to withdraw
    assert withdraw(aws, escrow, boss, "all").body["status"] == "WITHDRAWN"
    announce(aws, escrow, boss, "again")
    say(aws, escrow, other, "again")
    aws.invoke("grant_staff_role", {"userId": other.id, "role": "PADMIN", "revoke": True})
    assert withdraw(aws, escrow, boss, "now").status == 200


def test_what_somebody_is_paying_just_now_is_withdrawn_by_nobody_else(
    aws: Platform, escrow: Escrow, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For three days, and while he is an administrator: a colleague could have it sent once more."""
    other = staff(PlatformRole.PADMIN)
    announce(aws, escrow, boss)
    assert (moves(aws, escrow, boss), moves(aws, escrow, other)) == ([RECORD, ACTION], [RECORD])
    refusal = withdraw(aws, escrow, other, "no")
    assert (refusal.status, refusal.code, refusal.body["by"]) == (409, "ANNOUNCED_BY_ANOTHER", boss.id)
    assert refusal.body["until"] == clock.iso(file(escrow).manual_payments[0].created_at + dt.timedelta(days=3))
    aws.clock.advance(days=3)
    assert moves(aws, escrow, other) == [RECORD, ACTION]
    told = alarms(monkeypatch)
    assert withdraw(aws, escrow, other, "late").status == 200
    assert [text for text, _ in told] == ["a manual payment is taken back"]  # the money may be out
    announce(aws, escrow, boss, "again")
    aws.invoke("grant_staff_role", {"userId": boss.id, "role": "PADMIN", "revoke": True})
    assert moves(aws, escrow, other) == [RECORD, ACTION]
    assert withdraw(aws, escrow, other, "alone").status == 200


def test_of_a_record_and_a_withdrawal_one_happens(aws: Platform, escrow: Escrow, boss: User) -> None:
    announce(aws, escrow, boss)
    answers = together(lambda: say(aws, escrow, boss), lambda: withdraw(aws, escrow, boss))
    assert sorted(answer.status for answer in answers)[1] == 409
    (payment,) = file(escrow).manual_payments
    assert (str(payment.status), str(leg(escrow).status)) in {("RECORDED", "CONFIRMED"), ("WITHDRAWN", "REJECTED")}


def test_is_for_administrators_who_are_no_party(aws: Platform, escrow: Escrow, boss: User) -> None:
    announce(aws, escrow, boss)
    for user in (escrow.buyer_id, staff(PlatformRole.COMPLIANCE), factories.user()):
        answer = withdraw(aws, escrow, user)
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    aws.invoke("grant_staff_role", {"userId": escrow.seller_id, "role": "PADMIN"})
    assert withdraw(aws, escrow, escrow.seller_id, "p").code == "CONFLICT_OF_INTEREST"
    stale = withdraw(aws, escrow, boss, "v", **{"If-Match": '"1"'})
    assert (stale.status, leg(escrow).status) == (412, "SENT")
