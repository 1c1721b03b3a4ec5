"""What the facts of a dispute say, for every owner, every history and every claim (M64)."""

import datetime as dt
from typing import Any

import pytest

from bloxtr8.domain import dossier, settlements
from bloxtr8.domain.dossier import Owner
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import AssetWatch, Dispute, Escrow, MilestoneStatus, Snapshot, StripeEscrow
from tests.unit.escrow_rows import DAY, START, escrow, paid
from tests.unit.milestone_rows import confirm, deal, deliver

MINUTE = dt.timedelta(minutes=1)


def look(who: Owner, at: dt.datetime, **fields: Any) -> Snapshot:
    """A look on which the asset was somebody's."""
    ids = {Owner.BUYER: "1", Owner.SELLER: "2", Owner.OTHER: "3", Owner.NOBODY: None}
    values = {"id": f"snp_{at.isoformat()}", "at": at, "owner_id": ids[who], "locked": False} | fields
    return Snapshot(listing_id="lst_1", asset_type="GROUP", asset_id="7", source="BOTH", **values)


def dispute(reason: str = "NOT_DELIVERED", facts: Any = None) -> Dispute:
    return Dispute(
        id="dsp_1", escrow_id="esc_1", opener_id="usr_buyer", reason_code=reason, facts=facts, respond_by=START,
        created_at=START,
    )  # fmt: skip


def suggested(row: Escrow, reason: str, *looks: Snapshot) -> dossier.Suggestion:
    return said(dispute(reason), about(row), *looks)


def about(row: Escrow, **watch: Any) -> EscrowFile:
    """Its file, with what the watch saw."""
    watches = [AssetWatch(escrow_id=row.id, **watch)] if watch else []
    return EscrowFile(row, StripeEscrow(escrow_id=row.id), watches=watches)


def said(about: Dispute, file: EscrowFile, *looks: Snapshot, now: dt.datetime = START) -> dossier.Suggestion:
    return dossier.suggest(about, file, dossier.history(file.escrow, looks), now)


@pytest.mark.parametrize(
    ("now", "was_buyers", "outcome"),
    [
        (Owner.SELLER, False, "REFUND"),
        (Owner.SELLER, True, "REFUND"),
        (Owner.OTHER, False, "REFUND"),
        (Owner.OTHER, True, "RELEASE"),
        (Owner.NOBODY, False, "REFUND"),
        (Owner.NOBODY, True, None),
        (Owner.BUYER, True, "RELEASE"),
    ],
)
def test_the_owner_and_what_was_before_say_it(now: Owner, was_buyers: bool, outcome: str | None) -> None:
    before = [look(Owner.BUYER, START - DAY)] if was_buyers else []
    row = escrow(created_at=START - 3 * DAY)
    found = suggested(row, "NOT_DELIVERED", look(Owner.SELLER, START - 2 * DAY), *before, look(now, START))
    was = "IT_WAS_THE_BUYERS" if was_buyers else "IT_NEVER_WAS_THE_BUYERS"
    assert found == (outcome, [f"OWNER_IS_{now}", was])


@pytest.mark.parametrize("now", [Owner.BUYER, Owner.SELLER, Owner.OTHER, Owner.NOBODY])
def test_of_a_milestone_without_the_asset_it_says_only_that_it_was_taken_back(now: Owner) -> None:
    row = escrow(asset_in_turn=False, at_buyer_at=START - DAY)
    found = suggested(row, "NOT_DELIVERED", look(now, START))
    assert found.outcome == ("REFUND" if now is Owner.SELLER else None)
    row.at_buyer_at = None
    assert suggested(row, "NOT_DELIVERED", look(now, START)).reasons[-1] == "MILESTONE_WITHOUT_THE_ASSET"


@pytest.mark.parametrize("reason", ["NOT_AS_DESCRIBED", "OTHER"])
def test_who_owns_it_is_no_answer_to_other_claims(reason: str) -> None:
    assert suggested(escrow(), reason, look(Owner.BUYER, START)).outcome is None
    assert suggested(escrow(), reason, look(Owner.SELLER, START)).outcome == "REFUND"


def test_an_old_look_says_nothing_about_now() -> None:
    assert suggested(escrow(), "NOT_DELIVERED", look(Owner.BUYER, START - MINUTE)).outcome is None
    assert suggested(escrow(), "NOT_DELIVERED").reasons == ["OWNER_NOT_SEEN_SINCE"]


def test_the_look_that_was_filed_counts_although_it_began_before() -> None:
    row, seen = escrow(), look(Owner.SELLER, START - MINUTE)
    facts = dossier.file(paid(), seen, START)
    assert said(dispute(facts=facts), about(row), seen).outcome == "REFUND"


