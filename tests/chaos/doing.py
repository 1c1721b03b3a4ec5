"""What buyers and sellers may do in each state of their trade: (how likely, its name, the act)."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bloxtr8 import clock
from bloxtr8.domain import agreements, plans
from bloxtr8.domain.escrows import EscrowFile
from tests.chaos import assets, outside, paying

if TYPE_CHECKING:
    from tests.chaos.people import Trade

type Possible = list[tuple[float, str, Callable[[], object]]]

AMOUNTS = (50, 51, 99, 333, 1_000, 9_999, 10_000, 99_999, 123_457, 700_001, 990_000)
PRICE = 1_000_000
REASON = {"reason": "Changed my mind."}


def possible(trade: "Trade") -> Possible:
    """What may be done now."""
    if trade.listing is None:
        return [(1, "list", lambda: _list(trade))]
    offer, contract, escrow = trade.offer, trade.contract, trade.escrow
    if offer is None:
        live = trade.listing.status == "ACTIVE"
        again = lambda: trade.ask("activate_listing", trade.seller, listing_id=trade.listing_id)  # noqa: E731
        return [(1, "offer", lambda: _offer(trade)) if live else (1, "activate", again)]
    if contract is None:
        return _bargain(trade, offer)
    if escrow is None:
        return _sign(trade, contract)
    return [(0.15, "wait", _nothing), *_STATES.get(str(escrow.status), _none)(trade, escrow)]


# --- before the money


def _list(trade: "Trade") -> None:
    assets.begin(trade)
    body = {
        "title": f"Group {trade.number}", "summary": "A group with a history", "price": PRICE, "category": "Roleplay",
        "assetType": trade.fate.asset, "assetId": trade.asset_id, "visibility": "PUBLIC",
    }  # fmt: skip
    trade.ask("create_listing", trade.seller, body, then=lambda made: setattr(trade, "listing_id", made["id"]))


def _offer(trade: "Trade") -> None:
    trade.offers += 1
    body: dict[str, Any] = {"amount": trade.random.choice(AMOUNTS), "currency": trade.fate.currency}
    if trade.fate.parts:
        body["milestones"] = _parts(trade, body["amount"], trade.fate.parts)
    there = {"listing_id": str(trade.listing_id)}
    trade.ask("make_offer", trade.buyer, body, then=lambda made: setattr(trade, "offer_id", made["id"]), **there)


def _offer_twice(trade: "Trade", amount: int) -> None:
    """The buyer wants a second chain beside the one that is alive (C3)."""
    body = {"amount": amount, "currency": trade.fate.currency}
    trade.ask("make_offer", trade.buyer, body, listing_id=str(trade.listing_id))


def _parts(trade: "Trade", amount: int, number: int) -> list[dict[str, Any]]:
    """Milestones of any size that make the amount; the last hands the asset over, or an earlier one that is large."""
    cuts = sorted(trade.random.sample(range(1, amount), number - 1))
    sizes = [end - begin for begin, end in zip([0, *cuts], [*cuts, amount], strict=True)]
    if trade.fate.asset_first:  # which has to be half of it, then
        sizes.sort(reverse=True)
    may = [n for n, cents in enumerate(sizes, 1) if 2 * cents >= amount or n == number]
    asset = may[0] if trade.fate.asset_first else trade.random.choice(may)
    return [
        {"title": f"Part {n}", "amountCents": cents, "transfersAsset": n == asset} for n, cents in enumerate(sizes, 1)
    ]


def _bargain(trade: "Trade", offer: Any) -> Possible:
    if offer.status != "PENDING":
        return []
    answers, proposes = (trade.seller, trade.buyer) if offer.proposed_by == "BUYER" else (trade.buyer, trade.seller)
    path = {"offer_id": offer.id}
    terms = {"termsHash": agreements.terms_hash(offer, trade.listing)}
    other = trade.random.choice([one for one in AMOUNTS if one != offer.amount])
    stale = {"termsHash": outside.token(offer.id)}
    return [
        (0.4, "accept unseen", lambda: trade.ask("accept_offer", answers, stale, then=_unseen(trade), **path)),
        (0.4, "offer twice", lambda: _offer_twice(trade, other)),
        (8, "accept", lambda: trade.ask("accept_offer", answers, terms, **path)),
        (
            0 if trade.fate.parts else 1,
            "counter",
            lambda: trade.ask("counter_offer", answers, {"amount": other}, **path),
        ),
        (0.1, "decline", lambda: trade.ask("decline_offer", answers, {}, **path)),
        (0.1, "withdraw", lambda: trade.ask("withdraw_offer", proposes, {}, **path)),
        (0.2, "wait", _nothing),
    ]


def _sign(trade: "Trade", contract: Any) -> Possible:
    if contract.status != "PENDING_SIGNATURE":
        return [(1, "wait", _nothing)]
    signed = {row.user_id for row in trade.world.mirror.partition(f"CONTRACT#{contract.ulid}", "SIG#")}
    found: Possible = []
    path = {"contract_id": contract.id}
    consent = {"sha256": contract.sha256, "consent": "I AGREE"}
    for user in (trade.buyer, trade.seller):
        if user.id not in signed:
            found += [
                (5, "sign", lambda user=user: trade.ask("sign_contract", user, consent, **path)),
                (0.4, "sign unseen", lambda user=user: _sign_unseen(trade, contract, user, path)),
                (1, "sign by link", lambda user=user: _sign_by_link(trade, user, consent, path)),
            ]
        found.append((0.04, "void", lambda user=user: trade.ask("void_contract", user, REASON, **path)))
    return found


def _sign_unseen(trade: "Trade", contract: Any, user: Any, path: dict[str, str]) -> None:
    """He names the document of another contract, if there is one."""
    found = [row.sha256 for row in trade.world.mirror.every("CONTRACT#", "META") if row.sha256 != contract.sha256]
    consent = {"sha256": next(filter(None, found), outside.token(user.id)), "consent": "I AGREE"}
    trade.ask("sign_contract", user, consent, then=_unseen(trade), **path)


def _unseen(trade: "Trade") -> Callable[[object], object]:
    """Nobody may agree to what he has not seen (C12)."""
    return lambda _: trade.world.broken.append(f"c12: somebody of t{trade.number} agreed to what he had not seen")


def _sign_by_link(trade: "Trade", user: Any, consent: dict[str, str], path: dict[str, str]) -> None:
    def follow(link: dict[str, Any]) -> None:
        trade.later_act(60, "link", lambda: trade.ask("sign_by_link", None, {**consent, "token": link["token"]}))

    trade.ask("create_sign_link", user, then=follow, **path)


# --- with the money


def _await(trade: "Trade", escrow: Any) -> Possible:
    path = {"escrow_id": escrow.id}
    found: Possible = [
        (1, "ask how to pay", lambda: trade.ask("start_payment", trade.buyer, **path)),
        (0.12, "cancel", lambda: trade.ask("cancel_escrow", trade.buyer, REASON, **path)),
        (0.12, "cancel", lambda: trade.ask("cancel_escrow", trade.seller, REASON, **path)),
        (0.3, "extend", lambda: _extend(trade, escrow, trade.seller, "fundBy", escrow.fund_by)),
    ]
    if trade.rail_row.external_id is not None and "paid" not in trade.marks:
        found.append((8, "pay", lambda: paying.pay(trade, escrow)))
    return found


def _held(trade: "Trade", escrow: Any) -> Possible:
    file = trade.world.file(escrow)
    delivery = file.delivery  # of milestones the one that has its turn
    path = {"escrow_id": escrow.id}
    there = {**path, "delivery_id": delivery.id}
    found: Possible = [
        (0.3, "extend", lambda: _extend(trade, escrow, trade.buyer, "deliverBy", escrow.deliver_by)),
        (0.5, "look", lambda: trade.ask("verify_delivery", trade.random.choice((trade.buyer, trade.seller)), **there)),
        (0.5, "look", lambda: trade.ask("check_transfer", trade.buyer, **path)),
        *_conflict(trade, escrow),
        *_early(trade, file),
    ]
    if escrow.inspecting:  # a milestone of which more are to come
        return found + _answer(trade, there)
    if delivery.status == "PENDING":
        found.append((6, "deliver", lambda: trade.ask("start_delivery", trade.seller, {}, **path)))
    if delivery.status == "IN_PROGRESS":
        if "passed on" not in trade.marks:  # it is not the seller's to give any more
            found.append((6, "deliver", lambda: assets.give(trade, escrow.buyer_roblox_id)))
        found.append((3, "mark", lambda: trade.ask("mark_delivered", trade.seller, **there)))
    return found


def _delivered(trade: "Trade", escrow: Any) -> Possible:
    file = trade.world.file(escrow)
    there = {"escrow_id": escrow.id, "delivery_id": file.delivery.id}
    return [
        *_answer(trade, there),
        (0.3, "extend", lambda: _extend(trade, escrow, trade.seller, "inspectBy", escrow.inspect_by)),
        *_conflict(trade, escrow),
        *_early(trade, file),
    ]


def _answer(trade: "Trade", there: dict[str, str]) -> Possible:
    """What the buyer says to a delivery."""
    rejection = {"reasonCode": "NOT_AS_DESCRIBED", "description": "It has no games."}
    return [
        (6, "confirm", lambda: trade.ask("confirm_delivery", trade.buyer, {"acknowledge": True}, **there)),
        (0.5, "reject", lambda: trade.ask("reject_delivery", trade.buyer, rejection, **there)),
    ]


def _early(trade: "Trade", file: EscrowFile) -> Possible:
    """The buyer releases any milestone, whatever was delivered of it."""
    if not file.unreleased:
        return []
    path = {"escrow_id": file.escrow.id, "milestone_id": trade.random.choice(file.unreleased).id}
    return [(0.5, "release a part", lambda: trade.ask("release_milestone", trade.buyer, {"acknowledge": True}, **path))]


def _conflict(trade: "Trade", escrow: Any) -> Possible:
    path = {"escrow_id": escrow.id}
    user = trade.random.choice((trade.buyer, trade.seller))
    claim = {"title": "It is not right", "description": "Nothing came.", "reasonCode": "NOT_DELIVERED"}
    return [
        (0.3, "dispute", lambda: trade.ask("open_dispute", user, claim, **path)),
        (0.3, "refund", lambda: trade.ask("refund_escrow", trade.seller, REASON, **path)),
        *_proposals(trade, escrow),
    ]


def _disputed(trade: "Trade", escrow: Any) -> Possible:
    dispute = next((row for row in trade.of_escrow("DISPUTE#") if row.status in {"OPEN", "IN_REVIEW"}), None)
    if dispute is None:
        return []
    path = {"escrow_id": escrow.id}
    user = trade.random.choice((trade.buyer, trade.seller))
    there = {**path, "dispute_id": dispute.id}
    found: Possible = [
        (0.5, "say", lambda: trade.ask("post_dispute_message", user, {"text": "Please look."}, **there)),
        (0.5, "file", lambda: assets.file_evidence(trade, escrow, user)),
        (0.5, "read", lambda: trade.ask("get_dispute", user, **there)),
        (0.3, "refund", lambda: trade.ask("refund_escrow", trade.seller, REASON, **path)),
        *_proposals(trade, escrow),
    ]
    if dispute.opened_by != "SYSTEM":
        found.append((0.5, "take back", lambda: trade.ask("withdraw_dispute", dispute.opener_id, **there)))
    return found


def _settling(trade: "Trade", escrow: Any) -> Possible:
    return _proposals(trade, escrow) if "PAYOUT_FAILED" in escrow.holds else []


def _proposals(trade: "Trade", escrow: Any) -> Possible:
    path = {"escrow_id": escrow.id}
    live = next((row for row in trade.of_escrow("PROPOSAL#") if row.status == "OPEN"), None)
    if live is None:
        rest = plans.remaining(trade.world.file(escrow))
        share = trade.random.choice((0, min(1, rest), rest // 3, max(rest - 1, 0), rest))
        parts = {"sellerAmount": share, "buyerAmount": rest - share, "reason": "Let us end it."}
        user = trade.random.choice((trade.buyer, trade.seller))
        return [(0.4, "propose", lambda: trade.ask("propose_settlement", user, parts, **path))]
    by, other = (trade.buyer, trade.seller) if live.proposed_by == "BUYER" else (trade.seller, trade.buyer)
    there = {**path, "proposal_id": live.id}
    return [
        (1.5, "agree", lambda: trade.ask("accept_settlement", other, **there)),
        (0.5, "refuse", lambda: trade.ask("reject_settlement", other, **there)),
        (0.3, "take back", lambda: trade.ask("withdraw_settlement", by, **there)),
    ]


def _extend(trade: "Trade", escrow: Any, user: Any, name: str, deadline: dt.datetime) -> None:
    until = clock.iso(max(deadline, trade.world.clock.moment) + dt.timedelta(hours=trade.random.choice((1, 30))))
    trade.ask("extend_deadline", user, {"deadline": name, "until": until}, escrow_id=escrow.id)


def _nothing() -> None:
    pass


def _none(*_: Any) -> Possible:
    return []


_STATES: dict[str, Callable[["Trade", Any], Possible]] = {
    "AWAIT_FUNDS": _await,
    "FUNDS_HELD": _held,
    "DELIVERED": _delivered,
    "DISPUTED": _disputed,
    "SETTLING": _settling,
}
