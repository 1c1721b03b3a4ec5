"""The facts of a dispute: what is filed when it is opened, who owned the asset and when, and what follows where that is
clear (M62, M64). Nothing here decides: an arbiter does.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from bloxtr8 import clock, config
from bloxtr8.domain import refused_payouts
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import AuditEntry, Contract, Dispute, DisputeMessage, Entity, Escrow, Signature, Snapshot

MOST = 20  # deposits and settlements that are filed, the newest
ABOUT_THE_ASSET = frozenset(
    {
        "NOT_DELIVERED", "REVERSED", "BUYER_UNRESPONSIVE", "OWNER_UNKNOWN", "OWNER_IS_SELLER", "OWNER_IS_NOBODY",
        "LEFT_THE_BUYER", "HELD_TOO_LONG",
    }
)  # fmt: skip
# claims that are settled by who owns the asset; whether it is as described, Roblox can't tell


class Owner(StrEnum):
    """Who Roblox shows as the asset's owner, seen from the escrow."""

    BUYER = "BUYER"
    SELLER = "SELLER"
    OTHER = "OTHER"
    NOBODY = "NOBODY"  # ownerless, or locked by Roblox
    UNKNOWN = "UNKNOWN"


def owner_of(escrow: Escrow, seen: Snapshot | None) -> Owner:
    """Whose the asset was on a snapshot; UNKNOWN without one."""
    if seen is None:
        return Owner.UNKNOWN
    return whose(escrow, None if seen.locked else seen.owner_id)


def whose(escrow: Escrow, roblox_id: str | None) -> Owner:
    """The same by the owner's Roblox id; None is nobody."""
    if roblox_id is None:
        return Owner.NOBODY
    names = {escrow.buyer_roblox_id: Owner.BUYER, escrow.seller_roblox_id: Owner.SELLER}
    return names.get(roblox_id, Owner.OTHER)


def keep(escrow: EscrowFile, seen: Snapshot | None) -> None:
    """Keep when a fresh look first showed the asset at the buyer: what he does with it then, or takes back, does not
    make it never handed over. Call it wherever a look is saved with the escrow."""
    row = escrow.escrow
    if seen is not None and row.at_buyer_at is None and owner_of(row, seen) is Owner.BUYER:
        row.at_buyer_at = seen.at
        if not escrow.asset_to_come:  # its part was released before anybody saw it: that was the delivery
            row.delivered_at = seen.at


def file(escrow: EscrowFile, seen: Snapshot | None, now: dt.datetime) -> dict[str, Any]:
    """What is so as a dispute opens, to be kept with it: the owner, the money, the delivery, the deadlines.

    Later they move on, and this stays. camelCase, cents, ISO times. Call it before the dispute changes anything.
    """
    row, delivery = escrow.escrow, escrow.delivery
    return {
        "at": clock.iso(now),
        "status": str(row.status),
        "owner": {
            "who": str(owner_of(row, seen)),
            "robloxId": seen.owner_id if seen else None,
            "snapshotId": seen.id if seen else None,
            "at": clock.iso(seen.at) if seen else None,
        },
        "money": _picked(row, "amount", "gross", "deposited", "held", "released", "refunded"),
        "deposits": [_picked(it, "amount", "late", "at") for it in _newest(escrow.deposits, "at")],
        "settlements": [
            _picked(it, "id", "kind", "status", "to_seller", "to_buyer")
            for it in _newest(escrow.settlements, "created_at")
        ],
        "delivery": _picked(delivery, "id", "status", "verification", "snapshot_id", "started_at", "delivered_at"),
        "deadlines": _picked(row, "fund_by", "deliver_by", "inspect_by"),
    }


def _newest[E: Entity](rows: Sequence[E], by: str) -> list[E]:
    return sorted(rows, key=lambda row: getattr(row, by))[-MOST:]


def _picked(row: Entity, *names: str) -> dict[str, Any]:
    return {_camel(name): _plain(getattr(row, name)) for name in names}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.title() for part in others)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return clock.iso(value)
    return str(value) if isinstance(value, StrEnum) else value


# --- who owned it


@dataclass(slots=True)
class Span:
    """Looks in a row, from the first to the last, on which the asset had the same owner."""

    who: Owner
    owner_id: str | None
    owner_name: str | None
    first_at: dt.datetime
    last_at: dt.datetime
    snapshot_id: str  # of the last look
    looks: int = 1


def history(escrow: Escrow, snapshots: Iterable[Snapshot]) -> list[Span]:
    """The owners of the asset, oldest first, as they were seen; kept looks alone, Roblox is not asked."""
    spans: list[Span] = []
    for seen in sorted(snapshots, key=lambda row: row.at):
        who = owner_of(escrow, seen)
        if spans and (spans[-1].who, spans[-1].owner_id) == (who, seen.owner_id):
            span = spans[-1]
            span.last_at, span.snapshot_id, span.looks = seen.at, seen.id, span.looks + 1
        else:
            spans.append(Span(who, seen.owner_id, seen.owner_name, seen.at, seen.at, seen.id))
    return spans


