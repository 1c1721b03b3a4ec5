"""decide_hold: what COMPLIANCE decides about a hold, and who has to agree (states.md, section 4).

Above `two_people_cents` two different people decide. A vote counts for a day, together with another's for the same
decision, about the findings that it covers; whatever was found since needs its own. One person has one vote about a
finding at a time: it can't be replaced, another's different vote stands beside it, and what is decided first ends
both.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any, NamedTuple

from bloxtr8 import clock, config, ids
from bloxtr8.actors import Actor
from bloxtr8.domain import disputes, escrows, holds, plans, refused_payouts, resuming, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import (
    Decision,
    DecisionStatus,
    Entity,
    Escrow,
    EscrowStatus,
    Hold,
    HoldDecision,
    StablecoinEscrow,
)
from bloxtr8.errors import Conflict, DomainError, Forbidden, InvalidState, Unprocessable

D = Decision
ABOUT = {
    D.CLEAR: (Hold.RISK_REVIEW, Hold.SANCTIONS),
    D.REFUND: (Hold.RISK_REVIEW, Hold.SANCTIONS, Hold.COMPLIANCE),
    D.FREEZE: (Hold.COMPLIANCE,),
    D.UNFREEZE: (Hold.COMPLIANCE,),
}
REFUNDABLE = escrows.WAITS_FOR_MONEY | {EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED, EscrowStatus.DISPUTED}
REFUNDED = "REFUNDED_BY_COMPLIANCE"
_DESPITE = frozenset(Hold) - {Hold.CHARGEBACK}  # the bank has that money; what any other hold stops waits for its end
MOST = 300  # causes of one decision
_EVIDENCE = ("risk", "source", "version", "at", wallet_risk.SILENT)


class Option(NamedTuple):
    hold: Hold
    decision: Decision


# --- what there is to decide


def standing(file: EscrowFile, hold: Hold, now: dt.datetime) -> dict[str, dict[str, Any]]:
    """Every cause of the hold with what was found, `{"wallet", "amount", "risk", "source", "version", "at"}`, of a
    rollback `{"owner", "ownerSince", "atBuyerAt"}`, or {} of a card.

    Those of a RETURN that was parked for its wallets count too: it places no hold on the escrow (D32). At most MOST:
    a row has a size, the number of a stranger's deposits has none; the rest is decided about after them.
    """
    causes = {cause for cause in file.escrow.hold_causes if holds.hold_of(cause) is hold}
    for row in resuming.parked(file):
        if row.error in resuming.FINDINGS:
            found = resuming.open_findings(file, row, now)
            causes |= {finding.cause for finding in found if holds.hold_of(finding.cause) is hold}
    return {cause: _facts(file, cause) for cause in sorted(causes)[:MOST]}


def is_decided(file: EscrowFile, cause: str) -> bool:
    """Whether COMPLIANCE has decided about a doubt of a card already: a provider may tell of it again and again."""
    return cause in wallet_risk.cleared(file)


def _facts(file: EscrowFile, cause: str) -> dict[str, Any]:
    """What is kept of the deposit or the payout that a cause names."""
    kind, _, name = cause.removeprefix(wallet_risk.SANCTIONS_CAUSE).partition(":")
    if kind == "deposit":
        return next((_shown(row.sender, row.amount, row.screening) for row in file.deposits if row.ref == name), {})
    if kind == "payout" and name.endswith(wallet_risk.ALSO_BUYER) and isinstance(file.rail, StablecoinEscrow):
        leg_id, buyer = name.removesuffix(wallet_risk.ALSO_BUYER), file.rail.terms["buyer"]
        return next((_shown(buyer, row.also_buyer, row.also_screening) for row in file.legs if row.id == leg_id), {})
    if kind == "payout":
        return next((_shown(row.destination, row.amount, row.screening) for row in file.legs if row.id == name), {})
    if kind == wallet_risk.ROLLBACK:
        return _seen(file)
    return {}


def _seen(file: EscrowFile) -> dict[str, Any]:
    """Whose the asset is by the watch, since when, and when the buyer was first seen with it."""
    watch, at_buyer = file.watch, file.escrow.at_buyer_at
    return {
        "owner": watch.seen,
        "ownerSince": clock.iso(watch.seen_at) if watch.seen_at else None,
        "atBuyerAt": clock.iso(at_buyer) if at_buyer else None,
    }


def _shown(wallet: str | None, amount: int, evidence: Any) -> dict[str, Any]:
    return {"wallet": wallet, "amount": amount} | {name: (evidence or {}).get(name) for name in _EVIDENCE}


def options(file: EscrowFile, now: dt.datetime) -> list[Option]:
    """What COMPLIANCE may decide now."""
    return [
        Option(hold, decision) for decision, about in ABOUT.items() for hold in about if _may(file, hold, decision, now)
    ]


def _may(file: EscrowFile, hold: Hold, decision: Decision, now: dt.datetime) -> bool:
    try:
        check(file, hold, decision, now)
    except DomainError:
        return False
    return True


def check_anything(file: EscrowFile, now: dt.datetime) -> None:
    """Raises Conflict NO_HOLD where there is nothing to decide."""
    if not options(file, now):
        raise _no_hold(file.escrow)


def check(file: EscrowFile, hold: Hold, decision: Decision, now: dt.datetime) -> None:
    """Whether this may be decided about this hold now.

    Raises Unprocessable WRONG_HOLD, Conflict NO_HOLD, ALREADY_FROZEN, ESCROW_ON_HOLD (a chargeback) or
    SETTLEMENT_IN_PROGRESS, InvalidState.
    """
    escrow = file.escrow
    ESCROW.check("decide_hold", escrow, Role.COMPLIANCE)
    if hold not in ABOUT[decision]:
        raise Unprocessable(f"{decision} is no decision about {hold}.", "WRONG_HOLD")
    if decision is D.FREEZE:
        _check_status(escrow, holds.WITH_MONEY_TO_LOSE)
        if hold in escrow.holds:
            raise Conflict("It is frozen already.", "ALREADY_FROZEN")
        return
    if hold not in escrow.holds and not (decision is D.CLEAR and standing(file, hold, now)):
        raise _no_hold(escrow)
    if decision is D.REFUND:
        _check_refundable(file)
        refused_payouts.check_refund_by_compliance(file, _DESPITE)


def _check_refundable(file: EscrowFile) -> None:
    """Before anything was decided; and of what is stopped before the seller was paid, where a part of it is his: CLEAR
    would pay him."""
    withheld = refused_payouts.withheld(file)
    if file.escrow.status is EscrowStatus.SETTLING and withheld is not None and withheld.seller_share:
        return
    _check_status(file.escrow, REFUNDABLE)


def _check_status(escrow: Escrow, among: Collection[EscrowStatus]) -> None:
    if escrow.status not in among:
        raise InvalidState(f"This can't be decided while {escrow.status}.", currentStatus=str(escrow.status))


def _no_hold(escrow: Escrow) -> Conflict:
    return Conflict("There is no such hold.", "NO_HOLD", holds=sorted(escrow.holds))


# --- who decides


def check_no_party(escrow: Escrow, actor: Actor) -> None:
    """Nobody decides about his own trade. Raises Forbidden CONFLICT_OF_INTEREST."""
    if escrows.role_of(escrow, actor) is not Role.OUTSIDER:
        raise Forbidden("You are a party of this trade.", "CONFLICT_OF_INTEREST")


def needed(escrow: Escrow) -> int:
    """How many different people decide."""
    return 2 if escrow.gross > config.settings().two_people_cents else 1


def votes(row: HoldDecision, eligible: Collection[str]) -> int:
    """How many of the people who voted may still decide."""
    return sum(person["id"] in eligible for person in row.people)


def voters(file: EscrowFile, now: dt.datetime) -> set[str]:
    """Everybody whose vote stands."""
    return {person["id"] for row in _open(file, now) for person in row.people}


def _open(file: EscrowFile, now: dt.datetime) -> list[HoldDecision]:
    return [row for row in file.decisions if row.status is DecisionStatus.OPEN and now < row.expires_at]


def vote(
    file: EscrowFile, option: Option, *, actor: Actor, reason: str, eligible: Collection[str], now: dt.datetime
) -> list[HoldDecision]:
    """One person's vote: it joins those of others about what they saw, and stands by itself about what was found since.
    Returns the rows that it counts in, DECIDED where it is the last that is needed.

    Raises Conflict ALREADY_VOTED where earlier votes of his stand about all of it.
    """
    covers = standing(file, option.hold, now)
    valid = [row for row in _open(file, now) if row.hold is option.hold and _stands(row.covers, covers)]
    mine = [row for row in valid if any(person["id"] == actor.id for person in row.people)]
    left = covers.keys() - {cause for row in mine for cause in row.covers}
    if mine and not left:
        until = clock.iso(mine[0].expires_at)
        raise Conflict("Your vote stands.", "ALREADY_VOTED", decision=str(mine[0].decision), until=until)
    rows = [row for row in valid if row.decision is option.decision and left.issuperset(row.covers)]
    new = left - {cause for row in rows for cause in row.covers}
    if new or not rows:
        rows.append(_begin(file, option, {cause: covers[cause] for cause in sorted(new)}, now))
    for row in rows:
        row.people = [*row.people, {"id": actor.id, "reason": reason, "at": clock.iso(now)}]
        if votes(row, eligible) >= needed(file.escrow):
            row.status, row.decided_at = DecisionStatus.DECIDED, now
    return rows


def _begin(file: EscrowFile, option: Option, covers: dict[str, Any], now: dt.datetime) -> HoldDecision:
    row = HoldDecision(
        escrow_id=file.escrow.id,
        id=ids.new("hld"),
        hold=option.hold,
        decision=option.decision,
        covers=covers,
        expires_at=now + dt.timedelta(seconds=config.settings().vote_seconds),
        created_at=now,
    )
    file.decisions.append(row)
    return row


def _stands(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether all that a vote is about is still there, and none of it graver. What has no causes is all of it."""
    unchanged = all(cause in now and facts.get("risk") == now[cause].get("risk") for cause, facts in before.items())
    return unchanged and bool(before) == bool(now)


