"""Who proposed it takes it back, and may propose something else at once."""

import pytest

from bloxtr8.entities import Escrow
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions import escrows, settlements
from tests.functions.escrows import hidden
from tests.functions.settlements import accept, answer, proposed


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.delivered(stripe)


@pytest.mark.parametrize("by", ["buyer_id", "seller_id"])
def test_it_is_over_and_its_proposer_proposes_again(aws: Platform, escrow: Escrow, by: str) -> None:
    mine = getattr(escrow, by)
    one = proposed(aws, escrow, 33_333, mine)

    taken_back = answer(aws, "withdraw", escrow, one, mine)

    assert (taken_back.status, taken_back.body["status"], taken_back.body["allowedActions"]) == (200, "WITHDRAWN", [])
    assert settlements.row(escrow).ended_at is not None
    assert proposed(aws, escrow, 33_334, mine) != one
    assert escrows.row(escrow).status == "DELIVERED"


def test_is_its_proposers_alone(aws: Platform, escrow: Escrow) -> None:
    one = proposed(aws, escrow, 1)
    refused(aws, 403, "FORBIDDEN", "withdraw_settlement", escrow.seller_id, escrow_id=escrow.id, proposal_id=one)
    hidden(aws, "withdraw_settlement", escrow, escrow.buyer_id, proposal=one)


def test_of_accept_and_withdraw_at_once_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(2):  # fifty: tests/races
        escrow = factories.funded(stripe)
        one = proposed(aws, escrow, 1)
        accepted, withdrawn = together(
            lambda escrow=escrow, one=one: accept(aws, escrow, one),
            lambda escrow=escrow, one=one: answer(aws, "withdraw", escrow, one, escrow.buyer_id),
        )
        assert (accepted.status, withdrawn.status) in {(202, 409), (409, 200)}
        assert settlements.row(escrow).status == ("ACCEPTED" if accepted.status == 202 else "WITHDRAWN")
