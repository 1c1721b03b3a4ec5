"""Who may come in, tried on every route of the template: a new route can't forget its door."""

import base64
import json
from typing import Any

import jwt
import pytest

from local.client import Reply
from local.demo import milestones
from local.demo.stories import Cast
from local.trader import Trader
from tests.flows.theatre import Theatre
from tools import template

ROUTES = [(f.action, route) for f in template.functions(template.load()) for route in f.routes]
CLOSED = [(action, route) for action, route in ROUTES if not route.public]
PUBLIC = {
    "start_discord_login", "finish_discord_login", "refresh_session", "search_listings", "get_listing",
    "list_snapshots",
    "sign_by_link", "verify_contract", "receive_stripe_event", "receive_chain_event", "get_health", "get_openapi",
}  # fmt: skip
STAFF = ("/staff/", "/audit", "/disputes")
BODIES: dict[str, Any] = {
    "activate_listing": None,
    "counter_offer": {"amount": 100},
    "accept_offer": {"termsHash": "0" * 64},
    "sign_contract": {"sha256": "0" * 64, "consent": "I AGREE"},
    "void_contract": {"reason": "x"},
    "cancel_escrow": {"reason": "x"},
    "refund_escrow": {"reason": "x"},
    "resume_settlement": {"reason": "x"},
    "announce_manual_payment": {
        "settlementId": "stl_01K6ZZ8Q3V7M2N4P5R6S7T8V9W",
        "leg": 1,
        "amount": 1,
        "reason": "x",
    },
    "record_manual_payment": {"paymentId": "BANK-0001", "reason": "x"},
    "withdraw_manual_payment": {"reason": "x"},
    "allow_card": {"reason": "x"},
    "decide_hold": {"hold": "SANCTIONS", "decision": "CLEAR", "reason": "x"},
    "confirm_delivery": {"acknowledge": True},
    "release_milestone": {"acknowledge": True},
    "open_dispute": {"title": "x", "description": "x", "reasonCode": "OTHER"},
    "reject_delivery": {"description": "x", "reasonCode": "OTHER"},
    "post_dispute_message": {"text": "x"},
    "resolve_dispute": {"outcome": "REFUND", "sellerAmount": 0, "buyerAmount": 1, "resolution": "x" * 20},
    "propose_settlement": {"sellerAmount": 1, "buyerAmount": 1, "reason": "x"},
    "accept_settlement": None,
    "reject_settlement": None,
    "withdraw_settlement": None,
    "extend_deadline": {"deadline": "deliverBy", "until": "2100-01-01T00:00:00Z"},
    "add_evidence": {"sha256": "0" * 64, "contentType": "image/png", "sizeBytes": 1, "note": "x"},
}


def ask(cast: Cast, action: str, route: template.Route, ids: dict[str, str], token: str | None) -> Reply:
    """One request to a route, with a body that is good in form."""
    headers = {"Idempotency-Key": "a-key"} | ({} if token is None else {"Authorization": token})
    body = BODIES.get(action, {}) if route.method in {"POST", "PATCH", "PUT"} else None
    return cast.world.api.ask(route.method, route.path.format_map(ids), body, headers=headers)


@pytest.fixture(scope="module")
def ids(cast: Cast) -> dict[str, str]:
    """Well-formed ids of nothing."""
    ulid = "01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
    names = {
        "listing_id": "lst",
        "offer_id": "off",
        "contract_id": "con",
        "escrow_id": "esc",
        "delivery_id": "dlv",
        "milestone_id": "mst",
        "dispute_id": "dsp",
        "proposal_id": "prp",
        "manual_payment_id": "mpy",
    }
    return {name: f"{prefix}_{ulid}" for name, prefix in names.items()} | {
        "user_id": f"usr_{ulid}",
        "date": "2026-11-29",
    }


@pytest.fixture(scope="module")
def keys(cast: Cast) -> dict[str, str | None]:
    """What does not open a door."""
    visitor = Trader(cast.world, "gone", "820001", "920001")
    visitor.sign_in()
    ended = visitor.tokens["accessToken"]
    visitor.post("/auth/logout")
    good = cast.buyer.tokens["accessToken"]
    head, claims, mac = good.split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "=="))
    unsigned = jwt.encode(forged, None, algorithm="none")
    signed_by_another = jwt.encode(forged, "another key, long enough for HS256 to take it", algorithm="HS256")
    return {
        "no token": None,
        "another scheme": "Basic dXNlcjpwYXNz",
        "junk": "Bearer junk",
        "an empty token": "Bearer ",
        "an ended session": f"Bearer {ended}",
        "a refresh token": f"Bearer {cast.buyer.tokens['refreshToken']}",
        "no signature": f"Bearer {unsigned}",
        "another's signature": f"Bearer {signed_by_another}",
        "a changed signature": f"Bearer {head}.{claims}.{mac[:-4]}AAAA",
    }


