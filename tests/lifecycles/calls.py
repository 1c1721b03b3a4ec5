"""How each action is asked for: its route and body by its event file, and what a real caller would fill in.

An action that needs nothing special is asked for as events/<action>.json does, so that a new one is tried at once.
"""

import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from bloxtr8 import clock, sign_links
from bloxtr8.domain import compliance, refused_payouts
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.extensions import EXTENDABLE
from bloxtr8.domain.transitions import LIFECYCLES
from bloxtr8.entities import Contract, Escrow, Leg
from tests import factories
from tests.checks import bearer
from tests.emulator import ROOT, Answer, Platform, route_of
from tests.functions.disputes import WHY
from tests.lifecycles.ground import Trade
from tests.lifecycles.picture import Picture

NOWHERE = "01K6ZZ8Q3V7M2N4P5R6S7T8V9W"  # in the place of what the stage does not have
WRITTEN_AS = {"verify_delivery": "prove_delivery"}  # the platform's own move, which a party's request may lead to
PREFIXES = {"delivery": "dlv", "dispute": "dsp", "proposal": "prp", "milestone": "mst", "manual_payment": "mpy"}
NAMED = {"proposal": "SettlementProposal", "manual_payment": "ManualPayment"}  # whose row is not called as in a path
type Bodies = Callable[[Trade, Picture, str], Iterator[Any]]


@functools.cache
def _event(action: str) -> dict[str, Any]:
    path = ROOT / f"events/{action}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


ACTIONS = sorted(
    {
        move.action
        for cycle in LIFECYCLES
        for move in cycle.moves
        if "httpMethod" in _event(move.action) and "/webhooks/" not in _event(move.action)["resource"]
    }
)


def ask(
    aws: Platform, action: str, trade: Trade, picture: Picture, who: str, body: Any, key: str = "of the walk"
) -> Answer:
    """Call it as `who`, about the stage's trade."""
    actor = None if action == "sign_by_link" else trade[who]
    return aws.call(action, actor, body, headers={"Idempotency-Key": key}, **_path(action, trade, picture))


def bodies(action: str, trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    """What `who` could send, one after the other."""
    if action in BODIES:
        yield from BODIES[action](trade, picture, who)
    else:
        text = _event(action).get("body")
        yield json.loads(text) if text else None


def _path(action: str, trade: Trade, picture: Picture) -> dict[str, str]:
    names = re.findall(r"{(\w+)}", route_of(action)[1])
    return {name: _id(name.removesuffix("_id"), trade, picture) for name in names}


def _id(kind: str, trade: Trade, picture: Picture) -> str:
    if kind in PREFIXES:
        found = picture.subject(NAMED.get(kind, kind.title()))
        return str(found.id) if found else f"{PREFIXES[kind]}_{NOWHERE}"
    missing = {"offer": f"off_{NOWHERE}", "contract": f"con_{NOWHERE}", "escrow": f"esc_{NOWHERE}"}
    return str(getattr(trade, f"{kind}_id") or missing[kind])


def _file(trade: Trade, picture: Picture) -> EscrowFile | None:
    found = picture.rows(Escrow)
    return picture.file(found[0]) if found else None


# --- what a caller fills in


def _listing(trade: Trade, _: Picture, who: str) -> Iterator[Any]:
    body = json.loads(_event("create_listing")["body"])
    yield body | {"assetId": trade.asset_id}


def _terms(trade: Trade, _: Picture, who: str) -> Iterator[Any]:
    yield {"termsHash": factories.terms_hash(factories.offer_row(trade.offer_id)) if trade.offer_id else "0" * 64}


def _counter(trade: Trade, _: Picture, who: str) -> Iterator[Any]:
    yield {"amount": 90_000}


def _consent(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    found = picture.rows(Contract)
    yield {"sha256": (found and found[0].sha256) or "0" * 64, "consent": "I AGREE"}


def _link(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    """A link that was made in time."""
    (consent,) = _consent(trade, picture, who)
    token, _ = sign_links.create(str(trade.contract_id or f"con_{NOWHERE}"), trade[who].id)
    yield consent | {"token": token}


def _later(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    file = _file(trade, picture)
    for name, one in EXTENDABLE.items():
        old = (file and getattr(file.escrow, one.field)) or clock.now()
        yield {"deadline": name, "until": clock.iso(old + dt.timedelta(days=3))}


def _parts(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    yield {"sellerAmount": 1, "buyerAmount": _rest(trade, picture) - 1, "reason": WHY}


def _decision(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    yield {"outcome": "SPLIT", "sellerAmount": 1, "buyerAmount": _rest(trade, picture) - 1, "resolution": WHY}


def _rest(trade: Trade, picture: Picture) -> int:
    """What there is to divide; where there is nothing, any amount."""
    file = _file(trade, picture)
    return (refused_payouts.to_divide(file) if file else 0) or 2


def _hold(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    for decision, about in compliance.ABOUT.items():
        for hold in about:
            yield {"hold": str(hold), "decision": str(decision), "reason": "r"}


def _due(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    """What was refused, or else what was planned last; and all that is set aside."""
    for escrow in picture.rows(Escrow):
        if escrow.quarantined:
            yield {"pays": "BUYER", "amount": escrow.quarantined, "reason": "r"}
    found = picture.rows(Leg)
    due = next((leg for leg in found if leg.status == "REJECTED"), found[-1] if found else None)
    about = {"settlementId": f"stl_{NOWHERE}", "leg": 1, "amount": 1}
    if due:
        about = {"settlementId": due.settlement_id, "leg": due.n, "amount": due.amount}
    yield about | {"reason": "r"}


def _assignee(trade: Trade, picture: Picture, who: str) -> Iterator[Any]:
    yield {}
    yield {"assigneeId": trade["arbiter"].id}


BODIES: dict[str, Bodies] = {
    "create_listing": _listing,
    "accept_offer": _terms,
    "counter_offer": _counter,
    "sign_contract": _consent,
    "sign_by_link": _link,
    "extend_deadline": _later,
    "propose_settlement": _parts,
    "resolve_dispute": _decision,
    "decide_hold": _hold,
    "announce_manual_payment": _due,
    "assign_dispute": _assignee,
}

# --- what somebody may do, as the views tell him

VIEWS = {"listings": "get_listing", "offers": "get_offer", "contracts": "get_contract", "escrows": "get_escrow"}


def view_of(action: str) -> str:
    """The view that allows the action or does not."""
    path = route_of(action)[1]
    return "get_dispute" if "/disputes/" in path else VIEWS[path.removeprefix("/staff").split("/")[1]]


def allowed(aws: Platform, trade: Trade, picture: Picture, who: str, view: str) -> set[str] | None:
    """What a view of the stage's trade allows him; None where he may not see it."""
    answer = aws.call(view, trade[who], headers=bearer(trade[who]), **_path(view, trade, picture))
    if answer.status != 200:
        return None
    body = answer.body["dispute"] if view == "get_dispute" else answer.body
    payments = (body.get("refusals") or {}).get("manualPayments", ())
    parts = [body, body.get("proposal") or {}, *payments]
    return {action for part in parts for action in part.get("allowedActions", ())}
