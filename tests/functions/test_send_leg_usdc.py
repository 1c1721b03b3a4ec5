"""send_leg on chain: one call pays everybody, its payee was screened just before, and it happens once (D15, D32)."""

from functools import partial
from typing import Any

import pytest

from bloxtr8 import rails, table
from bloxtr8.entities import Escrow, Lookup, PlatformRole, User
from bloxtr8.rails.base import RailDeclined, RailOutcomeUnknown
from tests import factories
from tests.checks import together
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import FEES, STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain, wallets: Wallets) -> Escrow:
    """One whose buyer has confirmed; nobody was screened since."""
    made = chains.delivered(aws, chain)
    assert escrows.confirm(aws, made).status == 202
    wallets.asked.clear()
    return made


def send(aws: Platform, escrow: Escrow) -> dict[str, str]:
    return dict(aws.invoke("send_leg", money.event(escrow)))


def test_a_release_pays_seller_and_fee_in_one_call(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    buyer, seller = chains.sides(escrow)
    assert send(aws, escrow) == {"next": "CONFIRM", "error": ""}
    (order,) = chain.sent
    assert (order.action, order.amount, order.fee, order.also_buyer) == (66, 97_100, 2_900, 0)
    assert (order.destination, order.terms) == (seller, chains.vault_row(escrow).terms)
    assert (wallets.asked, money.leg(escrow).screening["risk"]) == ([seller], "LOW")
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "HELD": escrow.gross}
    assert factories.settle(escrow).status == "RELEASED"
    assert (chain.balance(seller), chain.balance(FEES), chain.balance(buyer)) == (97_100 * UNITS, 2_900 * UNITS, 0)
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "SELLER": 97_100, "FEES": 2_900}
    assert escrows.around(escrow)["listing"] == "SOLD"
    assert chains.open_deals(escrow.buyer_id, escrow.seller_id) == [0, 0]