# --- what follows


class Suggestion(NamedTuple):
    """RELEASE or REFUND where the facts are clear, None where they are not; and why, as codes."""

    outcome: str | None
    reasons: list[str]


def suggest(dispute: Dispute, file: EscrowFile, spans: Sequence[Span], now: dt.datetime) -> Suggestion:
    """What the facts say. Only a look since the dispute was opened, its own included, tells whose the asset is now, and
    none for longer than a day: until then, or until it was decided, whoever comes first.

    What it suggests is of all that nobody has decided about, so it suggests nothing while a part of that is another
    story: one that is to be delivered yet, or one without the asset that was confirmed, and whose payout was refused.
    """
    escrow, seen_at = file.escrow, _seen_at(file, spans)
    if seen_at is None or seen_at < _opened(dispute):
        return Suggestion(None, ["OWNER_NOT_SEEN_SINCE"])
    until = dispute.resolved_at or dispute.closed_at or now
    if until - seen_at >= dt.timedelta(seconds=config.settings().suggestion_seconds):
        return Suggestion(None, ["OWNER_NOT_SEEN_FOR_LONG"])
    who = spans[-1].who
    was_buyers = escrow.at_buyer_at is not None or any(_in_the_trade(escrow, span) for span in spans)
    reasons = [f"OWNER_IS_{who}", "IT_WAS_THE_BUYERS" if was_buyers else "IT_NEVER_WAS_THE_BUYERS"]
    if not escrow.asset_in_turn and (who, was_buyers) != (Owner.SELLER, True):
        return Suggestion(None, [*reasons, "MILESTONE_WITHOUT_THE_ASSET"])  # but for a rollback Roblox can't tell
    outcome = _CLEAR[who, was_buyers]
    if outcome == "RELEASE" and dispute.reason_code not in ABOUT_THE_ASSET:
        return Suggestion(None, [*reasons, "CLAIM_IS_NOT_ABOUT_THE_OWNER"])
    if outcome == "RELEASE" and len(file.unreleased) > 1:
        return Suggestion(None, [*reasons, "OTHER_PARTS_ARE_TO_COME"])
    if outcome == "REFUND" and _owes_another_part(file):
        return Suggestion(None, [*reasons, "A_CONFIRMED_PART_IS_UNPAID"])
    return Suggestion(outcome, reasons)


def _seen_at(file: EscrowFile, spans: Sequence[Span]) -> dt.datetime | None:
    """When the owner was last seen. What shows nothing new is not kept, so the watch tells how long it stayed so."""
    if not spans:
        return None
    again = [row.answered_at for row in file.watches if row.answered_at and row.seen == spans[-1].who]
    return max([spans[-1].last_at, *again])


def _owes_another_part(file: EscrowFile) -> bool:
    refused = refused_payouts.refused(file)
    return refused is not None and all(row.id != refused.milestone_id for row in file.milestones if row.transfers_asset)


def _in_the_trade(escrow: Escrow, span: Span) -> bool:
    """Whether the buyer was seen with it since the trade began; a look at the listing by its owner tells so too."""
    return span.who is Owner.BUYER and span.last_at >= escrow.created_at


_CLEAR = {
    (Owner.BUYER, True): "RELEASE",
    (Owner.OTHER, True): "RELEASE",  # passed on by the buyer, which is no rollback (D13)
    (Owner.OTHER, False): "REFUND",  # it went to somebody else
    (Owner.SELLER, True): "REFUND",  # the seller has it again
    (Owner.SELLER, False): "REFUND",  # never delivered
    (Owner.NOBODY, False): "REFUND",
    (Owner.NOBODY, True): None,  # lost in the buyer's hands or taken from them: people must judge
}


def _opened(dispute: Dispute) -> dt.datetime:
    """When the look that was filed began, or where there was none, when the dispute was opened."""
    seen_at = (dispute.facts or {}).get("owner", {}).get("at")
    return clock.parse(seen_at) if seen_at else dispute.created_at


class AuditPath(NamedTuple):
    """The audit path of the trade, walked to its end: how many entries, whether they hold as one, the newest in order,
    of what was said the hash that was kept, by id, and of what was decided the whole, by the dispute's."""

    entries: int
    verified: bool
    newest: list[AuditEntry]
    texts: dict[str, str]
    decisions: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything of a dispute that lies outside of its escrow's partition, and what follows from it."""

    contract: Contract
    signatures: list[Signature]
    owners: list[Span]
    suggestion: Suggestion
    messages: list[DisputeMessage]
    path: AuditPath
    altered: frozenset[str]  # ids of the dispute or of messages that say something else than was kept