@pytest.mark.parametrize(
    ("watch", "outcome"),
    [
        ({}, None),
        ({"seen": "SELLER", "answered_at": START + DAY}, "REFUND"),
        ({"seen": "SELLER", "answered_at": START}, None),  # and silent since
        ({"seen": "OTHER", "answered_at": START + DAY}, None),  # one source says so, and both did not agree yet
    ],
)
def test_nobody_decides_by_a_look_of_yesterday_that_the_watch_did_not_see_again(
    watch: dict[str, Any], outcome: str | None
) -> None:
    file, seen = about(escrow(), **watch), look(Owner.SELLER, START)
    assert said(dispute(), file, seen, now=START + DAY - MINUTE).outcome == "REFUND"
    found = said(dispute(), file, seen, now=START + DAY)
    assert found.outcome == outcome
    assert outcome or found.reasons == ["OWNER_NOT_SEEN_FOR_LONG"]


def test_what_was_suggested_as_it_was_decided_stays() -> None:
    for name in ("resolved_at", "closed_at"):
        ended = dispute()
        setattr(ended, name, START + MINUTE)
        assert said(ended, about(escrow()), look(Owner.SELLER, START), now=START + 9 * DAY).outcome == "REFUND"


@pytest.mark.parametrize("reason", ["NOT_DELIVERED", "HELD_TOO_LONG", "BUYER_UNRESPONSIVE"])
def test_no_release_of_parts_that_are_to_come_is_suggested(reason: str) -> None:
    file, seen = deal([5_000, 2_500, 2_500], asset=0), look(Owner.BUYER, START)
    assert said(dispute(reason), file, seen) == (
        None, ["OWNER_IS_BUYER", "IT_WAS_THE_BUYERS", "OTHER_PARTS_ARE_TO_COME"],
    )  # fmt: skip
    for n in (1, 2):
        file.milestones[n].status = MilestoneStatus.RELEASED
    assert said(dispute(reason), file, seen).outcome == "RELEASE"


@pytest.mark.parametrize("asset", [0, 1])
def test_no_refund_of_a_part_that_was_confirmed_and_could_not_be_paid_is_suggested(asset: int) -> None:
    """But where it is the asset's, which the seller has again."""
    file = deal([5_000, 5_000], asset=asset)
    deliver(file)
    confirm(file)
    (settlement,) = file.settlements
    settlements.park(file, settlement, "RailDeclined", START, refused=True)
    found = said(dispute(), file, look(Owner.SELLER, START))
    assert found.outcome == ("REFUND" if asset == 0 else None)
    assert asset == 0 or found.reasons[-1] == "A_CONFIRMED_PART_IS_UNPAID"


def test_what_was_seen_at_the_buyer_counts_although_no_look_of_it_is_left() -> None:
    found = suggested(escrow(at_buyer_at=START - DAY), "REVERSED", look(Owner.NOBODY, START, locked=True))
    assert found == (None, ["OWNER_IS_NOBODY", "IT_WAS_THE_BUYERS"])


def test_what_the_buyer_had_before_the_trade_was_not_handed_over() -> None:
    row = escrow()
    found = suggested(row, "NOT_DELIVERED", look(Owner.BUYER, START - DAY), look(Owner.OTHER, START))
    assert found == ("REFUND", ["OWNER_IS_OTHER", "IT_NEVER_WAS_THE_BUYERS"])


@pytest.mark.parametrize("who", [Owner.BUYER, Owner.SELLER, Owner.OTHER, Owner.NOBODY])
def test_the_first_look_that_shows_the_buyer_is_kept(who: Owner) -> None:
    file = paid()
    for n in range(2):
        dossier.keep(file, look(who, START + n * MINUTE))
    dossier.keep(file, look(Owner.SELLER, START + DAY))
    dossier.keep(file, None)
    assert (file.escrow.at_buyer_at, file.escrow.delivered_at) == (START if who is Owner.BUYER else None, None)


def test_the_history_is_in_order_and_counts_looks() -> None:
    looks = [look(Owner.SELLER, START + n * MINUTE) for n in range(3)] + [look(Owner.BUYER, START + 5 * MINUTE)]
    spans = dossier.history(escrow(), reversed(looks))
    assert [(span.who, span.looks, span.first_at, span.last_at) for span in spans] == [
        (Owner.SELLER, 3, START, START + 2 * MINUTE),
        (Owner.BUYER, 1, START + 5 * MINUTE, START + 5 * MINUTE),
    ]
    assert spans[0].snapshot_id == looks[2].id


def test_a_locked_group_is_nobodys() -> None:
    assert dossier.owner_of(escrow(), look(Owner.BUYER, START, locked=True)) is Owner.NOBODY
    assert dossier.owner_of(escrow(), None) is Owner.UNKNOWN


def test_what_is_filed_stays_small() -> None:
    file = paid()
    facts = dossier.file(file, None, START)
    assert facts["owner"] == {"who": "UNKNOWN", "robloxId": None, "snapshotId": None, "at": None}
    assert set(facts) == {"at", "status", "owner", "money", "deposits", "settlements", "delivery", "deadlines"}
    assert facts["money"]["held"] == file.escrow.gross
