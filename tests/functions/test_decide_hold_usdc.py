"""decide_hold on chain: it covers the deposits and payouts that were found, and nothing found later (D15, D32)."""

import pytest

from bloxtr8 import clock
from bloxtr8.domain import compliance
from bloxtr8.entities import Escrow, PlatformRole
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows, money
from tests.functions.chain import STRANGER, UNITS, FakeChain, Wallets, chain, screened, wallets
from tests.functions.escrows import staff
from tests.functions.holding import body, decided, desk, officer

__all__ = ["chain", "wallets"]
ENOUGH = {"enough": True, "verdict": "CLEAN"}
OTHER = "0x" + "07" * 20
HOLDS = {"MEDIUM": "RISK_REVIEW", "HIGH": "RISK_REVIEW", "SANCTIONED": "SANCTIONS"}


def on_hold(aws: Platform, chain: FakeChain, wallets: Wallets, risk: str, sender: str = STRANGER) -> Escrow:
    """One whose whole price came from a wallet of this risk."""
    escrow = chains.payable()
    wallets.risks[sender] = risk
    chain.pay(escrow, escrow.gross * UNITS, sender)
    screened(aws, escrow)
    aws.invoke("place_hold", {"escrowId": escrow.id})
    return escrows.row(escrow)


def confirmed(aws: Platform, chain: FakeChain) -> Escrow:
    escrow = chains.delivered(aws, chain)
    assert escrows.confirm(aws, escrow).status == 202
    return escrow


def late(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow, risk: str, sender: str = STRANGER) -> str:
    """Money that comes after it was held, and its return as far as it goes. Returns the settlement's id."""
    wallets.risks[sender] = risk
    chain.pay(escrow, 500 * UNITS, sender)
    screened(aws, escrow)
    settlement = money.settlement(escrow)
    factories.settle(escrow, settlement.id)
    return settlement.id


def state(escrow: Escrow, settlement_id: str) -> tuple[str, str | None]:
    row = escrows.file(escrow).settlement(settlement_id)
    return str(row.status), row.error


def run(aws: Platform, escrow: Escrow, settlement_id: str) -> tuple[str, str | None]:
    """One more run of it, a moment later: settlements are told apart by when they were planned."""
    factories.settle(escrow, settlement_id)
    return state(escrow, settlement_id)


# --- deposits


