"""A dispute against whatever moves the money at the same moment: fifty times each, exactly one wins (states.md,
Competing moves)."""

import pytest

from bloxtr8 import deadlines, reads
from bloxtr8.actors import system
from bloxtr8.attempts import again
from bloxtr8.domain import ledger
from bloxtr8.entities import Escrow, EscrowStatus
from local.doubles.stripe import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Answer, Platform
from tests.functions.disputes import assigned, opened, rejected, resolve, withdraw
from tests.functions.escrows import confirm, refund
from tests.functions.settlements import accept, proposed
from tests.races.test_races import fifty, winners

pytestmark = pytest.mark.slow
CLOCK = system("enforce_escrow_deadlines")


def decided(escrow: Escrow) -> tuple[int, int]:
    """How many settlements the escrow has, and how many disputes that live; nothing else may have changed its money."""
    file = reads.escrow(escrow.id)
    assert ledger.balance(file.escrow, file.ledger).balanced
    assert file.escrow.held == escrow.gross
    assert (file.escrow.settlement_id is None) == (not file.settlements)
    assert (file.escrow.status is EscrowStatus.DISPUTED) == (file.dispute is not None)
    return len(file.settlements), int(file.dispute is not None)


def one_won(answers: list[Answer]) -> Answer:
    """Exactly one was let through, and the other was told in the API's own words where it stands. Returns the first
    one's answer."""
    assert winners(answers) == 1
    (lost,) = [answer for answer in answers if answer.status >= 300]
    assert (lost.status, lost.code in {"INVALID_STATE", "DISPUTE_EXISTS"}) == (409, True), lost.body
    return answers[0]


@pytest.mark.parametrize("stop", [opened, rejected])
def test_of_confirm_and_dispute_one_wins(aws: Platform, stripe: StripeDouble, stop: object) -> None:
    def play(n: int) -> None:
        escrow = factories.delivered(stripe)
        first = one_won(together(lambda: confirm(aws, escrow, str(n)), lambda: stop(aws, escrow)))  # type: ignore[operator]
        assert decided(escrow) == ((1, 0) if first.status == 202 else (0, 1))

    fifty(play)


def test_of_the_release_by_the_clock_and_a_dispute_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    def play(_: int) -> None:
        escrow = factories.delivered(stripe)
        aws.clock.advance(days=6)
        deadlines.look(escrow.id, CLOCK)  # warns
        aws.clock.advance(days=1)
        answer, _none = together(lambda: opened(aws, escrow), lambda: again(lambda: deadlines.look(escrow.id, CLOCK)))
        assert isinstance(answer, Answer)
        assert (answer.status == 201) or answer.code == "INVALID_STATE"
        assert decided(escrow) == ((0, 1) if answer.status == 201 else (1, 0))

    fifty(play)


def in_review(aws: Platform, stripe: StripeDouble) -> tuple[Escrow, str]:
    """A dispute in an arbiter's hands."""
    escrow = factories.funded(stripe)
    assert opened(aws, escrow).status == 201
    return escrow, assigned(aws, escrow).id


def test_of_withdrawal_and_decision_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    def play(n: int) -> None:
        escrow, judge = in_review(aws, stripe)
        first = one_won(
            together(
                lambda: resolve(aws, escrow, judge, "REFUND", 0, escrow.amount, str(n)), lambda: withdraw(aws, escrow)
            )
        )
        status = factories.escrow_row(escrow).status
        assert status is (EscrowStatus.SETTLING if first.status == 202 else EscrowStatus.FUNDS_HELD)
        assert decided(escrow) == (int(first.status == 202), 0)

    fifty(play)


def test_of_refund_and_decision_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    def play(n: int) -> None:
        escrow, judge = in_review(aws, stripe)
        first = one_won(
            together(
                lambda: resolve(aws, escrow, judge, "RELEASE", escrow.amount, 0, str(n)),
                lambda: refund(aws, escrow, str(n)),
            )
        )
        (plan,) = reads.escrow(escrow.id).settlements
        assert str(plan.kind) == ("RELEASE" if first.status == 202 else "REFUND")
        (dispute,) = reads.escrow(escrow.id).disputes
        assert str(dispute.status) == ("RESOLVED" if first.status == 202 else "CLOSED")

    fifty(play)


def test_of_agreement_and_decision_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    def play(n: int) -> None:
        escrow, judge = in_review(aws, stripe)
        proposal = proposed(aws, escrow, 1)
        first = one_won(
            together(
                lambda: resolve(aws, escrow, judge, "RELEASE", escrow.amount, 0, str(n)),
                lambda: accept(aws, escrow, proposal, key=str(n)),
            )
        )
        (plan,) = reads.escrow(escrow.id).settlements
        assert str(plan.kind) == ("RELEASE" if first.status == 202 else "SPLIT")
        (dispute,) = reads.escrow(escrow.id).disputes
        assert (str(dispute.status), dispute.outcome) == (
            ("RESOLVED", None) if first.status == 202 else ("CLOSED", "SETTLED")
        )

    fifty(play)


def test_two_parties_open_one(aws: Platform, stripe: StripeDouble) -> None:
    def play(_: int) -> None:
        escrow = factories.funded(stripe)
        one_won(together(lambda: opened(aws, escrow), lambda: opened(aws, escrow, escrow.seller_id)))
        assert (decided(escrow), len(reads.escrow(escrow.id).disputes)) == ((0, 1), 1)

    fifty(play)
