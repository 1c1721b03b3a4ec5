"""decide_hold by card: who decides, how many of them, and what each decision does (states.md, section 4)."""

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from bloxtr8 import table
from bloxtr8.entities import Decision, Escrow, EscrowStatus, Hold, PlatformRole, SettlementStatus, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions import escrows, holding, money
from tests.functions.escrows import file, row, seen, sound, staff
from tests.functions.holding import body, decide, decided, desk, held, officer
from tests.functions.listings import user_changed
from tests.functions.test_get_escrow import STAGES
from tests.functions.test_process_webhook_event_doubts import charge_of, happen
from tests.functions.test_refund_escrow import disputed
from tests.functions.webhooks import Machines
from tests.wire import Wire

WARNING = "warning:issfr_1"
KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def escrow(aws: Platform, stripe: StripeDouble, machines: Machines) -> Escrow:
    """A delivered one whose payment is in doubt."""
    return held(factories.delivered(stripe), WARNING)


@pytest.fixture
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trades of this test are above the limit."""
    escrows.settings(monkeypatch, two_people_cents=99_999)


# --- CLEAR


def test_a_cleared_warning_lets_the_payout_go_on_and_holds_nothing_again(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    stripe.warn(charge_of(escrow))
    happen(aws, stripe, "radar.early_fraud_warning.created")
    factories.settle(escrow)
    assert money.settlement(escrow).status is SettlementStatus.PARKED
    person = officer()

    answer = decided(aws, escrow, "RISK_REVIEW", "CLEAR", person)

    assert (answer["votes"], answer["neededVotes"], answer["holds"]) == (1, 1, [])
    plan = money.settlement(escrow)
    assert (plan.status, plan.run, row(escrow).hold_causes, row(escrow).frozen_causes) == ("OPEN", 2, set(), set())
    assert machines.started[-1] == f"{plan.id}-2"
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("decide_hold", person.id, "COMPLIANCE")
    assert (entry.details["decision"], entry.details["reason"]) == ("CLEAR", holding.REASON)
    happen(aws, stripe, "radar.early_fraud_warning.created")  # the provider tells of it again
    assert row(escrow).holds == set()
    assert factories.settle(escrow).status is EscrowStatus.RELEASED
    assert sound(aws, escrow) == {"BUYER": -100_000, "SELLER": 97_100, "FEES": 2_900}


def test_each_hold_ends_by_its_own_decision_alone(aws: Platform, escrow: Escrow) -> None:
    held(escrow, "review:prv_1", "sanctions:deposit:x")
    decided(aws, escrow, "COMPLIANCE", "FREEZE")
    assert row(escrow).holds == {"RISK_REVIEW", "SANCTIONS", "COMPLIANCE"}
    decided(aws, escrow, "RISK_REVIEW", "CLEAR")
    assert (row(escrow).holds, row(escrow).hold_causes) == ({"SANCTIONS", "COMPLIANCE"}, {"sanctions:deposit:x"})
    decided(aws, escrow, "COMPLIANCE", "UNFREEZE")
    assert (row(escrow).holds, row(escrow).frozen_causes) == ({"SANCTIONS"}, {"SANCTIONS"})
    decided(aws, escrow, "SANCTIONS", "CLEAR")
    assert (row(escrow).holds, row(escrow).frozen_causes) == (set(), set())


def test_money_that_waited_for_a_decision_is_held(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    held(escrow, WARNING)
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": False}
    name = f"{escrow.id}-{row(escrow).funding_run}"
    machines.ended.add(name)
    machines.started.append(name)

    decided(aws, escrow, "RISK_REVIEW", "CLEAR")

    assert machines.started[-1] == f"{escrow.id}-{row(escrow).funding_run}" != name
    assert aws.invoke("hold_funds", {"escrowId": escrow.id}) == {"held": True}


def test_a_start_that_is_lost_leaves_the_decision_and_the_next_look(
    aws: Platform, stripe: StripeDouble, escrow: Escrow, wire: Wire
) -> None:
    money.changed_rows(escrow)
    wire.instead("DescribeExecution", _lost)
    assert decide(aws, escrow, officer(), "RISK_REVIEW", "REFUND", key="k").status == 202
    assert (row(escrow).status, money.settlement(escrow).status) == ("SETTLING", "OPEN")
    assert money.settlement(escrow).next_look is not None


def _lost(_: Any) -> Any:
    raise ConnectionClosedError(endpoint_url="https://states.test")


# --- FREEZE


def test_what_is_frozen_pays_nobody_and_its_clock_goes_on_afterwards(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    decided(aws, escrow, "COMPLIANCE", "FREEZE")
    assert (row(escrow).holds, row(escrow).frozen_causes) == ({Hold.COMPLIANCE}, {Hold.COMPLIANCE})
    assert escrows.confirm(aws, escrow).code == "ESCROW_ON_HOLD"
    assert seen(aws, escrow, escrow.buyer_id)["clocksFrozen"]
    refused(
        aws, 409, "ALREADY_FROZEN", "decide_hold", officer(), body("COMPLIANCE", "FREEZE"), headers=KEY,
        escrow_id=escrow.id,
    )  # fmt: skip
    aws.clock.advance(days=3)
    decided(aws, escrow, "COMPLIANCE", "UNFREEZE")
    after = row(escrow)
    assert (after.holds, (after.inspect_by - escrow.inspect_by).days) == (set(), 3)
    assert escrows.confirm(aws, escrow).status == 202


def test_a_payout_under_way_is_parked_while_frozen(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    decided(aws, escrow, "COMPLIANCE", "FREEZE")
    assert machines.started[-1] == f"{money.settlement(escrow).id}-1"
    factories.settle(escrow)
    assert (money.settlement(escrow).status, money.settlement(escrow).error) == ("PARKED", "ON_HOLD")
    boss = staff(PlatformRole.PADMIN)
    refused(
        aws, 409, "COMPLIANCE_DECIDES", "resume_settlement", boss, {"reason": "x"}, headers=KEY, escrow_id=escrow.id
    )
    decided(aws, escrow, "COMPLIANCE", "UNFREEZE")
    assert factories.settle(escrow).status is EscrowStatus.RELEASED


def test_a_hold_that_ends_while_its_settlement_is_being_parked_leaves_nothing_stuck(
    aws: Platform, stripe: StripeDouble
) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    decided(aws, escrow, "COMPLIANCE", "FREEZE")
    step = aws.invoke("send_leg", money.event(escrow))
    assert step == {"next": "PARK", "error": "ON_HOLD"}
    decided(aws, escrow, "COMPLIANCE", "UNFREEZE")
    money.nothing_happens(aws, "park_settlement", money.event(escrow) | {"error": step["error"]})
    assert (money.settlement(escrow).status, money.settlement(escrow).next_look is not None) == ("OPEN", True)
    assert factories.settle(escrow).status is EscrowStatus.RELEASED


# --- REFUND


@pytest.mark.parametrize("start", [factories.funded, factories.delivered])
def test_a_refund_gives_exactly_the_gross_back(
    aws: Platform, stripe: StripeDouble, machines: Machines, start: Any
) -> None:
    escrow = held(start(stripe), WARNING)

    answer = decided(aws, escrow, "RISK_REVIEW", "REFUND")

    plan = money.settlement(escrow)
    assert (answer["status"], answer["settlementId"], answer["holds"]) == ("SETTLING", plan.id, [])
    assert (plan.kind, plan.to_buyer, plan.reason) == ("REFUND", escrow.gross, "REFUNDED_BY_COMPLIANCE")
    assert machines.started[-1] == f"{plan.id}-1"
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.REFUNDED
    assert sound(aws, escrow) == {}


def test_a_refund_closes_a_live_dispute(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    disputed(escrow)
    assert row(escrow).status == "DISPUTED"
    decided(aws, escrow, "RISK_REVIEW", "REFUND")
    (dispute,) = file(escrow).disputes
    assert (dispute.status, dispute.outcome) == ("CLOSED", "REFUNDED_BY_COMPLIANCE")


def test_a_refund_waits_for_the_other_holds(aws: Platform, stripe: StripeDouble, escrow: Escrow) -> None:
    held(escrow, "sanctions:deposit:x")
    decided(aws, escrow, "RISK_REVIEW", "REFUND")
    assert row(escrow).holds == {"SANCTIONS"}
    factories.settle(escrow)
    assert money.settlement(escrow).error == "ON_HOLD"
    decided(aws, escrow, "SANCTIONS", "CLEAR")
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.REFUNDED


@pytest.mark.usefixtures("_two")
def test_what_is_to_be_paid_out_gives_way_to_a_refund_of_two_people_until_it_may_have_moved(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.delivered(stripe)
    assert escrows.confirm(aws, escrow).status == 202
    held(escrow, WARNING)
    early = body("RISK_REVIEW", "REFUND")  # it is not parked yet, so its leg may be on its way
    refused(aws, 409, "INVALID_STATE", "decide_hold", officer(), early, headers=KEY, escrow_id=escrow.id)
    factories.settle(escrow)
    assert decide(aws, escrow, officer(), "RISK_REVIEW", "REFUND").body["decided"] is False
    assert row(escrow).settlement_id == money.settlement(escrow).id
    decided(aws, escrow, "RISK_REVIEW", "REFUND")
    assert [str(one.status) for one in file(escrow).settlements] == ["DROPPED", "OPEN"]
    assert escrows.paid_out(stripe, escrow).status is EscrowStatus.REFUNDED
    assert sound(aws, escrow) == {}


def test_before_it_was_held_a_refund_cancels_and_returns_what_came(
    aws: Platform, stripe: StripeDouble, machines: Machines
) -> None:
    escrow = factories.payable(stripe)
    factories.pay(escrow)
    aws.invoke("screen_deposit", {"escrowId": escrow.id})
    held(escrow, WARNING)

    answer = decided(aws, escrow, "RISK_REVIEW", "REFUND")

    assert (answer["status"], answer["holds"], answer["settlementId"]) == ("CANCELLED", [], None)
    assert row(escrow).reason == "REFUNDED_BY_COMPLIANCE"
    assert escrows.around(escrow) == {"listing": "ACTIVE", "offer": "CANCELLED", "open": [0, 0], "volume": [0, 0]}
    plan = money.settlement(escrow)
    assert (plan.kind, plan.to_buyer) == ("RETURN", escrow.gross)
    assert f"{plan.id}-1" in machines.started
    escrows.paid_out(stripe, escrow, plan.id)
    assert sound(aws, escrow) == {}
    assert aws.invoke("close_funding", {"escrowId": escrow.id}) == {"closed": True}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"holds": frozenset({"RISK_REVIEW", "CHARGEBACK"})}, "ESCROW_ON_HOLD"),
        ({"settlement_id": "stl_1"}, "SETTLEMENT_IN_PROGRESS"),
        ({"status": EscrowStatus.SETTLING}, "INVALID_STATE"),
        ({"status": EscrowStatus.RELEASED}, "INVALID_STATE"),
        ({"holds": frozenset()}, "NO_HOLD"),
    ],
)
def test_a_refund_that_may_not_be_is_refused(aws: Platform, escrow: Escrow, changes: Any, code: str) -> None:
    escrows.changed(escrow, **changes)
    refused(aws, 409, code, "decide_hold", officer(), body("RISK_REVIEW", "REFUND"), headers=KEY, escrow_id=escrow.id)


# --- two people


@pytest.mark.usefixtures("_two")
def test_above_the_limit_the_second_person_decides(aws: Platform, escrow: Escrow) -> None:
    first, second = officer(), officer()

    answer = decide(aws, escrow, first, "RISK_REVIEW", "CLEAR", key="k")

    assert (answer.status, answer.body["votes"], answer.body["neededVotes"]) == (202, 1, 2)
    assert (answer.body["decided"], answer.body["holds"]) == (False, ["RISK_REVIEW"])
    assert (aws.audit(escrow.id)[-1].action, aws.audit(escrow.id)[-1].actor) == ("vote_on_hold", first.id)
    again = decide(aws, escrow, first, "RISK_REVIEW", "CLEAR", key="k")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (answer.body, "true")
    for decision in ("CLEAR", "REFUND"):
        refused(
            aws, 409, "ALREADY_VOTED", "decide_hold", first, body("RISK_REVIEW", decision),
            headers={"Idempotency-Key": decision}, escrow_id=escrow.id,
        )  # fmt: skip

    final = decide(aws, escrow, second, "RISK_REVIEW", "CLEAR")

    assert (final.body["votes"], final.body["decided"], final.body["holds"]) == (2, True, [])
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.details["people"]) == ("decide_hold", [first.id, second.id])


@pytest.mark.usefixtures("_two")
def test_another_decision_is_a_vote_of_its_own_and_the_first_that_is_whole_ends_both(
    aws: Platform, escrow: Escrow
) -> None:
    first, second, third = officer(), officer(), officer()
    decide(aws, escrow, first, "RISK_REVIEW", "CLEAR")
    assert decide(aws, escrow, second, "RISK_REVIEW", "REFUND").body["votes"] == 1
    assert row(escrow).status == "DELIVERED"
    assert decide(aws, escrow, third, "RISK_REVIEW", "REFUND").body["status"] == "SETTLING"
    assert sorted((str(one.decision), str(one.status)) for one in file(escrow).decisions) == [
        ("CLEAR", "DROPPED"), ("REFUND", "DECIDED"),
    ]  # fmt: skip


@pytest.mark.usefixtures("_two")
def test_a_vote_counts_for_a_day(aws: Platform, escrow: Escrow) -> None:
    first, second = officer(), officer()
    decide(aws, escrow, first, "RISK_REVIEW", "CLEAR")
    aws.clock.advance(hours=24)
    assert decide(aws, escrow, second, "RISK_REVIEW", "CLEAR").body["votes"] == 1
    assert decide(aws, escrow, first, "RISK_REVIEW", "CLEAR").body["decided"]


@pytest.mark.usefixtures("_two")
def test_a_vote_is_about_what_its_person_saw(aws: Platform, escrow: Escrow) -> None:
    first, second = officer(), officer()
    decide(aws, escrow, first, "RISK_REVIEW", "CLEAR")
    held(escrow, "review:prv_9")
    answer = decide(aws, escrow, second, "RISK_REVIEW", "CLEAR").body
    assert (answer["votes"], answer["decided"], answer["holds"]) == (1, False, ["RISK_REVIEW"])
    assert row(escrow).hold_causes == {"review:prv_9"}  # what both have seen is decided, what came since is not
    refused(
        aws, 409, "ALREADY_VOTED", "decide_hold", second, body("RISK_REVIEW", "CLEAR"),
        headers={"Idempotency-Key": "again"}, escrow_id=escrow.id,
    )  # fmt: skip
    assert decide(aws, escrow, first, "RISK_REVIEW", "CLEAR").body["decided"]
    assert row(escrow).holds == set()


@pytest.mark.usefixtures("_two")
def test_a_refund_that_two_agree_on_is_one_whatever_was_found_meanwhile(aws: Platform, escrow: Escrow) -> None:
    first, second, third = officer(), officer(), officer()
    decide(aws, escrow, first, "RISK_REVIEW", "REFUND")
    held(escrow, "review:prv_9")
    decide(aws, escrow, first, "RISK_REVIEW", "REFUND")
    held(escrow, "review:prv_10")
    assert decide(aws, escrow, second, "RISK_REVIEW", "REFUND").body["status"] == "SETTLING"
    assert len(file(escrow).settlements) == 1
    assert row(escrow).hold_causes == {"review:prv_10"}
    assert decide(aws, escrow, second, "RISK_REVIEW", "CLEAR").body["votes"] == 1
    assert decide(aws, escrow, third, "RISK_REVIEW", "CLEAR").body["holds"] == []


@pytest.mark.usefixtures("_two")
def test_the_vote_of_who_left_counts_no_more(aws: Platform, escrow: Escrow) -> None:
    first, second, third = officer(), officer(), officer()
    decide(aws, escrow, first, "RISK_REVIEW", "CLEAR")
    user_changed(first, platform_roles=frozenset())
    assert decide(aws, escrow, second, "RISK_REVIEW", "CLEAR").body["votes"] == 1
    assert decide(aws, escrow, third, "RISK_REVIEW", "CLEAR").body["decided"]


@pytest.mark.usefixtures("_two")
def test_a_vote_to_freeze_that_came_to_nothing_freezes_nothing_later(aws: Platform, escrow: Escrow) -> None:
    people = [officer() for _ in range(3)]
    decide(aws, escrow, people[0], "COMPLIANCE", "FREEZE")
    assert decide(aws, escrow, people[1], "COMPLIANCE", "FREEZE").body["decided"]
    decide(aws, escrow, people[0], "COMPLIANCE", "UNFREEZE")
    assert decide(aws, escrow, people[1], "COMPLIANCE", "UNFREEZE").body["decided"]
    assert decide(aws, escrow, people[2], "COMPLIANCE", "FREEZE").body["votes"] == 1


@pytest.mark.usefixtures("_two")
def test_two_who_vote_at_once_decide_once(aws: Platform, escrow: Escrow) -> None:
    people = officer(), officer()
    answers = together(*[partial(decide, aws, escrow, one, "RISK_REVIEW", "REFUND", key="k") for one in people])
    assert sorted(answer.body["votes"] for answer in answers) == [1, 2]
    assert len(file(escrow).settlements) == 1


def test_of_two_decisions_at_once_one_is_carried_out(aws: Platform, escrow: Escrow) -> None:
    calls = [partial(decide, aws, escrow, officer(), "RISK_REVIEW", one, key="k") for one in ("REFUND", "CLEAR")]
    assert sorted(answer.status for answer in together(*calls)) == [202, 409]


# --- who


def test_is_for_compliance_that_is_no_party_and_names_a_key(aws: Platform, escrow: Escrow) -> None:
    wish, path = body("RISK_REVIEW", "CLEAR"), {"escrow_id": escrow.id}
    others = staff(PlatformRole.SUPPORT, PlatformRole.ARBITER, PlatformRole.PADMIN)
    for user in (escrow.buyer_id, escrow.seller_id, others, factories.user()):
        for escrow_id in (escrow.id, escrows.MISSING):
            answer = aws.call("decide_hold", user, wish, headers=KEY, escrow_id=escrow_id)
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
    person = officer()
    for escrow_id in ("esc_1", "esc_\x00", escrows.MISSING):
        assert aws.call("decide_hold", person, wish, headers=KEY, escrow_id=escrow_id).status == 404
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "decide_hold", person, wish, **path)
    refused(aws, 412, "VERSION_MISMATCH", "decide_hold", person, wish, headers=KEY | {"If-Match": '"1"'}, **path)
    for party in (escrow.buyer_id, escrow.seller_id):
        user_changed(table.get(User, id=party), platform_roles=frozenset({PlatformRole.COMPLIANCE}))
        refused(aws, 403, "CONFLICT_OF_INTEREST", "decide_hold", party, wish, headers=KEY, **path)
        assert seen(aws, escrow, party)["compliance"] is None
        assert "decide_hold" not in seen(aws, escrow, party)["allowedActions"]


@pytest.mark.parametrize("hold", ["RISK_REVIEW", "SANCTIONS", "COMPLIANCE"])
@pytest.mark.parametrize("decision", ["CLEAR", "REFUND", "FREEZE", "UNFREEZE"])
def test_without_a_hold_only_a_freeze_is_decided(aws: Platform, stripe: StripeDouble, hold: str, decision: str) -> None:
    escrow, person = factories.funded(stripe), officer()
    fits = hold == "COMPLIANCE" if decision in {"FREEZE", "UNFREEZE"} else decision == "REFUND" or hold != "COMPLIANCE"
    if decision == "FREEZE" and fits:
        assert desk(aws, escrow, person)["options"] == [{"hold": "COMPLIANCE", "decision": "FREEZE"}]
        return
    status, code = (409, "NO_HOLD") if fits else (422, "WRONG_HOLD")
    refused(aws, status, code, "decide_hold", person, body(hold, decision), headers=KEY, escrow_id=escrow.id)


def test_turns_bad_bodies_away(aws: Platform, escrow: Escrow) -> None:
    good = body("RISK_REVIEW", "CLEAR")
    wrong: list[Any] = [good | {"hold": hold} for hold in ("CHARGEBACK", "PAYOUT_FAILED", "", None, 1)]
    wrong += [good | {"decision": decision} for decision in ("clear", "", None, ["CLEAR"])]
    wrong += [{name: good[name] for name in good if name != left} for left in good]
    wrong += [good | one for one in escrows.BAD_REASONS if isinstance(one, dict) and "reason" in one]
    escrows.turned_away(aws, "decide_hold", officer(), wrong, headers=KEY, escrow_id=escrow.id)


# --- the desk


@pytest.mark.usefixtures("_two")
def test_the_desk_shows_what_to_decide_and_who_has_voted(aws: Platform, escrow: Escrow) -> None:
    person = officer()
    decide(aws, escrow, person, "RISK_REVIEW", "REFUND")
    view = seen(aws, escrow, officer())
    assert "decide_hold" in view["allowedActions"]
    told = view["compliance"]
    assert [(one["hold"], one["cause"], one["wallet"]) for one in told["findings"]] == [("RISK_REVIEW", WARNING, None)]
    (vote,) = told["decisions"]
    assert (vote["decision"], vote["status"], vote["covers"]) == ("REFUND", "OPEN", [WARNING])
    assert (vote["people"][0]["id"], vote["people"][0]["reason"]) == (person.id, holding.REASON)
    assert told["neededVotes"] == 2
    assert {(one["hold"], one["decision"]) for one in told["options"]} == {
        ("RISK_REVIEW", "CLEAR"), ("RISK_REVIEW", "REFUND"), ("COMPLIANCE", "FREEZE"),
    }  # fmt: skip
    for other in (escrow.buyer_id, escrow.seller_id, staff(PlatformRole.ARBITER), staff(PlatformRole.PADMIN)):
        assert seen(aws, escrow, other)["compliance"] is None


@pytest.mark.parametrize(
    ("stage", "decision", "restarts"),
    [("delivered", "CLEAR", 0), ("payable", "CLEAR", 1), ("payable", "REFUND", 1), ("settling", "CLEAR", 1)],
)
def test_it_takes_three_round_trips(
    aws: Platform, stripe: StripeDouble, machines: Machines, wire: Wire, stage: str, decision: str, restarts: int
) -> None:
    escrow = held(STAGES[stage](aws, stripe), WARNING)
    person = officer()
    machines.started.append(f"{escrow.id}-{row(escrow).funding_run}")
    machines.ended.update(machines.started)
    before = len(machines.started)
    wire.calls.clear()
    assert decide(aws, escrow, person, "RISK_REVIEW", decision, key="k").status == 202
    assert wire.round_trips() == 3
    assert len(machines.started) - before == restarts


@pytest.mark.parametrize(
    ("frozen", "causes"), [(False, []), (False, [WARNING]), (True, [WARNING, "sanctions:deposit:x"])]
)
@pytest.mark.parametrize("stage", ["payable", "delivered", "settling", "released"])
def test_what_the_desk_offers_is_what_can_be_decided(
    aws: Platform, stripe: StripeDouble, machines: Machines, wire: Wire, stage: str, frozen: bool, causes: list[str]
) -> None:
    escrow = STAGES[stage](aws, stripe)
    if stage != "released":
        held(escrow, *causes)
        if frozen:
            decided(aws, escrow, "COMPLIANCE", "FREEZE")
    person = officer()
    offered = {(one["hold"], one["decision"]) for one in desk(aws, escrow, person)["options"]}
    assert bool(offered) is ("decide_hold" in seen(aws, escrow, person)["allowedActions"])
    wire.instead("TransactWriteItems", lambda _: {})  # every commit succeeds, and nothing is written
    wishes = [(hold, one) for hold in ("RISK_REVIEW", "SANCTIONS", "COMPLIANCE") for one in Decision]
    answers = {wish: decide(aws, escrow, person, *wish, key=f"{wish}").status for wish in wishes}
    assert {wish for wish, status in answers.items() if status == 202} == offered
    assert set(answers.values()) <= {202, 409, 422}
