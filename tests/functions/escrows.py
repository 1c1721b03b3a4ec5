"""What the tests of the room start from and look at."""

import json
from typing import Any

import pytest

from bloxtr8 import actors, config, reads, table
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Deals, Delivery, Escrow, Listing, Offer, PlatformRole, SettlementStatus, User
from bloxtr8.ids import offer_place
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Answer, Platform

MISSING = "esc_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
BAD_IDS = ("esc_1", "con_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "esc_" + "0" * 3000, "esc_\x00", "../me", MISSING)
BAD_DELIVERIES = ("dlv_1", "esc_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "dlv_" + "0" * 3000, "dlv_\x00", "../me")
BAD_REASONS: tuple[Any, ...] = (
    {}, {"reason": ""}, {"reason": " \n"}, {"reason": "a\x00b"}, {"reason": "x" * 1001}, {"reason": "x" * 10_000},
    {"reason": 5}, {"reason": None}, {"reason": "why", "sellerAmount": 1}, {"reason": "\ud800"}, [], "why",
)  # fmt: skip
TOKEN = "a task's token"


def file(escrow: Escrow) -> EscrowFile:
    """Everything of the escrow, as it lies in the table now."""
    return reads.escrow(escrow.id)


def row(escrow: Escrow) -> Escrow:
    """The escrow as it lies in the table now."""
    return factories.escrow_row(escrow)


def delivery(escrow: Escrow) -> Delivery:
    """Its delivery as it lies in the table now."""
    return file(escrow).delivery


def path(escrow: Escrow) -> dict[str, str]:
    """The path parameters of what is done to its delivery."""
    return {"escrow_id": escrow.id, "delivery_id": delivery(escrow).id}


def changed(escrow: Escrow, **changes: Any) -> Escrow:
    """The escrow after what other rooms, or later ones, do to it."""
    found = row(escrow)
    for name, value in changes.items():
        setattr(found, name, value)
    table.commit(found, action="test", actor=actors.system("test"))
    return found


def confirm(aws: Platform, escrow: Escrow, key: str = "k", user: Any = None, **options: Any) -> Answer:
    """The buyer (or somebody else) confirms."""
    headers = {"Idempotency-Key": key} | options.pop("headers", {})
    asks = user or escrow.buyer_id
    return aws.call("confirm_delivery", asks, {"acknowledge": True}, headers=headers, **path(escrow), **options)


def refund(aws: Platform, escrow: Escrow, key: str = "k", user: Any = None, **options: Any) -> Answer:
    """The seller (or somebody else) refunds."""
    headers = {"Idempotency-Key": key} | options.pop("headers", {})
    asks = user or escrow.seller_id
    return aws.call("refund_escrow", asks, {"reason": "Sorry."}, headers=headers, escrow_id=escrow.id, **options)


def staff(*roles: PlatformRole) -> User:
    """A member of staff who is no party."""
    return factories.user(platform_roles=frozenset(roles))


def seen(aws: Platform, escrow: Escrow, user: Any) -> dict[str, Any]:
    """The escrow as somebody reads it."""
    answer = aws.call("get_escrow", user, escrow_id=escrow.id)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def paid_out(stripe: StripeDouble, escrow: Escrow, settlement_id: str | None = None) -> Escrow:
    """The escrow after its settlement's machine ran, and ran again when the bank was done with a refund."""
    settlement_id = settlement_id or str(row(escrow).settlement_id)
    factories.settle(escrow, settlement_id)
    if file(escrow).settlement(settlement_id).status is SettlementStatus.OPEN:
        stripe.advance(days=5)
        factories.settle(escrow, settlement_id)
    return row(escrow)


def sound(aws: Platform, escrow: Escrow) -> dict[str, int]:
    """The sums of the ledger's accounts that are not zero; asserts that it balances and that the audit path holds."""
    ledger = aws.call("get_ledger", escrow.buyer_id, escrow_id=escrow.id).body
    assert ledger["balanced"]
    told: dict[str, Any] = {}
    while not told or "nextCursor" in told:
        query = {"cursor": told["nextCursor"]} if told else None
        told = aws.call("get_timeline", escrow.seller_id, query=query, escrow_id=escrow.id).body
        assert told["verified"]
    return {account: cents for account, cents in ledger["accounts"].items() if cents}


def hidden(aws: Platform, action: str, escrow: Escrow, user: Any, body: Any = None, **options: Any) -> None:
    """An outsider, and staff that is not let in, see nothing; no id leads anywhere else. Nothing is written.

    `user` is someone whom the route lets in; `deliveries=True` where the path names one.
    """
    paths: list[dict[str, str]] = [{"escrow_id": wrong} for wrong in BAD_IDS]
    real = {"escrow_id": escrow.id}
    if options.pop("deliveries", False):
        other = delivery(factories.executed()).id  # a real one, of somebody else's escrow
        real = path(escrow)
        paths = [one | {"delivery_id": real["delivery_id"]} for one in paths]
        paths += [real | {"delivery_id": wrong} for wrong in (*BAD_DELIVERIES, other)]
    proposal = options.pop("proposal", None)  # the id of one, where the path names it
    if proposal is not None:
        real |= {"proposal_id": proposal}
        paths = [one | {"proposal_id": proposal} for one in paths]
    strangers = options.pop("strangers", [factories.user(), staff(PlatformRole.SUPPORT, PlatformRole.COMPLIANCE)])
    before = aws.rows()
    told = [aws.call(action, user, body, **one, **options) for one in paths]
    told += [aws.call(action, stranger, body, **real, **options) for stranger in strangers]
    assert [(answer.status, answer.code) for answer in told] == [(404, "NOT_FOUND")] * len(told)
    assert {answer.body["detail"] for answer in told[len(paths) :]} <= {"There is no such escrow."}
    assert aws.call(action, None, body, **real, **options).status == 401
    assert aws.rows() == before


def turned_away(aws: Platform, action: str, user: Any, bodies: Any, **options: Any) -> None:
    """Bodies of the wrong form: 400, and nothing is written."""
    before = aws.rows()
    for wrong in bodies:
        answer = aws.call(action, user, wrong, **options)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), (wrong, answer.body)
    assert aws.rows() == before


def listing(escrow: Escrow) -> Listing:
    """Its listing as it lies in the table now."""
    return table.get(Listing, id=escrow.listing_id)


def around(escrow: Escrow) -> dict[str, Any]:
    """What lies around the deal: listing, offer, and both parties' open deals and volumes."""
    root, depth = offer_place(escrow.offer_id)
    people = [table.get(Deals, user_id=user_id) for user_id in (escrow.buyer_id, escrow.seller_id)]
    return {
        "listing": str(listing(escrow).status),
        "offer": str(table.get(Offer, root=root, depth=depth).status),
        "open": [deals.open for deals in people],
        "volume": [sum(deals.volume.values()) for deals in people],
    }


def settings(monkeypatch: pytest.MonkeyPatch, **changes: int) -> None:
    """Other limits, in snake_case, until the test ends."""
    for name, value in changes.items():
        monkeypatch.setenv(name.upper(), str(value))
    config.settings.cache_clear()


def text(*answers: Any) -> str:
    """All of it as text, to look for what must not be there."""
    return json.dumps([answer.body if isinstance(answer, Answer) else answer for answer in answers])
