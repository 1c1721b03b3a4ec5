"""The story of a trade from the first offer on, as one path that anybody can check (M62, M68)."""

from typing import Any

from bloxtr8 import table
from bloxtr8.entities import AuditEntry, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.escrows import TOKEN, confirm, hidden, paid_out, refund, staff, text


def asked(aws: Platform, escrow: Any, user: Any) -> dict[str, Any]:
    answer = aws.call("get_timeline", user, escrow_id=escrow.id)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_tells_the_whole_story_in_order(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.delivered(stripe)
    confirm(aws, escrow)
    paid_out(stripe, escrow)

    view = asked(aws, escrow, escrow.buyer_id)

    assert view["verified"]
    told = [entry["action"] for entry in view["items"]]
    assert told == [
        "make_offer", "accept_offer", "store_contract_pdf", "sign_contract", "sign_contract", "open_funding",
        "record_deposit", "hold_funds", "start_delivery", "mark_delivered", "confirm_delivery", "send_leg",
        "confirm_leg", "finish_settlement",
    ]  # fmt: skip
    assert sorted(view["items"], key=lambda entry: entry["at"]) == view["items"]
    assert asked(aws, escrow, escrow.seller_id) == view
    by_role = {entry["action"]: entry["role"] for entry in view["items"]}
    assert (by_role["make_offer"], by_role["start_delivery"], by_role["confirm_delivery"], by_role["hold_funds"]) == (
        "BUYER", "SELLER", "BUYER", "SYSTEM",
    )  # fmt: skip
    assert TOKEN not in text(view)


def test_an_entry_that_was_changed_or_taken_shows(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe)
    refund(aws, escrow)
    assert asked(aws, escrow, escrow.buyer_id)["verified"]
    entries = [table.partition(f"AUDIT#{root}") for root in (escrow.contract_id, escrow.id)]
    for chain in entries:
        first = chain[0]
        assert isinstance(first, AuditEntry)
        kept, first.actor = first.actor, "usr_somebody_else"
        aws.overwrite(first)
        assert not asked(aws, escrow, escrow.buyer_id)["verified"]
        first.actor = kept
        aws.overwrite(first)
        assert asked(aws, escrow, escrow.buyer_id)["verified"]
        aws.erase(first)
        assert not asked(aws, escrow, escrow.buyer_id)["verified"]
        aws.overwrite(first)


def test_a_long_story_is_told_page_by_page_and_each_says_whether_all_so_far_holds(aws: Platform) -> None:
    escrow = factories.executed()
    for _ in range(7):
        aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN})
    told = asked(aws, escrow, escrow.buyer_id)
    assert [entry["action"] for entry in told["items"]].count("await_funding") == 7
    assert told["verified"]

    pages = paged(aws, escrow)

    assert [entry for page in pages for entry in page["items"]] == told["items"]
    assert {len(page["items"]) for page in pages[:-1]} == {3}
    assert all(page["verified"] for page in pages)
    late = aws.audit(escrow.id)[2]
    aws.erase(late)
    assert [page["verified"] for page in paged(aws, escrow)] == [True, True, *[False] * (len(pages) - 2)]
    cursor = pages[0]["nextCursor"]
    refused(
        aws, 400, "BAD_CURSOR", "get_timeline", escrow.seller_id, query={"cursor": cursor}, escrow_id=escrow.id
    )  # fmt: skip


def paged(aws: Platform, escrow: Any) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    while not pages or "nextCursor" in pages[-1]:
        query = {"limit": "3"} | ({"cursor": pages[-1]["nextCursor"]} if pages else {})
        answer = aws.call("get_timeline", escrow.buyer_id, query=query, escrow_id=escrow.id)
        assert answer.status == 200, answer.body
        pages.append(dict(answer.body))
    return pages


def test_parties_and_staff_may_read_it_and_nobody_else(aws: Platform) -> None:
    escrow = factories.executed()

    for role in PlatformRole:
        assert asked(aws, escrow, staff(role))["verified"]
    hidden(aws, "get_timeline", escrow, escrow.buyer_id, strangers=[factories.user()])
