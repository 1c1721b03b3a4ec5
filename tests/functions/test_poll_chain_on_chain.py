"""poll_chain over the real rail and a real chain: what is final is found, what a re-org took away never was."""

from collections.abc import Iterator

import pytest

from bloxtr8 import config
from bloxtr8.entities import Escrow, EscrowStatus
from bloxtr8.rails.usdc import deposits, reclaiming
from bloxtr8.rails.usdc.vault import Terms
from bloxtr8.reads import escrow as file_of
from local.chain.chain import Chain
from tests import factories
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import Wallets, vault_row, wallets
from tests.functions.escrows import sound
from tests.functions.hooks import custom, deliver, events, log
from tests.functions.webhooks import Machines, process
from tests.wire import Wire

__all__ = ["wallets"]
UNITS = 10_000


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture(autouse=True, params=["finalized", "safe"])
def finality(chain: Chain, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Deposits count where Base's do."""
    monkeypatch.setenv("CHAIN_FINALITY", request.param)
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


def payable(aws: Platform, chain: Chain) -> Escrow:
    """An escrow whose vault is open on the chain, and whose machine sleeps."""
    chain.mine(8)
    escrow = chains.payable()
    aws.invoke("await_funding", {"escrowId": escrow.id, "token": "token-1"})
    return factories.escrow_row(escrow)


def pay(chain: Chain, escrow: Escrow, cents: int) -> str:
    """The buyer's own wallet pays into the vault."""
    row = vault_row(escrow)
    chain.mint(row.terms["buyer"], cents * UNITS)
    return chain.transfer(row.terms["buyer"], str(row.external_id), cents * UNITS)


def test_a_deposit_whose_webhook_never_came_is_recorded_once_it_is_final(
    aws: Platform, chain: Chain, wallets: Wallets, machines: Machines
) -> None:
    escrow = payable(aws, chain)
    pay(chain, escrow, escrow.gross)
    aws.invoke("poll_chain")
    assert factories.escrow_row(escrow).deposited == 0

    chain.mine(8)
    aws.invoke("poll_chain")
    aws.invoke("poll_chain")

    after = factories.escrow_row(escrow)
    assert (after.status, after.deposited, after.held) == (EscrowStatus.AWAIT_FUNDS, escrow.gross, escrow.gross)
    assert len(file_of(escrow.id).deposits) == 1
    assert machines.answered == [("token-1", "PAID")]


def test_a_re_org_before_finality_leaves_nothing(
    aws: Platform, chain: Chain, wallets: Wallets, machines: Machines
) -> None:
    escrow = payable(aws, chain)
    told = log(str(vault_row(escrow).external_id), token=chain.usdc, tx=pay(chain, escrow, escrow.gross), index=0)
    deliver(aws, custom(told, network=None))
    (row,) = events()
    process(aws, row)

    chain.reorg(2)
    deliver(aws, custom(told | {"removed": True}, network=None))
    (row,) = events()
    process(aws, row)
    chain.mine(8)
    aws.invoke("poll_chain")

    file = file_of(escrow.id)
    assert (file.deposits, file.escrow.deposited, file.escrow.frozen_causes) == ([], 0, frozenset())
    assert machines.answered == []


def test_what_somebody_sent_back_after_the_term_is_written_down_once(
    aws: Platform, chain: Chain, wallets: Wallets, machines: Machines
) -> None:
    escrow = payable(aws, chain)
    pay(chain, escrow, escrow.gross)
    chain.mine(8)
    aws.invoke("poll_chain")
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    aws.invoke("hold_funds", {"escrowId": escrow.id})
    assert factories.escrow_row(escrow).status is EscrowStatus.FUNDS_HELD
    terms = Terms.from_json(vault_row(escrow).terms)
    chain.increase_time(terms.reclaim_after - chain.now() + 1)
    chain.send(chain.roles.exchange, chain.escrow, reclaiming.call_data(terms, chain.usdc))
    chain.mine(8)

    aws.invoke("poll_chain")
    aws.invoke("poll_chain")

    after = factories.escrow_row(escrow)
    assert (after.status, after.reason, after.held) == (EscrowStatus.REFUNDED, "RECLAIMED", 0)
    assert [entry.action for entry in aws.audit(escrow.id)].count("record_reclaim") == 1
    assert chain.balance(terms.buyer) == escrow.gross * UNITS


def test_a_payment_amid_anybodys_dust_is_held_once_it_is_final(
    aws: Platform, chain: Chain, wallets: Wallets, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deposits, "DEPOSITS", 2)
    escrow = payable(aws, chain)
    place, stranger = str(vault_row(escrow).external_id), chain.roles.exchange
    for units in (3_000, 9_000, 20_000, 9_999, 1, 10_000):
        chain.transfer(stranger, place, units)
    pay(chain, escrow, escrow.gross - 5)
    chain.transfer(stranger, place, 9_999)
    aws.invoke("poll_chain")
    assert factories.escrow_row(escrow).deposited < 10
    assert machines.answered == []

    chain.mine(8)
    aws.invoke("poll_chain")
    assert set(machines.answered) == {("token-1", "PAID")}
    assert aws.invoke("screen_deposit", {"escrowId": escrow.id}) == {"enough": True, "verdict": "CLEAN"}
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    chain.transfer(stranger, place, 8_001)  # makes one more cent whole, late
    chain.mine(8)
    aws.invoke("poll_chain")
    aws.invoke("poll_chain")

    file = file_of(escrow.id)
    assert (file.escrow.status, file.escrow.held) == (EscrowStatus.FUNDS_HELD, escrow.gross)
    assert chain.balance(place) // UNITS == file.escrow.held + file.escrow.surplus  # I6
    assert sum(row.amount for row in file.deposits) == file.escrow.deposited
    assert len(file.deposits) == 7
    assert sound(aws, escrow)["SURPLUS"] == file.escrow.surplus


def test_a_deposit_that_a_re_org_takes_after_finality_holds_the_escrow(
    aws: Platform, chain: Chain, wallets: Wallets, machines: Machines
) -> None:
    escrow = payable(aws, chain)
    before = chain.snapshot()
    pay(chain, escrow, escrow.gross)
    chain.mine(8)
    aws.invoke("poll_chain")
    assert aws.invoke("screen_deposit", {"escrowId": escrow.id})["enough"]
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    chain.revert(before)
    chain.mine(30)

    aws.invoke("poll_chain")

    after = factories.escrow_row(escrow)
    assert (after.status, after.holds) == (EscrowStatus.FUNDS_HELD, {"COMPLIANCE"})