# --- what follows


def carry_out(file: EscrowFile, decided: list[HoldDecision], actor: Actor, now: dt.datetime) -> list[Entity]:
    """What decisions of one kind about one hold do; a REFUND of an escrow that waits for its money was cancelled
    before. Returns the rows it changed."""
    hold, decision = decided[0].hold, decided[0].decision
    covers = {cause for row in decided for cause in row.covers}
    changed: list[Entity] = _drop_others(file, decided, covers)
    if decision is D.FREEZE:
        holds.freeze(file.escrow, now)
        return changed
    if decision is D.REFUND and file.escrow.status in escrows.MONEY_HELD:
        dropped = refused_payouts.drop(file, refused_payouts.withheld(file), "decide_hold", Role.COMPLIANCE, now)
        planned = plans.start(
            file, "decide_hold", Role.COMPLIANCE, actor=actor, to_seller=0, reason=REFUNDED, now=now, despite=_DESPITE
        )
        changed += [*dropped, *planned.rows, *disputes.close_by_compliance(file, now)]
    if hold in file.escrow.holds:
        changed += holds.lift_all(file, hold, covers, now)
    return changed + [*resuming.resume_decided(file, now)]


def _drop_others(file: EscrowFile, decided: list[HoldDecision], covers: set[str]) -> list[Entity]:
    """Votes about the same hold that lost: they count for nothing that comes later. Those about what was found since
    stand on, unless the trade is over."""
    hold, cleared = decided[0].hold, decided[0].decision is D.CLEAR
    others = [row for row in file.decisions if row.hold is hold and row.status is DecisionStatus.OPEN]
    dropped = [row for row in others if not cleared or covers.intersection(row.covers)]
    for row in dropped:
        row.status = DecisionStatus.DROPPED
    return [*dropped]
