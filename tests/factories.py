"""Rows a test starts from, written as the platform writes them: where a function makes them, by that function."""

import itertools
import json
from typing import Any
from unittest import mock

from fpdf import FPDF
from pydantic.alias_generators import to_camel

from bloxtr8 import actors, clock, ids, sessions, table
from bloxtr8.documents import pdf
from bloxtr8.domain import agreements
from bloxtr8.entities import Contract, Deals, Escrow, Identity, Listing, Offer, Session, Side, StripeEscrow, Tier, User
from bloxtr8.rails import stripe_accounts, stripe_client
from local.doubles.stripe.double import StripeDouble
from tests.doubles import Roblox
from tests.emulator import Platform

_numbers = itertools.count(1)
_ground: list[Any] = []


def stand_on(platform: Platform, roblox: Roblox) -> None:
    """The platform and the Roblox of the test that runs now (conftest.py)."""
    _ground[:] = platform, roblox


def user(**fields: Any) -> User:
    """A person who signed in with Discord and linked Roblox, ready to be paid; fields override."""
    n = next(_numbers)
    values: dict[str, Any] = {
        "id": ids.new("usr"),
        "discord_id": str(10_000 + n),
        "username": f"trader{n}",
        "roblox_id": str(20_000 + n),
        "roblox_username": f"Robloxian{n}",
        "tier": Tier.TIER_1,
        "payout_account_id": f"acct_test{n}",
        "payout_country": "US",
        "payouts_ready": True,
        "created_at": clock.now(),
    } | fields
    person = User(**values)
    names = [("DISCORD", person.discord_id), ("ROBLOX", person.roblox_id)]
    marks = [Identity(provider=provider, value=value, user_id=person.id) for provider, value in names if value]
    table.commit(
        person, Deals(user_id=person.id), *marks, action="finish_discord_login", actor=actors.system("factory")
    )
    return person


def newcomer(**fields: Any) -> User:
    """A person who only signed in with Discord (tier 0)."""
    return user(
        **{
            "roblox_id": None,
            "roblox_username": None,
            "tier": Tier.TIER_0,
            "payout_account_id": None,
            "payout_country": None,
            "payouts_ready": False,
            **fields,
        }
    )


def session(person: User) -> tuple[Session, sessions.Tokens]:
    """A sign-in of the person, and its tokens."""
    opened = sessions.open_session(person.id)
    assert table.remember(opened)
    return opened, sessions.tokens_for(opened)


def listing(seller: User, **fields: Any) -> Listing:
    """A listing as create_listing made it, of a group that is the seller's on Roblox; fields override, in snake_case.

    Roblox is told of the group unless `asset_id` names one that the test made. ACTIVE, unless Roblox is down.
    """
    platform, roblox = _ground
    n = next(_numbers)
    if "asset_id" not in fields:
        fields["asset_id"] = str(700_000 + n)
        roblox.set_group(fields["asset_id"], owner=seller, members=1_200)
    body = {
        "title": f"Group {n}",
        "summary": "A group with a history",
        "price": 120_000,
        "category": "Roleplay",
        "asset_type": "GROUP",
        "visibility": "PUBLIC",
    } | fields
    answer = platform.call("create_listing", seller, {to_camel(name): value for name, value in body.items()})
    assert answer.status == 201, answer.body
    return table.get(Listing, id=answer.body["id"])


def offer(listing: Listing, buyer: User, **fields: Any) -> Offer:
    """An offer as make_offer made it; fields override, in snake_case."""
    platform, _ = _ground
    body = {"amount": 100_000, "currency": "USD"} | fields
    answer = platform.call(
        "make_offer", buyer, {to_camel(name): value for name, value in body.items()}, listing_id=listing.id
    )
    assert answer.status == 201, answer.body
    return offer_row(answer.body["id"])


def offer_row(offer_id: str) -> Offer:
    """An offer as it lies in the table."""
    root, depth = ids.offer_place(offer_id)
    return table.get(Offer, root=root, depth=depth)


def terms_hash(made: Offer) -> str:
    """What an acceptor of this offer names."""
    return agreements.terms_hash(made, table.get(Listing, id=made.listing_id))


def accepted(
    seller: User | None = None, buyer: User | None = None, made: Offer | None = None, **fields: Any
) -> Contract:
    """The contract of an offer that its other side accepted through accept_offer.

    Of `made`, or of a buyer's offer for a new listing of the seller's; fields are the offer's, in snake_case.
    """
    platform, _ = _ground
    if made is None:
        made = offer(listing(seller or user()), buyer or user(), **fields)
    answers = made.seller_id if made.proposed_by is Side.BUYER else made.buyer_id
    answer = platform.call("accept_offer", answers, {"termsHash": terms_hash(made)}, offer_id=made.id)
    assert answer.status == 200, answer.body
    return table.get(Contract, ulid=ids.ulid_of(answer.body["contractId"]))