@pytest.mark.parametrize("risk", ["MEDIUM", "HIGH", "SANCTIONED"])
def test_a_cleared_deposit_is_held_and_not_stopped_again(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str
) -> None:
    escrow = on_hold(aws, chain, wallets, risk)
    (finding,) = desk(aws, escrow)["findings"]
    assert (finding["hold"], finding["wallet"], finding["risk"], finding["source"]) == (
        HOLDS[risk], STRANGER, risk, "test",
    )  # fmt: skip
    decided(aws, escrow, HOLDS[risk], "CLEAR")
    (decision,) = escrows.file(escrow).decisions
    (about,) = decision.covers.values()
    assert (about["wallet"], about["risk"], about["source"], about["version"]) == (STRANGER, risk, "test", "1")
    assert screened(aws, escrow) == ENOUGH
    money.nothing_happens(aws, "place_hold", {"escrowId": escrow.id})
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_what_comes_from_the_same_wallet_later_is_a_finding_of_its_own(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = on_hold(aws, chain, wallets, "MEDIUM")
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    chain.pay(escrow, 200 * UNITS, STRANGER)
    assert screened(aws, escrow)["verdict"] == "HOLD"
    aws.invoke("place_hold", {"escrowId": escrow.id})
    assert len(escrows.row(escrow).hold_causes) == 1


@pytest.mark.parametrize(("later", "verdict"), [("LOW", "CLEAN"), ("MEDIUM", "CLEAN"), ("UNKNOWN", "CLEAN"),
                                                ("HIGH", "HOLD"), ("SANCTIONED", "HOLD")])  # fmt: skip
def test_a_cleared_deposit_is_stopped_again_only_by_something_graver(
    aws: Platform, chain: FakeChain, wallets: Wallets, later: str, verdict: str
) -> None:
    escrow = on_hold(aws, chain, wallets, "MEDIUM")
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    wallets.risks[STRANGER] = later
    assert screened(aws, escrow) == ENOUGH  # within a day nobody asks again
    aws.clock.advance(hours=24)
    assert screened(aws, escrow)["verdict"] == verdict


def test_a_review_does_not_let_a_wallet_go_on_that_was_listed_meanwhile(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = on_hold(aws, chain, wallets, "MEDIUM")
    aws.clock.advance(hours=24)
    wallets.risks[STRANGER] = "SANCTIONED"
    assert screened(aws, escrow)["verdict"] == "HOLD"  # it is known, and not a cause of SANCTIONS yet
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert screened(aws, escrow)["verdict"] == "HOLD"
    aws.invoke("place_hold", {"escrowId": escrow.id})
    assert escrows.row(escrow).holds == {"SANCTIONS"}


def test_a_refund_cancels_and_the_money_goes_to_the_buyers_wallet_alone(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = on_hold(aws, chain, wallets, "SANCTIONED")
    decided(aws, escrow, "SANCTIONS", "REFUND")
    assert (escrows.row(escrow).status, escrows.row(escrow).holds) == ("CANCELLED", set())
    factories.settle(escrow, money.settlement(escrow).id)
    assert chain.balance(chains.sides(escrow)[0]) == escrow.gross * UNITS
    assert escrows.sound(aws, escrow) == {}


# --- a screening does not grow old


def test_money_that_waited_for_a_day_is_screened_again_before_it_is_held(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    chain.pay(escrow, escrow.gross * UNITS, STRANGER)
    assert screened(aws, escrow) == ENOUGH
    aws.clock.advance(hours=24)
    wallets.risks[STRANGER] = "SANCTIONED"
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    assert screened(aws, escrow)["verdict"] == "HOLD"


def test_a_part_that_waited_is_screened_again_before_it_goes_back(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    chain.pay(escrow, 500 * UNITS, STRANGER)
    screened(aws, escrow)
    aws.clock.advance(days=5)
    wallets.risks[STRANGER] = "MEDIUM"
    assert aws.invoke("cancel_unfunded", {"escrowId": escrow.id}) == {"outcome": "MONEY"}
    assert screened(aws, escrow)["verdict"] == "HOLD"
    wallets.risks.clear()


def test_while_nobody_tells_what_was_known_is_kept_and_nothing_goes_on(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    chain.pay(escrow, escrow.gross * UNITS)
    screened(aws, escrow)
    aws.clock.advance(hours=24)
    wallets.risks[chains.sides(escrow)[0]] = "UNKNOWN"
    assert screened(aws, escrow) == {"enough": True, "verdict": "WAIT"}
    (deposit,) = escrows.file(escrow).deposits
    assert deposit.screening["risk"] == "LOW"
    wallets.risks.clear()
    assert screened(aws, escrow) == ENOUGH


def unknown(aws: Platform, chain: FakeChain, wallets: Wallets) -> Escrow:
    """The buyer has paid from a wallet about which no source answers, and no source did for six hours."""
    escrow = chains.payable()
    wallets.risks[chains.sides(escrow)[0]] = "UNKNOWN"
    chain.pay(escrow, escrow.gross * UNITS)
    for hours in (3, 2, 1):
        assert screened(aws, escrow)["verdict"] == "WAIT"
        aws.clock.advance(hours=hours)
    return escrow


def test_a_wallet_that_no_source_grades_is_a_persons_to_judge_after_hours(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = unknown(aws, chain, wallets)
    assert screened(aws, escrow)["verdict"] == "HOLD"
    aws.invoke("place_hold", {"escrowId": escrow.id})
    (finding,) = desk(aws, escrow)["findings"]
    assert (finding["hold"], finding["risk"], finding["silentSince"] < clock.iso(clock.now())) == (
        "RISK_REVIEW", "UNKNOWN", True,
    )  # fmt: skip
    for _ in range(2):  # never by itself
        assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
        aws.clock.advance(days=2)
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert screened(aws, escrow) == ENOUGH
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


@pytest.mark.parametrize(("later", "verdict"), [("LOW", "CLEAN"), ("MEDIUM", "HOLD"), ("SANCTIONED", "HOLD")])
def test_who_was_cleared_as_unknown_is_stopped_by_what_is_learned_later(
    aws: Platform, chain: FakeChain, wallets: Wallets, later: str, verdict: str
) -> None:
    escrow = unknown(aws, chain, wallets)
    aws.invoke("place_hold", {"escrowId": escrow.id})
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    wallets.risks[chains.sides(escrow)[0]] = later
    assert screened(aws, escrow)["verdict"] == verdict


def test_an_answer_in_between_ends_the_silence(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = unknown(aws, chain, wallets)
    wallets.risks.clear()
    assert screened(aws, escrow) == ENOUGH
    aws.clock.advance(hours=24)
    wallets.risks[chains.sides(escrow)[0]] = "UNKNOWN"
    assert screened(aws, escrow)["verdict"] == "WAIT"
    aws.clock.advance(hours=6)
    assert screened(aws, escrow)["verdict"] == "HOLD"


def test_what_nobody_could_grade_goes_back_where_people_say_so(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = unknown(aws, chain, wallets)
    aws.invoke("place_hold", {"escrowId": escrow.id})
    decided(aws, escrow, "RISK_REVIEW", "REFUND")
    settlement = money.settlement(escrow)
    assert run(aws, escrow, settlement.id) == ("OPEN", None)  # the same wallet, now as the one that is paid
    aws.clock.advance(hours=6)
    assert run(aws, escrow, settlement.id) == ("PARKED", "REVIEW")
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert run(aws, escrow, settlement.id) == ("DONE", None)
    assert chain.balance(chains.sides(escrow)[0]) == escrow.gross * UNITS


# --- payouts


def test_a_payout_to_a_wallet_that_no_source_grades_is_a_persons_to_judge(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = confirmed(aws, chain)
    wallets.risks[chains.sides(escrow)[1]] = "UNKNOWN"
    assert factories.settle(escrow).holds == set()
    aws.clock.advance(hours=6)
    assert (factories.settle(escrow).holds, chain.sent) == ({"RISK_REVIEW"}, [])
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert factories.settle(escrow).status == "RELEASED"


@pytest.mark.parametrize("risk", ["HIGH", "SANCTIONED"])
def test_a_cleared_payout_is_paid(aws: Platform, chain: FakeChain, wallets: Wallets, risk: str) -> None:
    escrow = confirmed(aws, chain)
    wallets.risks[chains.sides(escrow)[1]] = risk
    factories.settle(escrow)
    (finding,) = desk(aws, escrow)["findings"]
    assert (finding["hold"], finding["wallet"], finding["risk"]) == (HOLDS[risk], chains.sides(escrow)[1], risk)
    refused(
        aws, 409, "COMPLIANCE_DECIDES", "resume_settlement", staff(PlatformRole.PADMIN), {"reason": "x"},
        headers={"Idempotency-Key": "k"}, escrow_id=escrow.id,
    )  # fmt: skip
    decided(aws, escrow, HOLDS[risk], "CLEAR")
    assert factories.settle(escrow).status == "RELEASED"


def test_a_payout_cleared_as_risky_is_stopped_where_it_turns_out_sanctioned(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = confirmed(aws, chain)
    seller = chains.sides(escrow)[1]
    wallets.risks[seller] = "HIGH"
    factories.settle(escrow)
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    wallets.risks[seller] = "SANCTIONED"
    assert factories.settle(escrow).status == "SETTLING"
    assert (escrows.row(escrow).holds, chain.sent) == ({"SANCTIONS"}, [])
    assert refused(
        aws, 409, "NO_HOLD", "decide_hold", officer(), body("RISK_REVIEW", "CLEAR"),
        headers={"Idempotency-Key": "k"}, escrow_id=escrow.id,
    ).body["holds"] == ["SANCTIONS"]  # fmt: skip


@pytest.mark.parametrize("risk", ["HIGH", "SANCTIONED"])
def test_what_a_payee_may_not_have_goes_back_to_the_buyer(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str
) -> None:
    escrow = confirmed(aws, chain)
    buyer, seller, *_ = chains.sides(escrow)
    wallets.risks[seller] = risk
    factories.settle(escrow)
    assert (escrows.row(escrow).status, chain.sent) == ("SETTLING", [])
    decided(aws, escrow, HOLDS[risk], "REFUND")
    assert escrows.row(escrow).holds == set()
    assert factories.settle(escrow).status == "REFUNDED"
    assert [str(row.status) for row in escrows.file(escrow).settlements] == ["DROPPED", "DONE"]
    assert (chain.balance(buyer), chain.balance(seller)) == (escrow.gross * UNITS, 0)
    assert escrows.sound(aws, escrow) == {}


def test_what_goes_back_to_the_buyer_already_is_not_sent_back_once_more(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    assert escrows.refund(aws, escrow).status == 202
    wallets.risks[chains.sides(escrow)[0]] = "SANCTIONED"
    factories.settle(escrow)
    assert escrows.row(escrow).holds == {"SANCTIONS"}
    refused(
        aws, 409, "INVALID_STATE", "decide_hold", officer(), body("SANCTIONS", "REFUND"),
        headers={"Idempotency-Key": "k"}, escrow_id=escrow.id,
    )  # fmt: skip


# --- returns


@pytest.mark.parametrize("risk", ["MEDIUM", "HIGH", "SANCTIONED"])
@pytest.mark.parametrize("ended", [False, True])
def test_a_return_that_was_parked_for_its_sender_is_compliances_alone(
    aws: Platform, chain: FakeChain, wallets: Wallets, risk: str, ended: bool
) -> None:
    escrow = chains.held(aws, chain)
    if ended:
        escrows.refund(aws, escrow)
        assert factories.settle(escrow).status == "REFUNDED"
        aws.clock.advance(hours=1)
    settlement_id = late(aws, chain, wallets, escrow, risk)
    before = chain.balance(chains.sides(escrow)[0])
    boss = staff(PlatformRole.PADMIN)
    refused(
        aws, 409, "COMPLIANCE_DECIDES", "resume_settlement", boss, {"reason": "x"},
        headers={"Idempotency-Key": "k"}, escrow_id=escrow.id,
    )  # fmt: skip
    assert "resume_settlement" not in escrows.seen(aws, escrow, boss)["allowedActions"]
    view = escrows.seen(aws, escrow, officer())
    assert "decide_hold" in view["allowedActions"]
    assert {"hold": HOLDS[risk], "decision": "CLEAR"} in view["compliance"]["options"]
    assert [one["wallet"] for one in view["compliance"]["findings"]] == [STRANGER]
    status = escrows.row(escrow).status

    answer = decided(aws, escrow, HOLDS[risk], "CLEAR")

    assert (answer["status"], answer["holds"], state(escrow, settlement_id)) == (str(status), [], ("OPEN", None))
    assert run(aws, escrow, settlement_id) == ("DONE", None)
    assert chain.balance(chains.sides(escrow)[0]) == before + 500 * UNITS
    refused(
        aws, 409, "NO_HOLD", "decide_hold", officer(), body(HOLDS[risk], "CLEAR"),
        headers={"Idempotency-Key": "k"}, escrow_id=escrow.id,
    )  # fmt: skip


def test_a_decision_about_one_sender_does_not_cover_another_of_the_same_kind(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    first = late(aws, chain, wallets, escrow, "MEDIUM")
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert run(aws, escrow, first) == ("DONE", None)
    aws.clock.advance(minutes=1)
    second = late(aws, chain, wallets, escrow, "MEDIUM", OTHER)
    assert state(escrow, second) == ("PARKED", "REVIEW")
    assert [one["wallet"] for one in desk(aws, escrow)["findings"]] == [OTHER]


def test_a_parked_return_keeps_no_later_one_waiting(aws: Platform, chain: FakeChain, wallets: Wallets) -> None:
    escrow = chains.held(aws, chain)
    aws.clock.advance(minutes=1)
    assert state(escrow, late(aws, chain, wallets, escrow, "SANCTIONED")) == ("PARKED", "SANCTIONS")
    aws.clock.advance(minutes=1)
    assert state(escrow, late(aws, chain, wallets, escrow, "LOW", OTHER)) == ("DONE", None)


def test_each_kind_of_finding_about_a_return_is_decided_on_its_own(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    chain.pay(escrow, escrow.gross * UNITS, STRANGER)
    chain.pay(escrow, 700 * UNITS, OTHER)
    screened(aws, escrow)
    aws.invoke("hold_funds", {"escrowId": escrow.id})
    aws.clock.advance(hours=25)
    wallets.risks |= {STRANGER: "SANCTIONED", OTHER: "MEDIUM"}
    settlement_id = money.settlement(escrow).id
    assert run(aws, escrow, settlement_id) == ("PARKED", "SANCTIONS")
    assert [one["hold"] for one in desk(aws, escrow)["findings"]] == ["SANCTIONS", "RISK_REVIEW"]
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert state(escrow, settlement_id) == ("PARKED", "SANCTIONS")
    decided(aws, escrow, "SANCTIONS", "CLEAR")
    assert run(aws, escrow, settlement_id) == ("DONE", None)


def test_a_return_cleared_while_a_hold_stands_waits_for_its_end(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    settlement_id = late(aws, chain, wallets, escrow, "MEDIUM")
    decided(aws, escrow, "COMPLIANCE", "FREEZE")
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert state(escrow, settlement_id) == ("PARKED", "ON_HOLD")
    decided(aws, escrow, "COMPLIANCE", "UNFREEZE")
    assert run(aws, escrow, settlement_id) == ("DONE", None)


def test_with_too_much_its_sender_counts_though_he_paid_in_time(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    chain.pay(escrow, (escrow.gross + 700) * UNITS, STRANGER)
    assert screened(aws, escrow) == ENOUGH
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    aws.clock.advance(hours=25)
    wallets.risks[STRANGER] = "MEDIUM"
    assert run(aws, escrow, money.settlement(escrow).id) == ("PARKED", "REVIEW")
    assert escrows.row(escrow).holds == set()


def test_who_paid_in_time_does_not_stop_the_return_of_later_money(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    chain.pay(escrow, escrow.gross * UNITS, STRANGER)
    screened(aws, escrow)
    aws.invoke("hold_funds", {"escrowId": escrow.id})
    aws.clock.advance(hours=25)
    wallets.risks[STRANGER] = "SANCTIONED"
    assert state(escrow, late(aws, chain, wallets, escrow, "LOW", OTHER)) == ("DONE", None)


def test_parking_that_comes_again_after_the_decision_parks_nothing(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.held(aws, chain)
    settlement_id = late(aws, chain, wallets, escrow, "MEDIUM")
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    again = {"escrowId": escrow.id, "settlementId": settlement_id, "error": "REVIEW"}
    money.nothing_happens(aws, "park_settlement", again)
    assert run(aws, escrow, settlement_id) == ("DONE", None)


def test_many_senders_are_screened_again_before_their_money_goes_back(
    aws: Platform, chain: FakeChain, wallets: Wallets
) -> None:
    escrow = chains.payable()
    people = ["0x" + f"{n:040x}" for n in range(9_000, 9_045)]
    for sender in people:
        chain.pay(escrow, 100 * UNITS, sender)
    chain.pay(escrow, escrow.gross * UNITS)
    assert screened(aws, escrow) == ENOUGH
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}
    aws.clock.advance(hours=25)
    wallets.risks[people[-1]] = "MEDIUM"
    assert run(aws, escrow, money.settlement(escrow).id) == ("PARKED", "REVIEW")
    assert [one["wallet"] for one in desk(aws, escrow)["findings"]] == [people[-1]]


def test_what_is_too_much_for_one_decision_is_left_for_the_next(
    aws: Platform, chain: FakeChain, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compliance, "MOST", 2)
    escrow = chains.payable()
    wallets.risks[STRANGER] = "MEDIUM"
    for _ in range(45):  # a stranger may send as often as he likes: each commit has a limit
        chain.pay(escrow, 100 * UNITS, STRANGER)
    screened(aws, escrow)
    aws.invoke("place_hold", {"escrowId": escrow.id})
    assert len(escrows.row(escrow).hold_causes) == 45
    assert decided(aws, escrow, "RISK_REVIEW", "CLEAR")["holds"] == ["RISK_REVIEW"]
    assert len(escrows.row(escrow).hold_causes) == 43
    monkeypatch.setattr(compliance, "MOST", 300)
    assert decided(aws, escrow, "RISK_REVIEW", "CLEAR")["holds"] == []
