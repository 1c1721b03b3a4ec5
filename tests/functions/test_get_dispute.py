"""The file of a dispute: what was said, what was filed by itself, what is still the same, and what the facts suggest
(M55, M62, M64, M70)."""

import datetime as dt
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from bloxtr8 import table
from bloxtr8.entities import DisputeMessage, Escrow, PlatformRole
from bloxtr8.ids import ulid_of
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions.disputes import (
    FILE,
    arbiter,
    assigned,
    filed,
    live,
    names,
    newest,
    opened,
    put_file,
    rejected,
    resolve,
    say,
    seen,
)
from tests.functions.escrows import MISSING, path, row, staff, text
from tests.wire import Wire

UNMADE = {"decision": None, "resolution": None, "seller_amount": None, "buyer_amount": None}


@pytest.fixture
def escrow(stripe: StripeDouble) -> Escrow:
    return factories.funded(stripe)


def test_is_filed_by_itself_for_both_parties_and_an_arbiter(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    opened(aws, escrow)
    roblox.down()  # nothing below asks it

    shown = [seen(aws, escrow, user) for user in (escrow.buyer_id, escrow.seller_id, arbiter())]

    for one in shown[1:]:
        assert {name: one[name] for name in ("messages", "evidence", "facts", "audit", "intact")} == {
            name: shown[0][name] for name in ("messages", "evidence", "facts", "audit", "intact")
        }
    facts, dispute = shown[0]["facts"], shown[0]["dispute"]
    assert facts["filed"]["money"] == {
        "amount": 100_000, "gross": 100_000, "deposited": 100_000, "held": 100_000, "released": 0, "refunded": 0,
    }  # fmt: skip
    assert [deposit["amount"] for deposit in facts["filed"]["deposits"]] == [100_000]
    assert facts["filed"]["deadlines"]["deliverBy"].startswith("2026-11-30T12:00")
    assert facts["filed"]["owner"]["robloxId"] == escrow.seller_roblox_id
    assert {signature["side"] for signature in facts["signatures"]} == {"BUYER", "SELLER"}
    assert {signature["sha256"] for signature in facts["signatures"]} == {facts["contractSha256"]}
    assert [(span["who"], span["looks"] > 1) for span in facts["owners"]] == [("SELLER", True)]
    assert facts["owners"][-1]["snapshotId"] == facts["filed"]["owner"]["snapshotId"]
    assert shown[0]["audit"]["verified"]
    assert [entry["action"] for entry in shown[0]["audit"]["items"]][-1] == "open_dispute"
    assert (dispute["status"], shown[0]["intact"]) == ("OPEN", True)
    assert [one["dispute"]["allowedActions"] for one in shown] == [
        ["post_dispute_message", "withdraw_dispute"], ["post_dispute_message"],
        ["post_dispute_message", "assign_dispute"],
    ]  # fmt: skip
    assert str(escrow.payout_account_id) not in text(*shown)


def test_of_a_long_path_the_newest_are_shown_and_the_whole_is_checked(
    aws: Platform, escrow: Escrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(aws, escrow)
    whole = seen(aws, escrow, escrow.buyer_id)["audit"]
    assert whole["count"] == len(whole["items"])
    monkeypatch.setattr("bloxtr8.disputing.ENTRIES", 4)
    monkeypatch.setattr("bloxtr8.timelines.CHUNK", 3)

    shown = seen(aws, escrow, escrow.buyer_id)

    assert shown["audit"] == whole | {"items": whole["items"][-4:]}
    assert shown["intact"]
    aws.erase(aws.audit(escrow.contract_id)[1])  # which is not among them
    assert not seen(aws, escrow, escrow.buyer_id)["audit"]["verified"]


def test_suggests_a_refund_of_what_was_never_delivered(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    suggestion = seen(aws, escrow, escrow.buyer_id)["facts"]["suggestion"]
    assert suggestion == {"outcome": "REFUND", "reasons": ["OWNER_IS_SELLER", "IT_NEVER_WAS_THE_BUYERS"]}


def test_suggests_a_release_where_the_buyer_has_it(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    opened(aws, escrow, escrow.seller_id, reasonCode="BUYER_UNRESPONSIVE")
    suggestion = seen(aws, escrow, escrow.buyer_id)["facts"]["suggestion"]
    assert suggestion == {"outcome": "RELEASE", "reasons": ["OWNER_IS_BUYER", "IT_WAS_THE_BUYERS"]}


def test_suggests_nothing_about_what_roblox_cannot_tell(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    rejected(aws, escrow)  # not as described
    suggestion = seen(aws, escrow, escrow.buyer_id)["facts"]["suggestion"]
    assert suggestion["outcome"] is None
    assert suggestion["reasons"][-1] == "CLAIM_IS_NOT_ABOUT_THE_OWNER"


def test_an_outage_suggests_nothing_until_somebody_looked(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.down()
    opened(aws, escrow)
    found = seen(aws, escrow, escrow.buyer_id)["facts"]
    assert found["filed"]["owner"]["who"] == "UNKNOWN"
    assert found["suggestion"] == {"outcome": None, "reasons": ["OWNER_NOT_SEEN_SINCE"]}
    assert found["owners"][-1]["who"] == "SELLER"  # what was seen before is told all the same


def test_the_file_follows_the_asset_as_long_as_nobody_has_decided(
    aws: Platform, stripe: StripeDouble, roblox: Roblox
) -> None:
    escrow = factories.delivered(stripe)
    opened(aws, escrow, escrow.seller_id, reasonCode="BUYER_UNRESPONSIVE")
    judge = assigned(aws, escrow)

    def an_hour_later() -> tuple[str | None, str]:
        aws.clock.advance(hours=1)
        aws.invoke("watch_assets")
        facts = seen(aws, escrow, judge)["facts"]
        return facts["suggestion"]["outcome"], facts["owners"][-1]["who"]

    assert an_hour_later() == ("RELEASE", "BUYER")
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    assert an_hour_later() == ("REFUND", "SELLER")
    roblox.down()
    aws.clock.advance(hours=22)
    assert an_hour_later() == ("REFUND", "SELLER")
    assert an_hour_later() == (None, "SELLER")  # a day without an answer: it may be anybody's by now
    roblox.up()
    assert an_hour_later() == ("REFUND", "SELLER")
    roblox.forget_group(escrow.asset_id)
    assert an_hour_later() == (None, "NOBODY")
    assert [entry.action for entry in aws.audit(escrow.id)].count("note_owner") == 2
    assert row(escrow).status == "DISPUTED"


def test_an_outage_as_it_was_opened_is_mended_by_the_watch(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    roblox.down()
    opened(aws, escrow)
    roblox.up()
    aws.clock.advance(hours=1)
    aws.invoke("watch_assets")
    assert seen(aws, escrow, escrow.buyer_id)["facts"]["suggestion"]["outcome"] == "REFUND"


def test_the_history_of_owners_is_told_from_the_looks_that_were_kept(
    aws: Platform, stripe: StripeDouble, roblox: Roblox
) -> None:
    escrow = factories.delivered(stripe)
    aws.clock.advance(days=6)
    aws.invoke("enforce_escrow_deadlines")
    roblox.set_group(escrow.asset_id, owner=escrow.seller_roblox_id)
    aws.clock.advance(days=1)
    aws.invoke("enforce_escrow_deadlines")  # a rollback: the system opens it, with the same file

    found = seen(aws, escrow, escrow.buyer_id)

    assert [span["who"] for span in found["facts"]["owners"]] == ["SELLER", "BUYER", "SELLER"]
    assert found["dispute"]["openedBy"] == "SYSTEM"
    assert found["facts"]["filed"]["status"] == "DELIVERED"
    assert found["facts"]["suggestion"] == {"outcome": "REFUND", "reasons": ["OWNER_IS_SELLER", "IT_WAS_THE_BUYERS"]}
    assert found["intact"]


def test_evidence_that_was_changed_is_noticed(aws: Platform, escrow: Escrow) -> None:
    files = [FILE + bytes([n]) for n in range(5)]
    pieces = [filed(aws, escrow, content=content) for content in files]
    good, missing, other_bytes, past_the_link, other_size = pieces
    put_file(escrow, files[0])
    put_file(escrow, files[2], FILE.upper())
    put_file(escrow, files[3], FILE.upper(), checked=False)
    put_file(escrow, files[4], FILE + b"  ", checked=False)
    opened(aws, escrow)

    shown = {piece["id"]: piece for piece in seen(aws, escrow, escrow.seller_id)["evidence"]}

    assert {name: shown[name]["state"] for name in pieces} == {
        good: "STORED", missing: "MISSING", other_bytes: "CHANGED", past_the_link: "CHANGED", other_size: "CHANGED",
    }  # fmt: skip
    assert [name for name in pieces if shown[name]["url"]] == [good]
    link = urlsplit(shown[good]["url"])
    assert link.path == f"/evidence/{escrow.id}/{hashlib.sha256(files[0]).hexdigest()}"
    assert parse_qs(link.query)["X-Amz-Expires"] == ["300"]
    assert parse_qs(link.query)["response-content-disposition"] == [f'attachment; filename="{good}"']


def test_what_came_by_its_link_is_what_was_named(aws: Platform, escrow: Escrow) -> None:
    about = {
        "sha256": hashlib.sha256(FILE).hexdigest(),
        "contentType": "image/png",
        "sizeBytes": len(FILE),
        "note": "n",
    }
    link = aws.call("add_evidence", escrow.buyer_id, about, escrow_id=escrow.id).body
    sent = [
        requests.put(link["url"], data=data, headers=link["headers"], timeout=10).status_code
        for data in (FILE.upper(), FILE, FILE)
    ]
    opened(aws, escrow)
    (piece,) = seen(aws, escrow, arbiter())["evidence"]
    assert (sent, piece["state"]) == ([400, 200, 412], "STORED")
    assert requests.get(piece["url"], timeout=10).content == FILE


def test_the_same_file_of_both_is_one_object_and_needs_no_second_upload(aws: Platform, escrow: Escrow) -> None:
    about = {"sha256": hashlib.sha256(FILE).hexdigest(), "sizeBytes": len(FILE), "note": "n"}
    link = aws.call("add_evidence", escrow.buyer_id, about | {"contentType": "image/png"}, escrow_id=escrow.id).body
    late = aws.call("add_evidence", escrow.buyer_id, about | {"contentType": "image/png"}, escrow_id=escrow.id).body
    assert late["url"]  # nothing came yet
    assert requests.put(link["url"], data=FILE, headers=link["headers"], timeout=10).status_code == 200

    more = aws.call("add_evidence", escrow.seller_id, about | {"contentType": "text/plain"}, escrow_id=escrow.id).body

    assert (more["url"], more["headers"]) == (None, {})
    opened(aws, escrow)
    shown = seen(aws, escrow, arbiter())["evidence"]
    assert [piece["state"] for piece in shown] == ["STORED"] * 3
    answers = [requests.get(piece["url"], timeout=10) for piece in shown]
    assert {answer.content for answer in answers} == {FILE}
    assert [answer.headers["Content-Type"] for answer in answers] == ["image/png", "image/png", "text/plain"]
    put_file(escrow, FILE, FILE.upper(), checked=False)
    assert {piece["state"] for piece in seen(aws, escrow, arbiter())["evidence"]} == {"CHANGED"}


def test_an_outage_of_the_store_is_no_change(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    filed(aws, escrow)
    opened(aws, escrow)
    refusal = {"Error": {"Code": "503"}, "ResponseMetadata": {"HTTPStatusCode": 503}}

    def down(_: object) -> None:
        raise ClientError(refusal, "HeadObject")  # type: ignore[arg-type]

    wire.instead("HeadObject", down)
    assert [piece["state"] for piece in seen(aws, escrow, escrow.buyer_id)["evidence"]] == ["UNKNOWN"]


def test_a_claim_without_a_file_is_shown_as_one(aws: Platform, escrow: Escrow, roblox: Roblox) -> None:
    aws.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id)
    roblox.down()
    assert aws.call("mark_delivered", escrow.seller_id, **path(escrow)).status == 502
    opened(aws, escrow)
    (piece,) = seen(aws, escrow, escrow.buyer_id)["evidence"]
    assert (piece["state"], piece["url"], piece["sha256"]) == ("NONE", None, None)


def test_words_that_were_changed_are_noticed(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    say(aws, escrow, escrow.buyer_id, "It is not mine.")
    say(aws, escrow, escrow.seller_id, "It is.")
    dispute = live(escrow)
    rows = table.partition(f"DISPUTE#{ulid_of(dispute.id)}")
    forged = next(row for row in rows if isinstance(row, DisputeMessage) and row.role == "BUYER")
    forged.text = "It is mine."
    dispute.description = "Nothing."
    aws.overwrite(forged)
    aws.overwrite(dispute)

    found = seen(aws, escrow, arbiter())

    assert (found["intact"], [one["intact"] for one in found["messages"]]) == (False, [False, True])


def test_a_decision_that_was_changed_is_noticed(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    assert resolve(aws, escrow, assigned(aws, escrow), "REFUND", 0, escrow.amount).status == 202
    assert seen(aws, escrow, escrow.buyer_id)["intact"]
    for forged in ({"resolution": "Nothing of the kind."}, {"seller_amount": 1, "buyer_amount": 99_999}, UNMADE):
        dispute = newest(escrow)
        before = {name: getattr(dispute, name) for name in forged}
        for values, intact in ((forged, False), (before, True)):
            for name, value in values.items():
                setattr(dispute, name, value)
            aws.overwrite(dispute)
            assert seen(aws, escrow, escrow.buyer_id)["intact"] is intact


def test_nobody_else_learns_that_it_exists(aws: Platform, escrow: Escrow) -> None:
    opened(aws, escrow)
    for stranger in (factories.user(), staff(PlatformRole.SUPPORT, PlatformRole.COMPLIANCE, PlatformRole.PADMIN)):
        refused(aws, 404, "NOT_FOUND", "get_dispute", stranger, **names(escrow))
    for wrong in ({"escrow_id": MISSING}, {"dispute_id": "dsp_1"}, {"dispute_id": escrow.id}):
        refused(aws, 404, "NOT_FOUND", "get_dispute", escrow.buyer_id, **(names(escrow) | wrong))
    assert aws.call("get_dispute", None, **names(escrow)).status == 401


def test_reads_are_few(aws: Platform, escrow: Escrow, wire: Wire) -> None:
    opened(aws, escrow)
    place = names(escrow)
    aws.clock.advance(seconds=dt.timedelta(days=1).total_seconds())
    wire.calls.clear()
    aws.call("get_dispute", escrow.buyer_id, **place)
    assert wire.round_trips() == 7  # escrow, looks, contract, messages, and the three chains of the trade
