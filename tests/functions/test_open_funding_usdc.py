"""open_funding on chain: the vault's address is stored once, with its look-up, and is watched from then on."""

import pytest

from bloxtr8 import depositing, table
from bloxtr8.actors import system
from bloxtr8.entities import Lookup, StablecoinEscrow, User
from bloxtr8.errors import StaleWrite
from bloxtr8.rails.base import FundingStatus, Look, RailOutcomeUnknown
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import UNITS, FakeChain, chain, wallets

__all__ = ["chain", "wallets"]


def test_the_vault_and_its_look_up_are_stored_and_watched(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.executed()
    assert aws.invoke("open_funding", {"escrowId": escrow.id}) == {"open": True}
    row = chains.vault_row(escrow)
    assert list(chain.vaults) == [row.external_id]
    assert table.get(Lookup, index="VAULT", value=row.external_id).target == escrow.id
    assert [one.escrow_id for one in table.due(StablecoinEscrow, "DUE#VAULT")] == [escrow.id]
    assert table.get(User, id=escrow.buyer_id).customer_id is None
    assert money.nothing_happens(aws, "open_funding", {"escrowId": escrow.id}) == {"open": True}


@pytest.mark.parametrize("moment", ["faults", "after"])
def test_an_answer_that_got_lost_is_found_again(aws: Platform, chain: FakeChain, moment: str) -> None:
    escrow = chains.executed()
    getattr(chain, moment)["open"] = [RailOutcomeUnknown()]
    with pytest.raises(RailOutcomeUnknown):
        aws.invoke("open_funding", {"escrowId": escrow.id})
    assert [row.name for row in escrows.file(escrow).operations] == ["open"]  # the intent was stored before the call
    aws.invoke("open_funding", {"escrowId": escrow.id})
    assert list(chain.vaults) == [chains.vault_row(escrow).external_id]


def test_an_address_of_two_escrows_is_nobodys(aws: Platform, chain: FakeChain) -> None:
    first, second = chains.payable(), chains.executed()
    taken = chains.vault_row(first)
    terms = chains.vault_row(second)
    terms.terms = taken.terms
    money.changed_rows(second, terms)
    with pytest.raises(Exception, match="open_funding"):
        aws.invoke("open_funding", {"escrowId": second.id})
    assert chains.vault_row(second).external_id is None


def test_how_far_the_chain_was_searched_is_kept_where_the_way_was_long(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.payable()
    for kept in (False, True):
        cursor = {"block": 5, "arrived": 9_999, "left": 0}
        seen = Look(status=FundingStatus.UNPAID, cursor=cursor, keep=kept)
        depositing.record(escrows.file(escrow), seen, system("look_at_rail"))
        row = chains.vault_row(escrow)
        assert (row.cursor == cursor, row.units) == (kept, 9_999 if kept else 0)


def test_of_two_that_searched_from_the_same_place_one_counts(aws: Platform, chain: FakeChain) -> None:
    """Dust has no row of its own that could be there already: how far was searched decides."""
    escrow = chains.payable()
    first, second, third = (escrows.file(escrow) for _ in range(3))
    seen = Look(status=FundingStatus.UNPAID, cursor={"block": 5, "arrived": 9_999, "left": 0}, keep=True)
    depositing.record(first, seen, system("look_at_rail"))
    with pytest.raises(StaleWrite):
        depositing.record(second, seen, system("poll_chain"))
    chain.pay(escrow, escrow.gross * UNITS)
    with pytest.raises(StaleWrite):
        depositing.record(third, chain.look(depositing.order(third)), system("poll_chain"))
    assert chains.vault_row(escrow).units == 9_999