def test_each_part_of_the_call_is_booked_once(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    factories.settle(escrow)
    leg, ledger = money.leg(escrow), escrows.file(escrow).ledger
    assert table.get(Lookup, index="TX", value=f"{chains.CHAIN}#{leg.external_id}").target == escrow.id
    ids = [line.external_id for line in ledger]
    assert ids[1:] == [f"{leg.external_id}:seller", f"{leg.external_id}:fee"]
    assert len(set(ids)) == len(ids)


def test_a_split_pays_both_sides_in_one_call(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    money.split(escrow, 33_330)
    buyer, seller = chains.sides(escrow)
    assert factories.settle(escrow).status == "SPLIT"
    assert [order.action for order in chain.sent] == [64]
    paid = [chain.balance(address) // UNITS for address in (seller, FEES, buyer)]
    assert paid == [33_330 - 966, 966, 66_670]
    accounts = escrows.sound(aws, escrow)
    assert (accounts["SELLER"], accounts["FEES"], accounts["BUYER"]) == (paid[0], 966, paid[2] - escrow.gross)


def test_a_split_stops_where_the_buyers_wallet_came_onto_a_list(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    money.split(escrow, 33_330)
    buyer, seller = chains.sides(escrow)
    wallets.risks[buyer] = "SANCTIONED"
    wallets.asked.clear()

    assert send(aws, escrow) == {"next": "PARK", "error": "ON_HOLD"}

    assert (wallets.asked, chain.sent) == ([seller, buyer], [])
    assert escrows.row(escrow).holds == {"SANCTIONS"}
    (found,) = seen_by_compliance(aws, escrow)
    assert (found["wallet"], found["amount"], found["risk"]) == (buyer, 66_670, "SANCTIONED")


def test_a_split_waits_while_nobody_knows_the_buyers_wallet(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = chains.held(aws, chain)
    money.split(escrow, 33_330)
    wallets.risks[chains.sides(escrow)[0]] = "UNKNOWN"

    assert send(aws, escrow)["next"] == "WAIT"

    assert (chain.sent, escrows.row(escrow).holds) == ([], frozenset())


def seen_by_compliance(aws: Platform, escrow: Escrow) -> list[dict[str, Any]]:
    """The findings that COMPLIANCE is shown."""
    answer = aws.call("get_escrow", escrows.staff(PlatformRole.COMPLIANCE), escrow_id=escrow.id)
    return list(answer.body["compliance"]["findings"])


def test_a_refund_returns_exactly_the_gross(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.held(aws, chain)
    assert escrows.refund(aws, escrow).status == 202
    assert factories.settle(escrow).status == "REFUNDED"
    assert chain.balance(chains.sides(escrow)[0]) == escrow.gross * UNITS
    assert escrows.sound(aws, escrow) == {}


@pytest.mark.parametrize("moment", ["faults", "after"])
def test_a_lost_answer_pays_once(aws: Platform, chain: FakeChain, escrow: Escrow, moment: str) -> None:
    getattr(chain, moment)["send"] = [RailOutcomeUnknown()]
    with pytest.raises(RailOutcomeUnknown):
        send(aws, escrow)
    assert money.leg(escrow).status == "SENT"
    assert factories.settle(escrow).status == "RELEASED"
    assert chain.balance(chains.sides(escrow)[1]) == 97_100 * UNITS


@pytest.mark.parametrize("commit", ["send_leg", "confirm_leg", "finish_settlement"])
@pytest.mark.parametrize("done", [False, True])
def test_killed_around_a_commit_it_pays_once(
    aws: Platform, chain: FakeChain, escrow: Escrow, monkeypatch: pytest.MonkeyPatch, commit: str, done: bool
) -> None:
    with money.killed_around(monkeypatch, commit, done=done):
        factories.settle(escrow)
    aws.clock.advance(hours=1)
    assert factories.settle(escrow, money.settlement(escrow).id).status == "RELEASED"
    assert chain.balance(chains.sides(escrow)[1]) == 97_100 * UNITS
    assert escrows.sound(aws, escrow) == {"BUYER": -escrow.gross, "SELLER": 97_100, "FEES": 2_900}


def test_committed_and_never_called_it_is_sent_again(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rails, "get", lambda _: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send(aws, escrow)
    assert (money.leg(escrow).status, chain.sent) == ("SENT", [])
    assert send(aws, escrow)["next"] == "CONFIRM"
    assert len(chain.sent) == 1


def test_sent_by_many_at_once_it_pays_once(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    def run() -> str:
        try:
            return send(aws, escrow)["next"]
        except Exception as error:  # noqa: BLE001  (a lost race is as good)
            return type(error).__name__

    assert set(together(*[partial(run) for _ in range(8)])) <= {"CONFIRM", "StaleWrite"}
    assert factories.settle(escrow).status == "RELEASED"
    assert chain.balance(chains.sides(escrow)[1]) == 97_100 * UNITS


def test_a_call_that_reverts_parks(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    chain.faults["send"] = [RailDeclined("", code="Blacklistable")]
    factories.settle(escrow)
    row = escrows.row(escrow)
    assert (row.status, row.holds, money.settlement(escrow).status) == ("SETTLING", {"PAYOUT_FAILED"}, "PARKED")


def test_a_new_wallet_of_the_seller_changes_nothing(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    from tests.functions.listings import user_changed

    frozen = chains.sides(escrow)[1]
    user_changed(table.get(User, id=escrow.seller_id), wallet=STRANGER)
    assert factories.settle(escrow).status == "RELEASED"
    assert (chain.balance(frozen), chain.balance(STRANGER)) == (97_100 * UNITS, 0)


# --- the payee's wallet


@pytest.mark.parametrize(("risk", "hold"), [("HIGH", "RISK_REVIEW"), ("SANCTIONED", "SANCTIONS")])
def test_a_payout_wallet_that_turned_bad_is_for_a_person(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str, hold: str
) -> None:
    wallets.risks[chains.sides(escrow)[1]] = risk
    assert send(aws, escrow) == {"next": "PARK", "error": "ON_HOLD"}
    assert (escrows.row(escrow).holds, chain.sent) == ({hold}, [])
    factories.settle(escrow)
    assert money.settlement(escrow).status == "PARKED"
    assert money.leg(escrow).screening["risk"] == risk


@pytest.mark.parametrize("risk", ["LOW", "MEDIUM"])
def test_other_risks_are_paid(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str) -> None:
    wallets.risks[chains.sides(escrow)[1]] = risk
    assert factories.settle(escrow).status == "RELEASED"


def test_nobody_knows_waits_and_is_asked_again(
    aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow
) -> None:
    seller = chains.sides(escrow)[1]
    wallets.risks[seller] = "UNKNOWN"
    assert send(aws, escrow) == {"next": "WAIT", "error": ""}
    leg = money.leg(escrow)
    assert (leg.status, leg.error, leg.attempt, chain.sent) == ("PLANNED", "UNSCREENED", 1, [])
    assert money.settlement(escrow).next_look == leg.next_look
    assert escrows.row(escrow).holds == set()
    wallets.risks.clear()
    aws.clock.advance(minutes=5)
    assert factories.settle(escrow).status == "RELEASED"


def test_a_buyer_of_high_risk_gets_his_own_money_back(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = chains.held(aws, chain)
    escrows.refund(aws, escrow)
    wallets.risks[chains.sides(escrow)[0]] = "HIGH"
    assert factories.settle(escrow).status == "REFUNDED"


# --- late money


@pytest.mark.parametrize(
    ("risk", "parked"), [("LOW", None), ("MEDIUM", "REVIEW"), ("HIGH", "REVIEW"), ("SANCTIONED", "SANCTIONS")]
)
def test_late_money_of_a_doubtful_sender_waits_for_a_person_and_stops_nothing_else(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str, parked: str | None
) -> None:
    escrow = chains.held(aws, chain)
    wallets.risks[STRANGER] = risk
    chain.pay(escrow, 500 * UNITS, STRANGER)
    screened(aws, escrow)
    late = money.settlement(escrow)
    factories.settle(escrow, late.id)
    row = escrows.file(escrow).settlement(late.id)
    assert (row.status, row.error) == (("PARKED", parked) if parked else ("DONE", None))
    assert escrows.row(escrow).holds == set()
    assert chain.balance(chains.sides(escrow)[0]) == (0 if parked else 500 * UNITS)
    escrows.refund(aws, escrow)
    assert factories.settle(escrow).status == "REFUNDED"
