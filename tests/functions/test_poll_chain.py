"""poll_chain: what no webhook told of is found, once; what needs nothing costs nothing."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from bloxtr8.entities import Escrow, EscrowStatus, PlatformRole, SettlementKind
from bloxtr8.rails.base import Funding, Look, RailOutcomeUnknown
from bloxtr8.rails.usdc import balances
from bloxtr8.reads import escrow as file_of
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import money
from tests.functions.chain import UNITS, chain, held, vault_row, wallets
from tests.functions.offers import same_but
from tests.functions.vaults import Vaults, vaults
from tests.functions.webhooks import Machines, alarms
from tests.wire import Wire

__all__ = ["chain", "vaults", "wallets"]


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def test_a_deposit_that_no_webhook_told_of_is_recorded_and_wakes_the_machine(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)

    aws.invoke("poll_chain")

    after = factories.escrow_row(escrow)
    assert (after.status, after.deposited, after.held) == (EscrowStatus.AWAIT_FUNDS, escrow.gross, escrow.gross)
    assert machines.answered == [("token-1", "PAID")]
    assert aws.audit(escrow.id)[-1].actor == "poll_chain"


def test_vaults_that_hold_what_the_books_say_cost_one_question_and_no_write(
    aws: Platform, vaults: Vaults, machines: Machines, wire: Wire
) -> None:
    escrows = [vaults.opened() for _ in range(3)]
    vaults.pay(escrows[0], escrows[0].gross)
    aws.invoke("poll_chain")
    vaults.chain.pay(escrows[1], UNITS - 1)  # less than a cent is no money yet
    before, vaults.asked, wire.calls = aws.rows(), [], []

    aws.invoke("poll_chain")

    assert [len(asked) for asked in vaults.asked] == [3]
    assert wire.calls == ["GetItem", "Query", "BatchGetItem"]
    assert aws.rows() == before


def test_a_deposit_is_recorded_once_however_often_and_by_how_many_it_is_found(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)

    together(*[partial(aws.invoke, "poll_chain")] * 2)
    aws.invoke("poll_chain")

    assert factories.escrow_row(escrow).deposited == escrow.gross
    assert len(file_of(escrow.id).deposits) == 1


def test_every_vault_is_asked_a_page_at_a_time(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    found = [vaults.opened() for _ in range(3)]
    monkeypatch.setattr("bloxtr8.polling.ROWS", 2)

    aws.invoke("poll_chain")

    assert sorted(vault for page in vaults.asked for vault in page) == sorted(
        str(vault_row(escrow).external_id) for escrow in found
    )
    assert [len(page) for page in vaults.asked] == [2, 1]
    assert told == []


def test_more_vaults_than_a_run_can_ask_ring_the_alarm(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("bloxtr8.table.logger.error", lambda message, **_: told.append(message))
    monkeypatch.setattr("bloxtr8.polling.ROWS", 2)
    monkeypatch.setattr("bloxtr8.polling.PAGES", 1)
    for _ in range(3):
        vaults.opened()

    aws.invoke("poll_chain")

    assert [len(page) for page in vaults.asked] == [2]
    assert told == ["more is due than one run looks at"]


def test_one_that_fails_stops_no_other(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    first, second = vaults.opened(), vaults.opened()
    vaults.pay(first, first.gross)
    vaults.pay(second, second.gross)
    look, broken = vaults.chain.look, file_of(first.id).rail.external_id
    monkeypatch.setattr(
        vaults.chain, "look", lambda order: 1 / 0 if order.external_id == broken else look(order), raising=False
    )

    aws.invoke("poll_chain")

    assert (factories.escrow_row(first).deposited, factories.escrow_row(second).deposited) == (0, second.gross)
    [(message, _)] = told
    assert message == "a row could not be processed"


def test_an_escrow_that_can_not_be_read_keeps_no_other_vault_from_being_asked(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    first, second = vaults.opened(), vaults.opened()
    item = factories.escrow_row(first).serialize() | {"status": {"S": "OF_ANOTHER_VERSION"}}
    aws.overwrite(SimpleNamespace(serialize=lambda: item))
    vaults.pay(second, second.gross)

    aws.invoke("poll_chain")

    assert factories.escrow_row(second).deposited == second.gross


def test_a_provider_that_answers_nothing_is_an_error(aws: Platform, vaults: Vaults, machines: Machines) -> None:
    vaults.opened()
    vaults.failing = RuntimeError("the chain is away")
    before = aws.rows()

    with pytest.raises(RuntimeError, match="away"):
        aws.invoke("poll_chain")

    assert aws.rows() == before


def test_money_that_comes_after_the_end_goes_back(aws: Platform, vaults: Vaults, machines: Machines) -> None:
    escrow = vaults.ended()
    vaults.pay(escrow, 700)

    aws.invoke("poll_chain")

    file = file_of(escrow.id)
    (settlement,) = file.settlements
    assert (file.escrow.status, file.escrow.surplus) == (EscrowStatus.CANCELLED, 700)
    assert (settlement.kind, settlement.to_buyer) == (SettlementKind.RETURN, 700)
    assert settlement.id in machines.started[-1]


def test_the_vault_of_an_escrow_that_ended_is_asked_more_and_more_seldom(
    aws: Platform, vaults: Vaults, machines: Machines
) -> None:
    escrow = vaults.ended()
    aws.invoke("poll_chain")
    vaults.asked = []

    for minutes in (1, 58, 2, 62):
        aws.clock.advance(minutes=minutes)
        aws.invoke("poll_chain")

    assert len(vaults.asked) == 2
    assert money.actions(aws, escrow).count("look_again") == 3


def test_after_its_term_and_long_enough_nobody_asks_any_more(aws: Platform, vaults: Vaults, machines: Machines) -> None:
    escrow = vaults.ended()
    aws.clock.advance(days=200 + 121)
    aws.invoke("poll_chain")
    vaults.asked = []
    aws.clock.advance(days=30)

    aws.invoke("poll_chain")

    assert vaults.asked == []
    assert vault_row(escrow).next_look is None


def test_a_vault_that_holds_less_than_the_books_say_rings_the_alarm(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = vaults.opened()
    vaults.pay(escrow, escrow.gross)
    aws.invoke("poll_chain")
    vaults.take(escrow, 5 * UNITS)
    before = aws.rows()

    aws.invoke("poll_chain")

    assert told == [("a vault holds less than the books say", {"escrowId": escrow.id, "cents": -5})]
    assert aws.rows() == before


def test_what_was_sent_back_after_the_term_is_written_down_once(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = held(aws, vaults.chain)
    vaults.reclaims = (vaults.chain.reclaim(escrow),)

    aws.invoke("poll_chain")
    aws.invoke("poll_chain")

    after = factories.escrow_row(escrow)
    assert (after.status, after.reason, after.held) == (EscrowStatus.REFUNDED, "RECLAIMED", 0)
    assert money.actions(aws, escrow).count("record_reclaim") == 1
    assert [message for message, _ in told] == ["a vault was reclaimed"]


def test_a_payout_that_is_not_confirmed_yet_is_no_loss(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = held(aws, vaults.chain)
    assert aws.call("refund_escrow", escrow.seller_id, {"reason": "x"}, escrow_id=escrow.id, **keyed()).status == 202
    vaults.chain.after["send"] = [RailOutcomeUnknown()]  # it paid, and nobody heard of it
    with pytest.raises(RailOutcomeUnknown):
        aws.invoke("send_leg", money.event(escrow))

    aws.invoke("poll_chain")

    assert told == []


def keyed() -> dict[str, dict[str, str]]:
    return {"headers": {"Idempotency-Key": "refund"}}


# --- more than a run can do, and what must not happen


def bounded(vaults: Vaults, monkeypatch: pytest.MonkeyPatch, looked: list[str]) -> None:
    """A look that brings one deposit at a time, as a long search does; who is looked at is kept."""
    look = vaults.chain.look

    def one(order: Funding) -> Look:
        looked.append(order.escrow_id)
        seen = look(order)
        first = seen.deposits[:1]
        cursor = first[0].cursor if first else seen.cursor
        return replace(seen, deposits=first, cursor=cursor, complete=cursor == seen.cursor)

    monkeypatch.setattr(vaults.chain, "look", one, raising=False)


def test_a_vault_with_more_to_find_is_looked_at_again_when_all_others_had_their_look(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    flooded, other = vaults.opened(), vaults.opened()
    bounded(vaults, monkeypatch, looked)
    for _ in range(6):
        vaults.pay(flooded, 200)
    vaults.pay(other, other.gross)

    aws.invoke("poll_chain")

    assert (factories.escrow_row(flooded).held, factories.escrow_row(other).held) == (1_200, other.gross)
    assert sorted(looked[:2]) == sorted([flooded.id, other.id])
    assert looked[2:] == [flooded.id] * 5


def test_a_vault_whose_last_look_took_all_its_time_is_looked_at_after_the_others(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    slow, *others = [vaults.opened() for _ in range(5)]
    vaults.pay(slow, 200)
    look = vaults.chain.look
    narrow = {"block": 0, "arrived": 0, "span": 6}
    monkeypatch.setattr(vaults.chain, "look", lambda _: Look(status="UNPAID", cursor=narrow, keep=True), raising=False)
    aws.invoke("poll_chain")
    assert vault_row(slow).cursor == narrow
    for other in others:
        vaults.pay(other, 200)
    monkeypatch.setattr(
        vaults.chain, "look", lambda order: looked.append(order.escrow_id) or look(order), raising=False
    )

    aws.invoke("poll_chain")

    assert sorted(looked[:4]) == sorted(other.id for other in others)
    assert looked[4] == slow.id


def test_a_run_ends_in_time_and_the_next_goes_on(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    escrow = vaults.opened()
    bounded(vaults, monkeypatch, looked)
    for _ in range(3):
        vaults.pay(escrow, 200)
    moments = iter(range(0, 10_000, 150))
    monkeypatch.setattr("bloxtr8.polling.time", SimpleNamespace(monotonic=lambda: next(moments)))

    aws.invoke("poll_chain")
    assert len(looked) == 1
    aws.invoke("poll_chain")
    aws.invoke("poll_chain")

    assert factories.escrow_row(escrow).held == 600


def test_more_vaults_than_a_run_can_ask_are_all_asked_over_several(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bloxtr8.polling.ROWS", 2)
    monkeypatch.setattr("bloxtr8.polling.PAGES", 1)
    found = {str(vault_row(vaults.opened()).external_id) for _ in range(5)}

    for _ in range(3):
        aws.invoke("poll_chain")

    asked = [vault for page in vaults.asked for vault in page]
    assert (set(asked), len(asked)) == (found, 5)


def test_the_vaults_of_pages_before_a_failing_one_have_their_look(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bloxtr8.polling.ROWS", 1)
    escrows = [vaults.opened() for _ in range(2)]
    for escrow in escrows:
        vaults.pay(escrow, escrow.gross)
    aws.clock.advance(seconds=1)
    third = str(vault_row(vaults.opened()).external_id)
    real = vaults.at_finality

    def second_fails(asked: list[str]) -> dict[str, int]:
        if vaults.asked:
            raise RuntimeError("the chain is away")
        return real(asked)

    monkeypatch.setattr(balances, "at_finality", second_fails)
    with pytest.raises(RuntimeError, match="away"):
        aws.invoke("poll_chain")

    assert sorted(factories.escrow_row(escrow).held for escrow in escrows) == [0, escrows[0].gross]
    monkeypatch.setattr("bloxtr8.polling.PAGES", 1)
    vaults.asked.clear()
    aws.invoke("poll_chain")  # begins behind the page that failed
    (asked,) = vaults.asked
    assert asked == [third]


def test_a_vault_that_holds_more_than_the_books_say_rings_the_alarm(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payout that was booked, and that the chain took back."""
    told = alarms(monkeypatch)
    escrow = held(aws, vaults.chain)
    assert aws.call("refund_escrow", escrow.seller_id, {"reason": "x"}, escrow_id=escrow.id, **keyed()).status == 202
    assert factories.settle(escrow).status == EscrowStatus.REFUNDED
    vaults.take(escrow, -escrow.gross * UNITS)

    aws.clock.advance(minutes=59)
    aws.invoke("poll_chain")
    assert told == []  # final a little after it was booked
    aws.clock.advance(minutes=120)
    before = aws.rows()
    aws.invoke("poll_chain")

    assert told == [("a vault holds more than the books say", {"escrowId": escrow.id, "cents": escrow.gross})]
    assert set(same_but(before, aws.rows())) <= {"StablecoinEscrow", "Escrow", "AuditEntry"}


