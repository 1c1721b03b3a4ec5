"""reconcile_money: what lies in the escrows is what Stripe and the chain have, or a person hears of it."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from bloxtr8 import table
from bloxtr8.entities import Account, Escrow, LedgerLine, Reconciliation
from bloxtr8.errors import UpstreamFailed
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailOutcomeUnknown
from bloxtr8.rails.stripe_events import READERS
from bloxtr8.rails.usdc import balances
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import chargebacks, escrows
from tests.functions.chain import UNITS, chain, wallets
from tests.functions.vaults import Vaults, vaults
from tests.functions.webhooks import Machines, alarms, process, row_of, sent_by, stored
from tests.wire import Wire

__all__ = ["chain", "vaults", "wallets"]


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def today(aws: Platform) -> Reconciliation:
    """The day's row; asserts that its audit chain holds."""
    row = table.get(Reconciliation, day=aws.clock.now().date().isoformat())
    assert {entry.action for entry in aws.audit(row.id)} == {"reconcile_money"}
    return row


def reconciled(aws: Platform) -> Reconciliation:
    """The row after the run, and after the one that looks at suspects again."""
    aws.invoke("reconcile_money")
    aws.clock.advance(minutes=10)
    aws.invoke("reconcile_money")
    row = today(aws)
    assert row.finished_at is not None
    return row


def booked(escrow: Escrow, debit: Account, credit: Account, amount: int) -> None:
    """A line that no provider knows of, as a fault of ours, or a thief in the table, would write it."""
    row = escrows.row(escrow)
    row.ledger_seq += 1
    line = LedgerLine(
        escrow_id=row.id, seq=row.ledger_seq, debit=debit, credit=credit, amount=amount, currency=row.currency,
        memo="nobody paid this", at=row.created_at,
    )  # fmt: skip
    if credit is Account.HELD:
        row.held, row.deposited = row.held + amount, row.deposited + amount
    else:
        row.held, row.released = row.held - amount, row.released + amount
    changed = {"action": "test", "actor": escrows.actors.system("test")}
    table.commit(row, line, **changed)


