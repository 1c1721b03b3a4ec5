"""What a stored hint of the chain does: the chain is asked, what is final is recorded once, what waited is woken."""

import datetime as dt
import random

import pytest

from bloxtr8.entities import Escrow, EscrowStatus, SettlementKind, WebhookStatus
from bloxtr8.rails.base import RailOutcomeUnknown
from bloxtr8.reads import escrow as file_of
from tests import factories
from tests.emulator import Platform
from tests.functions import money
from tests.functions.chain import TOKEN, chain, vault_row, wallets
from tests.functions.hooks import custom, deliver, events, log
from tests.functions.vaults import Vaults, vaults
from tests.functions.webhooks import Machines, process
from tests.wire import Wire

__all__ = ["chain", "vaults", "wallets"]


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def hint(aws: Platform, escrow: Escrow, *, index: int = 5, removed: bool = False) -> None:
    """A webhook tells of something at the escrow's vault; it is processed."""
    vault = str(vault_row(escrow).external_id)
    assert deliver(aws, custom(log(vault, token=TOKEN, index=index, removed=removed))).body["new"] == 1
    (row,) = events()
    assert process(aws, row).status is WebhookStatus.PROCESSED


def test_a_deposit_is_recorded_as_the_chain_says_it_and_wakes_the_machine(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)

    hint(aws, escrow)

    after = factories.escrow_row(escrow)
    assert (after.status, after.deposited) == (EscrowStatus.AWAIT_FUNDS, escrow.gross)  # not what the log said
    assert machines.answered == [("token-1", "PAID")]
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor) == ("record_deposit", "process_webhook_event")


def test_a_deposit_told_of_twenty_times_in_any_order_is_recorded_once(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    escrow = vaults.opened()
    vault = str(vault_row(escrow).external_id)
    vaults.pay(escrow, escrow.gross)
    told = [
        custom(log(vault, token=TOKEN, index=index, removed=removed)) for index in range(5) for removed in (False, True)
    ] * 2
    random.Random(11).shuffle(told)

    for payload in told:
        deliver(aws, payload)
        for row in events()[:1]:
            process(aws, row)
    aws.invoke("retry_webhooks")
    aws.invoke("poll_chain")

    assert events() == []
    assert factories.escrow_row(escrow).deposited == escrow.gross
    assert len(file_of(escrow.id).deposits) == 1


def test_an_address_that_is_no_vault_of_ours_is_nothing_to_do(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    deliver(aws, custom(log(token=TOKEN)))
    (row,) = events()

    assert process(aws, row).status is WebhookStatus.PROCESSED

    assert len(aws.rows()) == 1
    assert machines.answered == []


@pytest.mark.parametrize("removed", [False, True], ids=["not final yet", "removed by a re-org"])
def test_what_is_not_final_leaves_nothing(aws: Platform, vaults: Vaults, machines: Machines, removed: bool) -> None:
    escrow = vaults.opened()
    before = money.actions(aws, escrow)

    hint(aws, escrow, removed=removed)

    assert money.actions(aws, escrow) == before  # poll_chain asks it every minute anyway
    assert file_of(escrow.id).deposits == []
    vaults.pay(escrow, escrow.gross)
    aws.invoke("poll_chain")
    assert factories.escrow_row(escrow).deposited == escrow.gross


def test_a_vault_that_is_seldom_asked_is_asked_when_the_money_is_final(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    escrow = vaults.ended()
    aws.clock.advance(days=3)
    aws.invoke("poll_chain")

    hint(aws, escrow)

    look = vault_row(escrow).next_look
    assert look is not None
    assert look - aws.clock.moment < dt.timedelta(minutes=31)
    hint(aws, escrow, index=6)
    assert vault_row(escrow).next_look == look
    vaults.pay(escrow, 900)
    aws.clock.moment = look
    aws.invoke("poll_chain")
    (settlement,) = file_of(escrow.id).settlements
    assert (settlement.kind, settlement.to_buyer) == (SettlementKind.RETURN, 900)


def test_a_chain_that_does_not_answer_is_asked_again_later(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)
    deliver(aws, custom(log(str(vault_row(escrow).external_id), token=TOKEN)))
    (row,) = events()
    look = vaults.chain.look

    def lost(_: object) -> None:
        raise RailOutcomeUnknown("test")

    monkeypatch.setattr(vaults.chain, "look", lost)
    assert process(aws, row).status is WebhookStatus.FAILED
    monkeypatch.setattr(vaults.chain, "look", look)
    aws.clock.advance(minutes=5)
    aws.invoke("retry_webhooks")

    assert factories.escrow_row(escrow).deposited == escrow.gross
    assert events() == []
