"""A settlement that both sides agree on, against whatever ends it or moves the money at the same moment, and more time
against the clock: fifty times each, exactly one wins (states.md, Competing moves; C6, C8)."""

import datetime as dt
from collections.abc import Callable

import pytest

from bloxtr8 import clock, deadlines, reads
from bloxtr8.actors import system
from bloxtr8.attempts import again
from bloxtr8.domain import ledger
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Escrow
from local.doubles.stripe import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Answer, Platform
from tests.functions.escrows import confirm, refund
from tests.functions.settlements import accept, answer, propose, proposed
from tests.races.test_races import fifty, winners

pytestmark = pytest.mark.slow
CLOCK = system("enforce_escrow_deadlines")
type Rival = Callable[[], Answer]


def against(aws: Platform, escrow: Escrow, rival: Rival, n: int) -> tuple[bool, EscrowFile]:
    """The seller accepts the buyer's split while the rival moves: one wins, the other is told where it stands. Returns
    whether it was the settlement, and what is there then."""
    one = reads.escrow(escrow.id).proposals[-1].id
    answers = together(lambda: accept(aws, escrow, one, key=f"accept {n}"), rival)
    assert winners(answers) == 1
    (lost,) = [told for told in answers if told.status >= 300]
    assert (lost.status, lost.code) in {(409, "INVALID_STATE"), (410, "PROPOSAL_EXPIRED")}, lost.body
    file = reads.escrow(escrow.id)
    assert ledger.balance(file.escrow, file.ledger).balanced
    assert file.escrow.held == escrow.gross
    assert file.proposal is None  # C6: what was decided is proposed no more
    return answers[0].status == 202, file


@pytest.mark.parametrize(("verb", "by"), [("withdraw", "buyer_id"), ("reject", "seller_id")])
def test_of_accepting_and_ending_it_one_wins(aws: Platform, stripe: StripeDouble, verb: str, by: str) -> None:
    def play(n: int) -> None:
        escrow = factories.funded(stripe)
        one = proposed(aws, escrow, 40_000)
        settled, file = against(aws, escrow, lambda: answer(aws, verb, escrow, one, getattr(escrow, by), f"end {n}"), n)
        ended = {"withdraw": "WITHDRAWN", "reject": "REJECTED"}[verb]
        assert str(file.proposals[-1].status) == ("ACCEPTED" if settled else ended)
        assert [str(plan.kind) for plan in file.settlements] == (["SPLIT"] if settled else [])
        assert (file.escrow.settlement_id is not None) == settled

    fifty(play)


@pytest.mark.parametrize(("rival", "kind"), [(confirm, "RELEASE"), (refund, "REFUND")])
def test_of_a_settlement_and_another_end_one_wins(
    aws: Platform, stripe: StripeDouble, rival: Callable[..., Answer], kind: str
) -> None:
    def play(n: int) -> None:
        escrow = factories.delivered(stripe)
        proposed(aws, escrow, 40_000)
        settled, file = against(aws, escrow, lambda: rival(aws, escrow, f"end {n}"), n)
        (plan,) = file.settlements
        assert (str(plan.kind), file.escrow.settlement_id) == ("SPLIT" if settled else kind, plan.id)
        assert str(file.proposals[-1].status) == ("ACCEPTED" if settled else "EXPIRED")

    fifty(play)


def test_of_two_proposals_one_stands(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)

    def play(n: int) -> None:
        answers = together(lambda: propose(aws, escrow, 1), lambda: propose(aws, escrow, 2, escrow.seller_id))
        assert winners(answers) == 1
        (live,) = [row for row in reads.escrow(escrow.id).proposals if row.status == "OPEN"]
        mine = escrow.buyer_id if live.proposed_by == "BUYER" else escrow.seller_id
        assert answer(aws, "withdraw", escrow, live.id, mine, str(n)).status == 200

    for n in range(20):  # as often as a side may propose
        play(n)


def late_delivery(aws: Platform, stripe: StripeDouble) -> Escrow:
    """Nothing was delivered in time, and Roblox showed the seller once: the next look refunds."""
    escrow = factories.funded(stripe)
    aws.clock.advance(days=7)
    deadlines.look(escrow.id, CLOCK)
    aws.clock.advance(minutes=6)
    return escrow


def late_inspection(aws: Platform, stripe: StripeDouble) -> Escrow:
    """The buyer was warned and said nothing: the next look releases."""
    escrow = factories.delivered(stripe)
    aws.clock.advance(days=6)
    deadlines.look(escrow.id, CLOCK)
    aws.clock.advance(days=1)
    return escrow


@pytest.mark.parametrize(
    ("name", "field", "by", "late", "kind"),
    [
        ("deliverBy", "deliver_by", "buyer_id", late_delivery, "REFUND"),
        ("inspectBy", "inspect_by", "seller_id", late_inspection, "RELEASE"),
    ],
)
def test_of_more_time_and_the_clock_one_wins(
    aws: Platform, stripe: StripeDouble, name: str, field: str, by: str,
    late: Callable[[Platform, StripeDouble], Escrow], kind: str,
) -> None:  # fmt: skip
    def play(_: int) -> None:
        escrow = factories.escrow_row(late(aws, stripe))
        until = getattr(escrow, field) + dt.timedelta(days=3)
        body = {"deadline": name, "until": clock.iso(until)}
        extended, _none = together(
            lambda: aws.call("extend_deadline", getattr(escrow, by), body, escrow_id=escrow.id),
            lambda: again(lambda: deadlines.look(escrow.id, CLOCK)),
        )
        assert isinstance(extended, Answer)
        assert (extended.status == 200) or (extended.status, extended.code) == (409, "INVALID_STATE")
        file = reads.escrow(escrow.id)
        won = extended.status == 200
        assert [str(plan.kind) for plan in file.settlements] == ([] if won else [kind])
        assert getattr(file.escrow, field) == (until if won else getattr(escrow, field))

    fifty(play)
