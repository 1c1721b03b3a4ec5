"""A milestone's release against whatever moves the money, or stops it, at the same moment: exactly one wins, and each
part is paid once (states.md, Competing moves)."""

from collections.abc import Callable

import pytest

from bloxtr8 import deadlines, reads
from bloxtr8.actors import system
from bloxtr8.attempts import again
from bloxtr8.domain import ledger
from bloxtr8.entities import Escrow
from local.doubles.stripe import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Answer, Platform
from tests.functions.disputes import opened, rejected
from tests.functions.escrows import confirm, refund
from tests.functions.milestones import delivered, parts, release, statuses
from tests.functions.settlements import accept, proposed
from tests.races.test_races import fifty, winners

CLOCK = system("enforce_escrow_deadlines")
FEW = 2


def rounds(play: Callable[[int], None], many: bool) -> None:
    """Twice in every run, fifty times in the slow one."""
    if many:
        fifty(play)
    else:
        for n in range(FEW):
            play(n)


often = pytest.mark.parametrize("many", [False, pytest.param(True, marks=pytest.mark.slow)])


def halves(aws: Platform, stripe: StripeDouble) -> Escrow:
    """The first of two parts waits for the buyer's answer."""
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(5_000, 5_000))
    delivered(aws, escrow)
    return escrow


def paid_so_far(escrow: Escrow) -> list[str]:
    """The kinds of its settlements; after what is started was paid, the books are straight and no part is paid
    twice."""
    file = reads.escrow(escrow.id)
    kinds = [str(plan.kind) for plan in file.settlements]
    if file.escrow.settlement_id is not None and kinds == ["MILESTONE"]:
        factories.settle(escrow)
        assert statuses(escrow) == ["RELEASED", "FUNDS_HELD"]
    file = reads.escrow(escrow.id)
    assert ledger.balance(file.escrow, file.ledger).balanced
    assert file.escrow.released + file.escrow.fees == (5_000 if kinds == ["MILESTONE"] else 0)
    return kinds


@often
@pytest.mark.parametrize("stop", [opened, rejected])
def test_of_release_and_dispute_the_release_may_go_first_and_never_after(
    aws: Platform, stripe: StripeDouble, stop: Callable[[Platform, Escrow], Answer], many: bool
) -> None:
    def play(n: int) -> None:
        escrow = halves(aws, stripe)
        first, second = together(lambda: release(aws, escrow, 0, key=str(n)), lambda: stop(aws, escrow))
        if first.status == 202:  # what was released is paid, whether there is a dispute about the rest or not
            # a rejection meets the part that is released, or the next one, of which nothing was delivered
            late = stop is rejected and second.status == 409 and second.code in {"NOT_IN_TURN", "INVALID_STATE"}
            assert late or second.status in {200, 201}
        else:
            assert (first.status, first.code, second.status < 300) == (409, "INVALID_STATE", True)
        assert paid_so_far(escrow) == (["MILESTONE"] if first.status == 202 else [])

    rounds(play, many)


@often
def test_of_release_and_agreement_one_divides_the_rest(aws: Platform, stripe: StripeDouble, many: bool) -> None:
    def play(n: int) -> None:
        escrow = halves(aws, stripe)
        one = proposed(aws, escrow, 1)
        first, second = together(
            lambda: release(aws, escrow, 0, key=str(n)), lambda: accept(aws, escrow, one, key=str(n))
        )
        assert winners([first, second]) == 1
        assert paid_so_far(escrow) == (["MILESTONE"] if first.status == 202 else ["SPLIT"])

    rounds(play, many)


@often
def test_of_release_and_refund_one_wins(aws: Platform, stripe: StripeDouble, many: bool) -> None:
    def play(n: int) -> None:
        escrow = halves(aws, stripe)
        first, second = together(lambda: release(aws, escrow, 0, key=str(n)), lambda: refund(aws, escrow, key=str(n)))
        assert winners([first, second]) == 1
        assert paid_so_far(escrow) == (["MILESTONE"] if first.status == 202 else ["REFUND"])

    rounds(play, many)


@often
def test_released_by_the_clock_by_its_confirmation_and_by_its_release_it_is_paid_once(
    aws: Platform, stripe: StripeDouble, many: bool
) -> None:
    def play(n: int) -> None:
        escrow = halves(aws, stripe)
        aws.clock.advance(days=6)
        deadlines.look(escrow.id, CLOCK)  # warns
        aws.clock.advance(days=1)
        first, second, _ = together(
            lambda: release(aws, escrow, 0, key=str(n)),
            lambda: confirm(aws, escrow, str(n)),
            lambda: again(lambda: deadlines.look(escrow.id, CLOCK)),
        )
        answers = [one for one in (first, second) if isinstance(one, Answer)]
        assert winners(answers) <= 1
        assert paid_so_far(escrow) == ["MILESTONE"]

    rounds(play, many)