def test_a_recorded_deposit_that_the_chain_lost_holds_the_escrow_until_people_decide(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = held(aws, vaults.chain)
    lost = vaults.chain.lose(escrow)

    aws.invoke("poll_chain")
    aws.invoke("poll_chain")

    row = factories.escrow_row(escrow)
    assert (row.status, row.holds, row.frozen_causes) == ("FUNDS_HELD", {"COMPLIANCE"}, {"COMPLIANCE"})
    assert told[1] == ("a recorded deposit is no longer on the chain", {"escrowId": escrow.id, "refs": [lost]})
    assert money.actions(aws, escrow).count("place_hold") == 1
    decide(aws, escrow, "UNFREEZE")

    aws.invoke("poll_chain")

    assert factories.escrow_row(escrow).holds == frozenset()


def test_what_people_decided_about_something_else_is_no_decision_about_a_lost_deposit(
    aws: Platform, vaults: Vaults, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    escrow = held(aws, vaults.chain)
    for decision in ("FREEZE", "UNFREEZE"):  # a complaint, which was looked into
        decide(aws, escrow, decision)
    vaults.chain.lose(escrow)

    aws.invoke("poll_chain")

    assert factories.escrow_row(escrow).holds == {"COMPLIANCE"}
    assert aws.audit(escrow.id)[-1].details["cause"] == "a deposit is gone"


def decide(aws: Platform, escrow: Escrow, decision: str) -> None:
    """COMPLIANCE decides about the hold of that name."""
    officer = factories.user(platform_roles=frozenset({PlatformRole.COMPLIANCE}))
    body = {"hold": "COMPLIANCE", "decision": decision, "reason": "It was looked into."}
    answer = aws.call(
        "decide_hold", officer, body, escrow_id=escrow.id, headers={"Idempotency-Key": f"decide-{decision}"}
    )
    assert answer.status == 202, answer.body
