"""watch_assets: a delivery is proven without anyone's click, a rollback opens a dispute, an outage decides nothing
(M53, M59, D13)."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bloxtr8 import asset_watch, table
from bloxtr8.entities import AssetWatch, Escrow, EscrowStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.listings import looks
from tests.functions.webhooks import alarms
from tests.wire import Wire

MOVES = {"prove_delivery", "open_system_dispute", "mark_delivered", "confirm_delivery", "auto_release"}


def watch(aws: Platform, **later: float) -> None:
    """The rule fires, after this time; five minutes unless told."""
    aws.clock.advance(**(later or {"minutes": 5}))
    aws.invoke("watch_assets")


def watched(escrow: Escrow) -> AssetWatch:
    return table.get(AssetWatch, escrow_ulid=escrow.ulid)


def moves(aws: Platform, escrow: Escrow) -> list[str]:
    """What moved the escrow since its money came."""
    return [action for action in money.actions(aws, escrow) if action in MOVES]


@pytest.fixture
def asked(roblox: Roblox) -> Callable[[], list[str]]:
    """The paths Roblox was asked for since the last call."""
    past = 0

    def since() -> list[str]:
        nonlocal past
        calls = roblox.calls
        past, before = len(calls), past
        return [call["path"] for call in calls[before:]]

    return since


@pytest.fixture
def held(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


@pytest.fixture
def handed(stripe: StripeDouble) -> Escrow:
    return factories.delivered(stripe)


# --- the delivery


def test_a_delivery_is_proven_by_two_runs_without_anyones_click(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    watch(aws)
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    watch(aws)
    assert escrows.row(held).status == "FUNDS_HELD"  # one look is not enough
    watch(aws)

    file = escrows.file(held)
    proof = looks(held.listing_id)[-1]
    assert (file.escrow.status, file.delivery.status, file.delivery.verification) == (
        "DELIVERED",
        "DELIVERED",
        "VERIFIED",
    )
    assert (file.delivery.snapshot_id, proof.verified, proof.source) == (proof.id, True, "BOTH")
    assert file.escrow.inspect_by == file.escrow.delivered_at + dt.timedelta(seconds=held.inspect_seconds)
    entry = aws.audit(held.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("prove_delivery", "watch_assets", "SYSTEM")
    escrows.sound(aws, held)


def test_an_escrow_that_can_not_be_read_keeps_no_other_from_being_watched(
    aws: Platform, stripe: StripeDouble, held: Escrow, roblox: Roblox
) -> None:
    item = escrows.row(factories.funded(stripe)).serialize() | {"status": {"S": "OF_ANOTHER_VERSION"}}
    aws.overwrite(SimpleNamespace(serialize=lambda: item))
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    watch(aws)
    watch(aws)
    assert moves(aws, held) == ["prove_delivery"]


def test_two_runs_within_a_minute_are_one_look(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    watch(aws)
    row = watched(held)
    row.next_look = aws.clock.moment
    assert table.remember(row, unless_exists=False)
    watch(aws, seconds=30)
    assert escrows.row(held).status == "FUNDS_HELD"
    watch(aws)
    assert escrows.row(held).status == "DELIVERED"


@pytest.mark.parametrize("between", ["seller", None])
def test_an_owner_between_the_two_looks_begins_anew(
    aws: Platform, held: Escrow, roblox: Roblox, between: str | None
) -> None:
    for owner in (held.buyer_roblox_id, held.seller_roblox_id if between else None, held.buyer_roblox_id):
        roblox.set_group(held.asset_id, owner=owner)
        watch(aws)
    assert escrows.row(held).status == "FUNDS_HELD"
    watch(aws)
    assert escrows.row(held).status == "DELIVERED"


def test_nothing_new_costs_one_list_and_writes_no_entry(
    aws: Platform, stripe: StripeDouble, asked: Callable[[], list[str]], wire: Wire
) -> None:
    waiting = [factories.funded(stripe) for _ in range(3)]
    before = [len(aws.audit(escrow.id)) for escrow in waiting]
    asked()
    wire.calls.clear()
    watch(aws)
    assert asked() == ["/v2/groups"]
    assert wire.calls == ["Query", "BatchGetItem", "PutItem", "PutItem", "PutItem", "Query"]  # the last: listings
    assert [len(aws.audit(escrow.id)) for escrow in waiting] == before


def test_sources_that_disagree_prove_nothing(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id, locked=True)  # the list tells of no lock
    for _ in range(3):
        watch(aws)
    assert escrows.row(held).status == "FUNDS_HELD"


@pytest.mark.parametrize("by_group", [False, True])
def test_a_game_is_the_buyers_or_his_groups(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, by_group: bool
) -> None:
    seller = factories.payee(stripe)
    roblox.set_game("9001", user=seller)
    listing = factories.listing(seller, asset_type="GAME", asset_id="9001")
    offer = factories.offer(listing, factories.user())
    escrow = factories.funded(stripe, ready=factories.contract(factories.accepted(made=offer)))
    watch(aws)
    if by_group:
        roblox.set_group("77", owner=escrow.buyer_roblox_id)
        roblox.set_game("9001", group="77")
    else:
        roblox.set_game("9001", user=escrow.buyer_roblox_id)
    watch(aws)
    watch(aws)
    assert escrows.row(escrow).status == "DELIVERED"


def test_a_claim_made_while_roblox_was_silent_is_decided_once_it_speaks(
    aws: Platform, held: Escrow, roblox: Roblox
) -> None:
    aws.call("start_delivery", held.seller_id, {}, escrow_id=held.id)
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    roblox.down()
    assert aws.call("mark_delivered", held.seller_id, **escrows.path(held)).status == 502
    for _ in range(3):
        watch(aws)
    assert escrows.row(held).status == "FUNDS_HELD"
    roblox.up()
    watch(aws, hours=1)
    watch(aws)
    assert escrows.row(held).status == "DELIVERED"


def test_where_the_list_is_silent_each_is_asked_about(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    roblox.faults.put("^/v2/", status=503, times=None)
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    watch(aws)
    watch(aws)
    assert escrows.row(held).status == "DELIVERED"


# --- after the delivery


@pytest.mark.parametrize(
    ("change", "reason"),
    [("seller", "OWNER_IS_SELLER"), ("nobody", "OWNER_IS_NOBODY"), ("locked", "OWNER_IS_NOBODY"),
     ("gone", "OWNER_IS_NOBODY")],
)  # fmt: skip
def test_a_rollback_is_disputed_by_the_system(
    aws: Platform, handed: Escrow, roblox: Roblox, change: str, reason: str
) -> None:
    watch(aws, minutes=20)
    assert escrows.row(handed).status == "DELIVERED"
    if change == "gone":
        roblox.forget_group(handed.asset_id)
    else:
        changes: dict[str, Any] = {
            "seller": {"owner": handed.seller_roblox_id},
            "nobody": {"owner": None},
            "locked": {"locked": True},
        }
        roblox.set_group(handed.asset_id, **changes[change])
    watch(aws, minutes=20)

    file = escrows.file(handed)
    assert file.dispute is not None
    assert (file.escrow.status, file.dispute.reason_code, file.dispute.opened_by) == ("DISPUTED", reason, "SYSTEM")
    assert file.settlements == []
    assert escrows.confirm(aws, handed).status == 409
    for _ in range(3):
        watch(aws, hours=2)
    assert moves(aws, handed) == ["mark_delivered", "open_system_dispute"]


def test_passed_on_to_a_third_person_is_no_rollback(aws: Platform, handed: Escrow, roblox: Roblox) -> None:
    roblox.set_group(handed.asset_id, owner=factories.user())
    for _ in range(3):
        watch(aws, hours=1)
    assert escrows.row(handed).status == "DELIVERED"
    for later in ({"days": 6}, {"days": 1}):
        aws.clock.advance(**later)
        aws.invoke("enforce_escrow_deadlines")
    assert moves(aws, handed) == ["mark_delivered", "auto_release"]


def test_one_source_alone_says_nothing_of_a_rollback(aws: Platform, handed: Escrow, roblox: Roblox) -> None:
    roblox.set_group(handed.asset_id, owner=handed.seller_roblox_id)
    roblox.faults.put("^/v1/groups/", status=503, times=None)
    watch(aws, minutes=20)
    assert escrows.row(handed).status == "DELIVERED"
    roblox.faults.clear()
    watch(aws, minutes=5)
    assert escrows.row(handed).status == "DISPUTED"


def test_what_is_unknown_for_a_week_is_for_people(aws: Platform, stripe: StripeDouble, roblox: Roblox) -> None:
    escrow = factories.delivered(stripe)
    escrows.changed(escrow, inspect_by=aws.clock.moment + dt.timedelta(days=30))
    roblox.down()
    watch(aws, minutes=20)
    for _ in range(6):
        watch(aws, days=1)
    assert escrows.row(escrow).status == "DELIVERED"
    watch(aws, days=1)
    file = escrows.file(escrow)
    assert file.dispute is not None
    assert (file.escrow.status, file.dispute.reason_code) == ("DISPUTED", "OWNER_UNKNOWN")


def test_one_answer_within_the_week_begins_it_anew(aws: Platform, stripe: StripeDouble, roblox: Roblox) -> None:
    escrow = factories.delivered(stripe)
    escrows.changed(escrow, inspect_by=aws.clock.moment + dt.timedelta(days=30))
    roblox.down()
    watch(aws, days=1)
    watch(aws, days=6)
    roblox.up()
    watch(aws, hours=2)
    roblox.down()
    watch(aws, days=1)
    watch(aws, days=6)
    assert escrows.row(escrow).status == "DELIVERED"


# --- how it goes on, and when it ends


def test_in_a_dispute_roblox_is_asked_by_the_hour_and_after_it_the_watch_goes_on(
    aws: Platform, held: Escrow, roblox: Roblox, asked: Callable[[], list[str]]
) -> None:
    claim = {"title": "Nothing came", "description": "I wait since days for it.", "reasonCode": "NOT_DELIVERED"}
    opened = aws.call("open_dispute", held.buyer_id, claim, escrow_id=held.id)
    assert opened.status == 201, opened.body
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    asked()
    watch(aws, minutes=5)
    assert (asked()[0], escrows.row(held).status) == ("/v2/groups", "DISPUTED")
    assert escrows.row(held).at_buyer_at is not None
    entries = len(aws.audit(held.id))
    for _ in range(3):
        watch(aws, hours=1)
        watch(aws)
    assert asked() == [f"/cloud/v2/groups/{held.asset_id}"] * 3
    assert len(aws.audit(held.id)) == entries  # nothing new leaves nothing
    ended = aws.call("withdraw_dispute", held.buyer_id, escrow_id=held.id, dispute_id=opened.body["id"])
    assert ended.status == 200, ended.body
    watch(aws, hours=1)
    watch(aws)
    assert escrows.row(held).status == "DELIVERED"


def test_an_escrow_that_ended_is_watched_no_more(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    escrows.confirm(aws, escrow)
    watch(aws, hours=1)
    assert watched(escrow).next_look is not None  # the money moves yet
    escrows.paid_out(stripe, escrow)
    watch(aws, hours=1)
    assert watched(escrow).next_look is None


def test_an_outage_is_asked_ever_later_and_in_one_run_only_a_few_times(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, asked: Callable[[], list[str]]
) -> None:
    many = [factories.delivered(stripe) for _ in range(5)]
    roblox.down()
    asked()
    watch(aws, minutes=20)
    assert len({path for path in asked() if path.startswith("/cloud/")}) == 3
    waits = []
    for _ in range(7):
        row = watched(many[0])
        assert row.next_look is not None
        waits.append(round((row.next_look - aws.clock.moment).total_seconds() / 60))
        aws.clock.moment = row.next_look
        aws.invoke("watch_assets")
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    assert {escrows.row(escrow).status for escrow in many} == {EscrowStatus.DELIVERED}


def test_a_run_asks_so_much_and_the_next_goes_on_where_it_stopped(
    aws: Platform, stripe: StripeDouble, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asset_watch, "ASKS", 2)
    many = [factories.delivered(stripe) for _ in range(5)]
    aws.clock.advance(minutes=20)
    seen: list[str] = []
    for _ in range(3):
        asked()
        watch(aws, seconds=1)
        seen += asked()
    assert seen == [f"/cloud/v2/groups/{escrow.asset_id}" for escrow in many]


def test_one_bad_row_does_not_stop_the_others(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = factories.delivered(stripe), factories.delivered(stripe)
    escrows.changed(bad, asset_id="no number")
    roblox.set_group(good.asset_id, owner=good.seller_roblox_id)
    told = alarms(monkeypatch)
    watch(aws, minutes=20)
    assert escrows.row(good).status == "DISPUTED"
    assert [message for message, _ in told] == ["a row could not be processed"]


# --- at the same moment


def test_two_runs_at_once_do_each_thing_once(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    watch(aws)
    aws.clock.advance(minutes=5)
    together(partial(aws.invoke, "watch_assets"), partial(aws.invoke, "watch_assets"))
    assert moves(aws, held) == ["prove_delivery"]


def test_of_the_watch_and_a_party_who_asks_one_delivers_it(aws: Platform, held: Escrow, roblox: Roblox) -> None:
    roblox.set_group(held.asset_id, owner=held.buyer_roblox_id)
    watch(aws)
    aws.clock.advance(minutes=5)
    _, answer = together(
        partial(aws.invoke, "watch_assets"),
        partial(aws.call, "verify_delivery", held.buyer_id, **escrows.path(held)),
    )
    assert answer.status in {200, 409}
    assert moves(aws, held) == ["prove_delivery"]


def test_of_a_rollback_seen_and_a_confirmation_one_wins(aws: Platform, handed: Escrow, roblox: Roblox) -> None:
    roblox.set_group(handed.asset_id, owner=handed.seller_roblox_id)
    aws.clock.advance(minutes=20)
    together(partial(aws.invoke, "watch_assets"), partial(escrows.confirm, aws, handed))
    file = escrows.file(handed)
    assert (file.escrow.status, len(file.settlements), len(file.disputes)) in {("SETTLING", 1, 0), ("DISPUTED", 0, 1)}


def test_of_a_rollback_seen_by_the_watch_and_by_the_clock_one_opens_the_dispute(
    aws: Platform, handed: Escrow, roblox: Roblox
) -> None:
    aws.clock.advance(days=6)
    aws.invoke("enforce_escrow_deadlines")
    aws.clock.advance(days=1)
    roblox.set_group(handed.asset_id, owner=handed.seller_roblox_id)
    together(partial(aws.invoke, "watch_assets"), partial(aws.invoke, "enforce_escrow_deadlines"))
    assert moves(aws, handed) == ["mark_delivered", "open_system_dispute"]