def contract(accepted_one: Contract | None = None, *, printed: bool = False, **fields: Any) -> Contract:
    """A contract whose document was made by render_contract: PENDING_SIGNATURE. Fields are `accepted`'s.

    The document is a blank page that names its terms; `printed=True` makes the real one (0.3 s).
    """
    platform, _ = _ground
    made = accepted_one or accepted(**fields)
    with mock.patch.object(pdf, "render", pdf.render if printed else _blank_page):
        platform.invoke("render_contract", {"contractId": made.id})
    return contract_row(made)


def contract_row(made: Contract) -> Contract:
    """A contract as it lies in the table."""
    return table.get(Contract, ulid=made.ulid)


def executed(ready: Contract | None = None, **fields: Any) -> Escrow:
    """The escrow that the second signature opened, AWAIT_FUNDS, of a contract that both signed through sign_contract.

    Of `ready`, or of a new one; fields are `contract`'s. The buyer signs first.
    """
    platform, _ = _ground
    ready = ready or contract(**fields)
    for party in (ready.buyer_id, ready.seller_id):
        consent = {"sha256": ready.sha256, "consent": "I AGREE"}
        answer = platform.call("sign_contract", party, consent, contract_id=ready.id)
        assert answer.status == 201, answer.body
    return table.get(Escrow, ulid=ready.ulid)


def payee(stripe: StripeDouble, **fields: Any) -> User:
    """A person whom Stripe pays: the account is open and finished there."""
    user_id = ids.new("usr")
    account = stripe_accounts.open_account(user_id, "US")
    stripe.onboard(account)
    return user(**{"id": user_id, "payout_account_id": account} | fields)


def payable(stripe: StripeDouble, **fields: Any) -> Escrow:
    """An escrow whose rail is open, AWAIT_FUNDS: the buyer can pay. Fields are `executed`'s; the seller can be paid."""
    platform, _ = _ground
    escrow = executed(**({"seller": payee(stripe)} | fields))
    platform.invoke("open_funding", {"escrowId": escrow.id})
    return escrow_row(escrow)


def pay(escrow: Escrow, card: str = "pm_card_visa") -> None:
    """The buyer pays at Stripe; the platform has yet to look."""
    intent = table.get(StripeEscrow, escrow_ulid=escrow.ulid).external_id
    stripe_client.client().v1.payment_intents.confirm(
        str(intent), {"payment_method": card, "return_url": "https://bloxtr8.example/paid"}
    )


def funded(stripe: StripeDouble, **fields: Any) -> Escrow:
    """An escrow that holds its money, FUNDS_HELD, through the tasks of fund_escrow. Fields are `executed`'s."""
    platform, _ = _ground
    escrow = payable(stripe, **fields)
    pay(escrow)
    for task in ("screen_deposit", "hold_funds"):
        platform.invoke(task, {"escrowId": escrow.id})
    return escrow_row(escrow)


def delivered(stripe: StripeDouble, **fields: Any) -> Escrow:
    """An escrow whose asset is the buyer's, DELIVERED, through start_delivery and mark_delivered."""
    platform, roblox = _ground
    escrow = funded(stripe, **fields)
    started = platform.call("start_delivery", escrow.seller_id, {}, escrow_id=escrow.id)
    assert started.status == 200, started.body
    roblox.set_group(escrow.asset_id, owner=escrow.buyer_roblox_id)
    path = {"escrow_id": escrow.id, "delivery_id": started.body["id"]}
    assert platform.call("mark_delivered", escrow.seller_id, **path).status == 200
    return escrow_row(escrow)


def escrow_row(escrow: Escrow) -> Escrow:
    """An escrow as it lies in the table."""
    return table.get(Escrow, ulid=escrow.ulid)


def settle(escrow: Escrow, settlement_id: str | None = None) -> Escrow:
    """Run settle_escrow's tasks as its machine does, until the attempt ends; the escrow as it is then."""
    platform, _ = _ground
    event = {"escrowId": escrow.id, "settlementId": settlement_id or escrow_row(escrow).settlement_id}
    step = platform.invoke("send_leg", event)
    while step["next"] in {"NEXT", "CONFIRM"}:
        step = platform.invoke("send_leg" if step["next"] == "NEXT" else "confirm_leg", event)
    if step["next"] == "FINISH":
        platform.invoke("finish_settlement", event)
    elif step["next"] == "PARK":
        platform.invoke("park_settlement", event | {"error": step["error"]})
    return escrow_row(escrow)


def _blank_page(terms: dict[str, Any]) -> bytes:
    """A valid PDF in place of a contract's, of the same bytes for the same terms."""
    page = FPDF()
    page.add_page()
    page.set_creation_date(clock.parse(terms["acceptedAt"]))
    page.set_subject(json.dumps(terms, sort_keys=True))
    return bytes(page.output())
