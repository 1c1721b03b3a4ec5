"""The story of a trade from the first offer on, as one path that anybody can check (M62, M68)."""

from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import AuditEntry, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
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


def test_a_story_longer_than_one_page_is_told_whole(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    escrow = factories.executed()
    for _ in range(7):
        aws.invoke("await_funding", {"escrowId": escrow.id, "token": TOKEN})
    told = asked(aws, escrow, escrow.buyer_id)

    monkeypatch.setattr(table, "PARTITION_LIMIT", 3)  # just the rows of the escrow

    assert [entry["action"] for entry in told["items"]].count("await_funding") == 7
    assert told["verified"]
    assert asked(aws, escrow, escrow.buyer_id) == told


def test_parties_and_staff_may_read_it_and_nobody_else(aws: Platform) -> None:
    escrow = factories.executed()

    for role in PlatformRole:
        assert asked(aws, escrow, staff(role))["verified"]
    hidden(aws, "get_timeline", escrow, escrow.buyer_id, strangers=[factories.user()])