def test_public_routes_are_the_ones_we_mean() -> None:
    assert {action for action, route in ROUTES if route.public} == PUBLIC


@pytest.mark.parametrize(("action", "route"), CLOSED, ids=[action for action, _ in CLOSED])
def test_no_door_opens_without_a_good_token(
    cast: Cast, ids: dict[str, str], keys: dict[str, str | None], action: str, route: template.Route
) -> None:
    for name, token in keys.items():
        reply = ask(cast, action, route, ids, token)
        assert reply.status == 401, name
        assert reply.body["code"] == "UNAUTHENTICATED"
        assert reply.headers["Content-Type"] == "application/problem+json"


def test_an_expired_token_opens_nothing(cast: Cast, ids: dict[str, str], theatre: Theatre) -> None:
    old = f"Bearer {cast.buyer.tokens['accessToken']}"
    theatre.stack.clock.advance(minutes=16)
    for action, route in CLOSED:
        assert ask(cast, action, route, ids, old).status == 401, action


def test_a_stranger_finds_nothing_of_a_trade(cast: Cast, theatre: Theatre, ids: dict[str, str]) -> None:
    theatre.agree(milestones.PARTS)
    theatre.fund()
    paid = theatre.cast.buyer.get(theatre.path)
    claim = BODIES["open_dispute"]
    dispute = cast.buyer.post(f"{theatre.path}/disputes", claim)["id"]
    parts = {"sellerAmount": 1, "buyerAmount": 22_999, "reason": "x"}
    proposal = cast.seller.post(f"{theatre.path}/settlements", parts)["id"]
    listing = cast.seller.get(f"/listings/{theatre.trade.listing_id}")
    contract = cast.buyer.get(f"/contracts/{theatre.trade.contract_id}")
    real = {
        "listing_id": listing["id"],
        "offer_id": contract["offerId"],
        "contract_id": theatre.trade.contract_id,
        "escrow_id": theatre.trade.escrow_id,
        "delivery_id": paid["deliveries"][0]["id"],
        "milestone_id": paid["milestones"][0]["id"],
        "dispute_id": dispute,
        "proposal_id": proposal,
        "manual_payment_id": ids["manual_payment_id"],
        "user_id": cast.buyer.user_id,
    }
    stranger = Trader(cast.world, "stranger", "820002", "920002")
    stranger.sign_in()
    stranger.link_roblox()
    before = theatre.rows()
    for action, route in CLOSED:
        private = any(f"{{{name}}}" in route.path for name in ("offer_id", "contract_id", "escrow_id"))
        if private:
            reply = ask(cast, action, route, real, f"Bearer {stranger.tokens['accessToken']}")
            expected = {403, 404} if route.path.startswith(STAFF) else {404}
            assert reply.status in expected, (action, reply)
    assert theatre.rows() == before, "a refusal wrote something"


def test_a_stranger_may_not_touch_a_listing(cast: Cast, theatre: Theatre) -> None:
    theatre.agree()
    stranger = Trader(cast.world, "stranger", "820002", "920002")
    stranger.sign_in()
    ids = {"listing_id": theatre.trade.listing_id}
    for action, route in CLOSED:
        if "{listing_id}" in route.path and action not in {"make_offer", "list_listing_offers"}:
            reply = ask(cast, action, route, ids, f"Bearer {stranger.tokens['accessToken']}")
            assert reply.status in {400, 403}, (action, reply)


def test_staff_routes_are_closed_to_traders(cast: Cast, theatre: Theatre, ids: dict[str, str]) -> None:
    token = f"Bearer {cast.buyer.tokens['accessToken']}"
    for action, route in CLOSED:
        if route.path.startswith("/staff/"):
            assert ask(cast, action, route, ids, token).status in {403, 404}, action
    assert cast.world.api.ask("GET", "/disputes", headers={"Authorization": token}).status == 403
    assert cast.world.api.ask("GET", "/reconciliation/2026-11-29", headers={"Authorization": token}).status == 403
    assert cast.world.api.ask("GET", "/audit?entity=x", headers={"Authorization": token}).status == 403
    assert cast.world.api.ask("GET", "/audit/verify?entity=x", headers={"Authorization": token}).status == 404