def test_what_agrees_is_counted_and_nobody_is_woken(
    aws: Platform, stripe: StripeDouble, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    card, coin = factories.funded(stripe), vaults.opened()
    vaults.pay(coin, coin.gross)
    aws.invoke("poll_chain")
    factories.executed()  # holds nothing, and so is nobody's to ask about

    aws.invoke("reconcile_money")

    row = today(aws)
    assert row.finished_at is not None
    assert row.totals == {
        "STRIPE": {"escrows": 1, "held": card.gross, "surplus": 0},
        "USDC_BASE": {"escrows": 1, "held": coin.gross, "surplus": 0},
    }
    assert (row.differences, told) == ([], [])
    assert sum(row.balance["before"].values()) == sum(stripe.balance().values())


def test_a_day_is_reconciled_once(aws: Platform, stripe: StripeDouble) -> None:
    factories.funded(stripe)
    aws.invoke("reconcile_money")
    before = aws.rows()
    aws.clock.advance(hours=1)

    aws.invoke("reconcile_money")

    assert aws.rows() == before


@pytest.mark.parametrize(
    ("debit", "credit", "code"),
    [(Account.BUYER, Account.HELD, "BUYER_DIFFERS"), (Account.HELD, Account.SELLER, "SELLER_DIFFERS")],
)
def test_a_line_that_no_payment_stands_behind_is_reported(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, debit: Account, credit: Account, code: str
) -> None:
    told = alarms(monkeypatch)
    escrow = factories.funded(stripe)
    factories.funded(stripe)
    booked(escrow, debit, credit, 700)

    row = reconciled(aws)

    ours, theirs = (escrow.gross + 700, escrow.gross) if credit is Account.HELD else (700, 0)
    assert row.differences == [{"code": code, "escrowId": escrow.id, "booked": ours, "found": theirs}]
    assert len(told) == 1


def test_totals_that_are_not_the_sum_of_their_lines_are_reported(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    escrows.changed(escrow, held=escrow.gross + 5)

    (found,) = reconciled(aws).differences

    assert found == {
        "code": "LEDGER_UNBALANCED", "escrowId": escrow.id, "booked": escrow.gross + 5, "found": escrow.gross,
    }  # fmt: skip


@pytest.mark.parametrize("cents", [-1, 1])
def test_a_vault_that_holds_a_cent_more_or_less_is_reported(
    aws: Platform, stripe: StripeDouble, vaults: Vaults, machines: Machines, cents: int
) -> None:
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)
    aws.invoke("poll_chain")
    vaults.take(escrow, -cents * UNITS)

    (found,) = reconciled(aws).differences

    assert (found["code"], found["found"] - found["booked"]) == ("VAULT_DIFFERS", cents)


def test_what_differs_for_a_moment_alone_is_no_difference(
    aws: Platform, stripe: StripeDouble, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross // 2)
    aws.invoke("poll_chain")
    vaults.pay(escrow, escrow.gross)  # final, and not recorded yet
    aws.invoke("reconcile_money")
    assert [one["code"] for one in today(aws).suspects] == ["VAULT_DIFFERS"]

    aws.invoke("poll_chain")
    aws.clock.advance(minutes=10)
    aws.invoke("reconcile_money")

    row = today(aws)
    assert (row.differences, row.suspects, told) == ([], [], [])
    assert row.finished_at is not None


def test_money_under_way_is_no_difference(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.refund(aws, escrow).status == 202
    factories.settle(escrow)  # the bank is not done with the refund

    row = reconciled(aws)

    assert row.totals["STRIPE"]["held"] == escrow.gross
    assert row.differences == []


def test_a_platform_that_has_less_than_it_holds_is_reported(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = factories.funded(stripe)
    monkeypatch.setattr("bloxtr8.rails.stripe.StripeRail.balance", lambda _: {"available": 10, "pending": 20})

    (found,) = reconciled(aws).differences

    assert found == {"code": "BALANCE_SHORT", "escrowId": None, "booked": escrow.gross, "found": 30}


def test_an_event_that_no_webhook_brought_is_stored_and_acted_on(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")

    aws.invoke("reconcile_money")

    row = today(aws)
    assert row.events == {"seen": len(stripe.events), "lost": len(sent_by(stripe, *READERS))}
    assert process(aws, row_of(paid)).status == "PROCESSED"
    assert escrows.row(escrow).held == escrow.gross


def test_what_can_not_be_read_stops_nothing_else(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow, unreadable = factories.funded(stripe), factories.funded(stripe)
    item = escrows.row(unreadable).serialize() | {"status": {"S": "OF_ANOTHER_VERSION"}}
    aws.overwrite(SimpleNamespace(serialize=lambda: item))
    _tampered(escrow)
    monkeypatch.setattr("bloxtr8.receiving.essentials", mock.Mock(side_effect=KeyError("object")))

    row = reconciled(aws)

    assert [(one["code"], one["escrowId"]) for one in row.differences] == [("LEDGER_UNBALANCED", escrow.id)]
    unstored = ["an event could not be stored"] * len(sent_by(stripe, *READERS))
    assert [message for message, _ in told] == [*unstored, "money does not reconcile"]
    assert row.totals["STRIPE"]["escrows"] == 1


def test_an_event_that_is_there_already_is_left_alone(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    (paid,) = sent_by(stripe, "payment_intent.succeeded")
    process(aws, stored(aws, paid))
    before = row_of(paid)

    aws.invoke("reconcile_money")

    assert today(aws).events["lost"] == len(sent_by(stripe, *READERS)) - 1
    assert row_of(paid).serialize() == before.serialize()


def test_where_a_run_stopped_the_next_goes_on(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bloxtr8.reconciling.PAGE", 1)
    monkeypatch.setattr("bloxtr8.rails.stripe_books.PAGE", 2)
    made = [factories.funded(stripe) for _ in range(3)]
    books, asked = _books(monkeypatch)
    books.append(RailOutcomeUnknown("no answer"))  # what the second escrow meets

    with pytest.raises(RailOutcomeUnknown):
        aws.invoke("reconcile_money")
    assert today(aws).totals["STRIPE"]["escrows"] == 1
    aws.invoke("reconcile_money")

    row = today(aws)
    assert row.finished_at is not None
    assert row.totals["STRIPE"] == {"escrows": 3, "held": sum(one.gross for one in made), "surplus": 0}
    assert len(asked) == 4
    assert row.events["seen"] == len(stripe.events)


def _books(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Exception], list[str]]:
    """What the next but one look at Stripe's books meets, with whatever is asked then, and whose books were asked
    for."""
    from bloxtr8.rails import stripe_books

    fates: list[Exception] = []
    asked: list[str] = []
    real, real_balance = stripe_books.books, stripe_books.balance

    def books(client: Any, funding_id: str, escrow_id: str) -> Any:
        asked.append(escrow_id)
        if len(asked) == 2 and fates:
            raise fates[0]
        return real(client, funding_id, escrow_id)

    def balance(client: Any) -> Any:
        if len(asked) == 2 and fates:
            raise fates.pop()
        return real_balance(client)

    monkeypatch.setattr(stripe_books, "books", books)
    monkeypatch.setattr(stripe_books, "balance", balance)
    return fates, asked


@pytest.mark.parametrize("silent", ["Stripe", "the node", "its rows"])
def test_an_escrow_that_can_not_be_compared_is_reported_and_hides_no_other(
    aws: Platform, stripe: StripeDouble, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch,
    silent: str,
) -> None:  # fmt: skip
    told = alarms(monkeypatch)
    monkeypatch.setattr("bloxtr8.reconciling.PAGE", 1)
    first = vaults.opened() if silent == "the node" else factories.funded(stripe)
    if silent == "the node":
        vaults.pay(first, first.gross)
        aws.invoke("poll_chain")
    second = factories.funded(stripe)
    booked(second, Account.HELD, Account.SELLER, 700)
    if silent == "its rows":
        aws.erase(escrows.file(first).rail)
    else:
        _silence(monkeypatch, first)

    codes = []
    for _ in range(13):
        aws.invoke("reconcile_money")
        codes.append([(one["code"], one["escrowId"]) for one in today(aws).differences])
        aws.clock.advance(minutes=10)

    differs = ("SELLER_DIFFERS", second.id)
    assert codes == [[], *[[differs]] * 11, [differs, ("NOT_COMPARED", first.id)]]
    assert today(aws).finished_at is not None
    assert [message for message, _ in told] == ["money does not reconcile"] * 2


def _silence(monkeypatch: pytest.MonkeyPatch, escrow: Escrow) -> list[Escrow]:
    """Nothing is said of it, though of others; until the list that comes back is empty."""
    from bloxtr8.rails import stripe_books

    silent, books, at_finality = [escrow], stripe_books.books, balances.at_finality
    place = str(escrows.file(escrow).rail.external_id)

    def no_books(client: Any, funding_id: str, escrow_id: str) -> Any:
        if silent and funding_id == place:
            raise RailOutcomeUnknown("500")
        return books(client, funding_id, escrow_id)

    def no_balance(asked: list[str]) -> dict[str, int]:
        if silent and place in asked:
            raise UpstreamFailed("500")
        return at_finality(asked)

    monkeypatch.setattr(stripe_books, "books", no_books)
    monkeypatch.setattr(balances, "at_finality", no_balance)
    monkeypatch.setattr(balances, "ether", lambda accounts: {})
    return silent


def test_what_was_not_to_be_seen_at_first_is_a_difference_when_it_was_seen_twice(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = factories.funded(stripe)
    booked(escrow, Account.HELD, Account.SELLER, 700)
    silent = _silence(monkeypatch, escrow)
    aws.invoke("reconcile_money")
    silent.clear()
    for found in ([], ["SELLER_DIFFERS"]):
        aws.clock.advance(minutes=10)
        aws.invoke("reconcile_money")
        assert [one["code"] for one in today(aws).differences] == found
    assert today(aws).finished_at is not None


def _rings_the_next_day(aws: Platform, told: list[tuple[str, dict[str, Any]]]) -> None:
    yesterday = today(aws).day
    aws.clock.advance(days=1)
    aws.invoke("reconcile_money")
    assert told == [("a day was not reconciled to its end", {"day": yesterday, "phase": "STRIPE"})]


def test_a_day_on_which_nothing_was_compared_rings_the_alarm(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    factories.funded(stripe)
    with monkeypatch.context() as away:
        away.setattr("bloxtr8.rails.stripe.StripeRail.balance", mock.Mock(side_effect=RailOutcomeUnknown("no answer")))
        for _ in range(2):
            with pytest.raises(RailOutcomeUnknown):
                aws.invoke("reconcile_money")
    _rings_the_next_day(aws, told)


def test_two_runs_at_once_count_each_escrow_once(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bloxtr8.reconciling.PAGE", 1)
    for _ in range(3):
        factories.funded(stripe)

    together(*[partial(aws.invoke, "reconcile_money")] * 2)
    aws.invoke("reconcile_money")

    assert today(aws).totals["STRIPE"]["escrows"] == 3


def test_a_day_that_was_not_finished_rings_the_alarm(
    aws: Platform, stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    monkeypatch.setattr("bloxtr8.reconciling.PAGE", 1)
    for _ in range(2):
        factories.funded(stripe)
    books, _ = _books(monkeypatch)
    books.append(RailOutcomeUnknown("no answer"))
    with pytest.raises(RailOutcomeUnknown):
        aws.invoke("reconcile_money")
    _rings_the_next_day(aws, told)
    assert today(aws).finished_at is not None


def _reversed_by_hand(escrow: Escrow) -> None:
    (leg,) = (leg for leg in escrows.file(escrow).legs if leg.pays == "SELLER")
    stripe_client.client().v1.transfers.reversals.create(str(leg.external_id), {"amount": 40_000})


def _tampered(escrow: Escrow) -> None:
    escrows.changed(escrow, released=escrow.released + 5_000)


@pytest.mark.parametrize(
    ("spoil", "code", "more", "days"),
    [
        (_reversed_by_hand, "SELLER_DIFFERS", -40_000, 0), (_reversed_by_hand, "SELLER_DIFFERS", -40_000, 3),
        (_tampered, "LEDGER_UNBALANCED", -5_000, 1),
    ],
)  # fmt: skip
def test_what_changes_after_the_end_is_reported_for_three_days(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Escrow], None], code: str, more: int, days: int,
) -> None:  # fmt: skip
    told = alarms(monkeypatch)
    escrow = chargebacks.released(aws, stripe)
    spoil(escrow)
    aws.clock.advance(days=days)

    row = reconciled(aws)

    (found,) = row.differences
    assert (found["code"], found["escrowId"], found["found"] - found["booked"]) == (code, escrow.id, more)
    assert (row.ended, [message for message, _ in told]) == (1, ["money does not reconcile"])
    aws.clock.advance(days=4)
    assert reconciled(aws).ended == 0


def test_those_that_ended_are_gone_through_page_by_page_and_the_next_run_goes_on(
    aws: Platform, stripe: StripeDouble, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bloxtr8.reconciling.PAGE", 1)
    for days in (0, 2, 1):
        chargebacks.released(aws, stripe)
        aws.clock.advance(days=days)
    factories.executed()
    books, asked = _books(monkeypatch)
    books.append(RailOutcomeUnknown("no answer"))

    with pytest.raises(RailOutcomeUnknown):
        aws.invoke("reconcile_money")
    assert today(aws).ended == 1
    aws.invoke("reconcile_money")

    row = today(aws)
    assert (row.ended, len(asked), row.differences) == (3, 4, [])
    assert row.finished_at is not None


def test_late_money_in_a_vault_is_recorded_before_it_would_be_a_difference(
    aws: Platform, stripe: StripeDouble, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)
    aws.invoke("poll_chain")
    vaults.take(escrow, escrow.gross * UNITS)
    booked(escrow, Account.HELD, Account.SELLER, escrow.gross)
    escrows.changed(escrow, status="RELEASED", ended_at=aws.clock.now())
    aws.invoke("poll_chain")  # it has ended: from now on it is looked at more and more seldom
    vaults.pay(escrow, 5_000)
    aws.clock.advance(minutes=2)
    aws.invoke("poll_chain")
    assert escrows.row(escrow).surplus == 0

    aws.invoke("reconcile_money")
    aws.invoke("poll_chain")
    aws.clock.advance(minutes=10)
    aws.invoke("reconcile_money")

    row = today(aws)
    assert (escrows.row(escrow).surplus, row.ended, row.differences, told) == (5_000, 1, [], [])
    assert row.finished_at is not None
