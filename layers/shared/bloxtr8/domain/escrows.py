"""The escrow's rules: how it opens, what stops its clocks, when it is looked at again (states.md, sections 4 and 6)."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from bloxtr8 import clock, config
from bloxtr8.actors import Actor
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import (
    AssetWatch,
    Chargeback,
    Delivery,
    Deposit,
    Dispute,
    DisputeStatus,
    Entity,
    Escrow,
    EscrowStatus,
    Evidence,
    Freeze,
    HoldDecision,
    LedgerLine,
    Leg,
    ManualPayment,
    Milestone,
    MilestoneStatus,
    Operation,
    ProposalStatus,
    RailName,
    RailRow,
    Settlement,
    SettlementProposal,
    StablecoinEscrow,
)
from bloxtr8.errors import Conflict, Expired, NotFound

WAITS_FOR_MONEY = frozenset({EscrowStatus.AWAIT_FUNDS})
UNRELEASED = frozenset({MilestoneStatus.AWAIT_FUNDS, MilestoneStatus.FUNDS_HELD, MilestoneStatus.DELIVERED})
UNDECIDED = frozenset({EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED})  # by people: its clocks run, or stand still
MONEY_HELD = UNDECIDED | {EscrowStatus.DISPUTED, EscrowStatus.SETTLING}


@dataclass(slots=True)
class EscrowFile:
    """Everything of one escrow: the rows of its partition."""

    escrow: Escrow
    rail: RailRow
    deliveries: list[Delivery] = field(default_factory=list)
    milestones: list[Milestone] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    ledger: list[LedgerLine] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    decisions: list[HoldDecision] = field(default_factory=list)
    proposals: list[SettlementProposal] = field(default_factory=list)
    chargebacks: list[Chargeback] = field(default_factory=list)
    manual_payments: list[ManualPayment] = field(default_factory=list)
    watches: list[AssetWatch] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Entity]) -> "EscrowFile | None":
        """Sort the rows of a partition; None where there is no escrow."""
        by_kind: dict[str, list[Entity]] = {}
        for row in rows:
            by_kind.setdefault(row.entity, []).append(row)
        if "Escrow" not in by_kind:
            return None
        lists = {name: by_kind.get(kind, []) for kind, name in _LISTS.items()}
        rail = next(by_kind[kind][0] for kind in _RAILS if kind in by_kind)
        return cls(by_kind["Escrow"][0], rail, **lists)  # type: ignore[arg-type]

    @property
    def delivery(self) -> Delivery:
        """What is to be delivered next, or waits for the buyer's answer: milestones have their turn one after the
        other."""
        turn = {row.n for row in self.unreleased} or {self.deliveries[-1].n}
        return next(row for row in self.deliveries if row.n in turn)

    @property
    def unreleased(self) -> list[Milestone]:
        """The milestones of which nobody has decided yet."""
        return [row for row in self.milestones if row.status in UNRELEASED]

    @property
    def asset_to_come(self) -> bool:
        """Whether what hands the asset over is not paid for yet, in its turn or before it."""
        return not self.milestones or any(row.transfers_asset for row in self.unreleased)

    def milestone_of(self, delivery: Delivery) -> Milestone | None:
        return next((row for row in self.milestones if row.n == delivery.n), None)

    @property
    def dispute(self) -> Dispute | None:
        """The live dispute, of which there is at most one (C6)."""
        return next((row for row in self.disputes if row.status in {DisputeStatus.OPEN, DisputeStatus.IN_REVIEW}), None)

    @property
    def watch(self) -> AssetWatch:
        """The watch over the asset, which begins with the money."""
        return self.watches[0]

    @property
    def proposal(self) -> SettlementProposal | None:
        """The proposal of a settlement that nobody has answered, of which there is at most one (C6). Whether it still
        stands is `settlement_proposals`' to say."""
        return next((row for row in self.proposals if row.status is ProposalStatus.OPEN), None)

    @property
    def was_disputed(self) -> bool:
        """Whether there was a dispute that nobody took back: it counts for both parties when the deal ends (M09)."""
        return any(row.outcome != "WITHDRAWN" for row in self.disputes)

    def settlement(self, settlement_id: str) -> Settlement:
        for row in self.settlements:
            if row.id == settlement_id:
                return row
        raise NotFound("There is no such settlement.")

    def legs_of(self, settlement_id: str) -> list[Leg]:
        return [leg for leg in self.legs if leg.settlement_id == settlement_id]


_RAILS = ("StripeEscrow", "StablecoinEscrow")
_LISTS = {
    "Delivery": "deliveries", "Milestone": "milestones", "Deposit": "deposits", "Evidence": "evidence",
    "Settlement": "settlements", "Leg": "legs", "LedgerLine": "ledger", "Operation": "operations",
    "Dispute": "disputes",
    "HoldDecision": "decisions",
    "SettlementProposal": "proposals",
    "Chargeback": "chargebacks",
    "ManualPayment": "manual_payments",
    "AssetWatch": "watches",
}  # fmt: skip


# --- who


def role_of(escrow: Escrow, actor: Actor) -> Role:
    """The actor's part in this escrow; OUTSIDER for anybody else."""
    if actor.is_system:
        return Role.SYSTEM
    return {escrow.buyer_id: Role.BUYER, escrow.seller_id: Role.SELLER}.get(actor.id, Role.OUTSIDER)


def party(escrow: Escrow, actor: Actor) -> Role:
    """The same for a private object: an outsider learns nothing, NotFound."""
    role = role_of(escrow, actor)
    if role is Role.OUTSIDER:
        raise NotFound("There is no such escrow.")
    return role


# --- guards


def check_money_may_start(escrow: Escrow, despite: Collection[str] = ()) -> None:
    """Every move that starts money: one settlement of held money at a time, and no hold but `despite` (section 4).
    Raises Conflict SETTLEMENT_IN_PROGRESS or ESCROW_ON_HOLD."""
    if escrow.settlement_id is not None:
        raise Conflict("A settlement is under way.", "SETTLEMENT_IN_PROGRESS", settlementId=escrow.settlement_id)
    check_holds(escrow, despite)


def check_holds(escrow: Escrow, despite: Collection[str] = ()) -> None:
    """No hold but `despite`. Raises Conflict ESCROW_ON_HOLD."""
    if escrow.holds.difference(despite):
        raise Conflict("The escrow is on hold.", "ESCROW_ON_HOLD", holds=sorted(escrow.holds))


def check_fundable(escrow: Escrow, now: dt.datetime) -> None:
    """The buyer may pay only before `fund_by`. Raises Expired FUNDING_EXPIRED."""
    if not escrow.frozen_causes and escrow.fund_by <= now:
        raise Expired("The time to pay has passed.", "FUNDING_EXPIRED")


def check_nothing_received(file: EscrowFile) -> None:
    """A party cancels only while nothing was received or is in flight. Raises Conflict FUNDS_IN_FLIGHT.

    What anybody may have sent to a vault is nothing, unless somebody is to decide about it: it goes back like surplus.
    """
    escrow = file.escrow
    received = escrow.deposited > escrow.quarantined and (escrow.holds or not is_dust(file))
    if received or Freeze.PROCESSING in escrow.frozen_causes:
        raise Conflict("Money has arrived or is on its way.", "FUNDS_IN_FLIGHT")


def is_dust(file: EscrowFile) -> bool:
    """Whether so little came to a vault that it is not even sent back alone: anybody can send it, so it says nothing
    of the buyer. By card nothing is."""
    return isinstance(file.rail, StablecoinEscrow) and file.escrow.held < config.settings().return_minimum_cents


# --- moves


def hold_funds(escrow: Escrow, now: dt.datetime) -> None:
    """The money is there: the seller's time to deliver starts."""
    ESCROW.apply("hold_funds", escrow, Role.SYSTEM)
    escrow.funded_at = now
    escrow.funding_closed = True
    escrow.deliver_by = now + dt.timedelta(seconds=escrow.deliver_seconds)
    thaw(escrow, Freeze.PROCESSING, now)  # what is still on its way is late money, and stops no clock of the delivery
    escrow.looks = 0
    plan_look(escrow, now)


def grant_time(file: EscrowFile) -> None:
    """The first deposit was too small: once, the buyer gets a day more for the rest (section 4, record_deposit)."""
    escrow = file.escrow
    if not is_dust(file) and escrow.held < escrow.gross and not escrow.fund_extended:
        escrow.fund_by += dt.timedelta(seconds=config.settings().partial_fund_seconds)
        escrow.fund_extended = True


def cancel(escrow: Escrow, action: str, role: Role, reason: str, now: dt.datetime) -> None:
    """cancel_escrow, cancel_unfunded, decide_hold: it never reached FUNDS_HELD (D8). The rail is closed afterwards by
    the machine."""
    ESCROW.apply(action, escrow, role, becomes=EscrowStatus.CANCELLED)
    escrow.reason, escrow.ended_at = reason, now
    escrow.frozen_causes, escrow.frozen_at = frozenset(), None
    escrow.looks = 0
    plan_look(escrow, now)


# --- clocks

_DEADLINES = ("fund_by", "deliver_by", "inspect_by")


def freeze(escrow: Escrow, cause: str, now: dt.datetime) -> None:
    """Stop the clocks for `cause`: no deadline passes while any cause stands (section 4, Frozen clocks)."""
    if not escrow.frozen_causes:
        escrow.frozen_at = now
    escrow.frozen_causes = frozenset(escrow.frozen_causes | {str(cause)})


def thaw(escrow: Escrow, cause: str, now: dt.datetime) -> None:
    """One cause is gone. With the last, every deadline that lay after `frozen_at` moves by the time that stood still,
    and who is to answer is warned again, with his whole day.

    Not so after a silence of Roblox's of less than a day: it kept nobody from answering, and who passes the asset to
    and fro at the right moment could make one every day.
    """
    if str(cause) not in escrow.frozen_causes:
        return
    escrow.frozen_causes = frozenset(escrow.frozen_causes - {str(cause)})
    if escrow.frozen_causes or escrow.frozen_at is None:
        return
    for name in _DEADLINES:
        deadline = getattr(escrow, name)
        if deadline is not None and deadline > escrow.frozen_at:
            setattr(escrow, name, deadline + (now - escrow.frozen_at))
    day = dt.timedelta(seconds=config.settings().warn_seconds)
    if cause != Freeze.UNKNOWN_OWNER or now - escrow.frozen_at >= day:
        escrow.warned_at = None
    escrow.frozen_at = None


def passed(escrow: Escrow, deadline: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a deadline has passed: one equal to now has, none does while the clocks are frozen."""
    return deadline is not None and deadline <= now and not escrow.frozen_causes


def repair_delay(looks: int) -> dt.timedelta:
    """How long until the next repair look: two minutes, doubling to an hour (section 4, One reaction)."""
    settings = config.settings()
    return dt.timedelta(seconds=min(settings.repair_first_seconds * 2 ** min(looks, 20), settings.repair_limit_seconds))


def plan_look(escrow: Escrow, now: dt.datetime) -> None:
    """Set `next_look`: the earliest of the deadline that counts, the warning a day before it, and the next repair."""
    moments: list[dt.datetime] = []
    waits = escrow.status in WAITS_FOR_MONEY or (escrow.status is EscrowStatus.CANCELLED and not escrow.funding_closed)
    if waits or escrow.frozen_causes & {Freeze.PROCESSING, Freeze.UNKNOWN_OWNER}:  # a dispute or hold waits for people
        moments.append(now + repair_delay(escrow.looks))
    if not escrow.frozen_causes:
        moments += _due_moments(escrow, now)
    moments += _hold_moments(escrow, now) + _term_moments(escrow, now)
    escrow.next_look = min(moments, default=None)


def _hold_moments(escrow: Escrow, now: dt.datetime) -> list[dt.datetime]:
    """When money that is still held will be old enough for an alarm (rail-stripe.md, Holding); over the limit, soon,
    where nobody is to decide about it yet."""
    since = _held_since(escrow)
    if since is None:
        return []
    ages = [since + dt.timedelta(days=age) for age in _hold_ages() if age > escrow.held_days_told][:1]
    undecided = escrow.status in UNDECIDED and is_over_limit(escrow, now)
    return ages + ([now + repair_delay(escrow.looks)] if undecided else [])


def _term_moments(escrow: Escrow, now: dt.datetime) -> list[dt.datetime]:
    """On chain: when money that is still held has the vault's term postponed; later each time it did not work."""
    if escrow.status not in MONEY_HELD or escrow.postpone_at is None:
        return []
    return [escrow.postpone_at if escrow.postpone_at > now else now + repair_delay(escrow.looks)]


def postpones(escrow: Escrow, now: dt.datetime) -> bool:
    """Whether the vault's term is to be postponed now: a month before it every window is long over, so whatever holds
    the money still (a dispute, a hold, a refused payout, a clock that stood still) may outlast it."""
    return escrow.status in MONEY_HELD and escrow.postpone_at is not None and escrow.postpone_at <= now


def _held_since(escrow: Escrow) -> dt.datetime | None:
    """Since when money is held that is not paid out yet: by card from the payment, as Stripe counts, whatever kept it
    from being enough for a delivery; on chain from when all of it was there."""
    return (escrow.paid_at or escrow.funded_at) if escrow.status in MONEY_HELD | WAITS_FOR_MONEY else None


def _hold_ages() -> tuple[int, int]:
    return config.settings().warn_hold_days, config.settings().max_hold_days


def hold_limit(escrow: Escrow) -> dt.datetime | None:
    """How long the money of a card may be held; None before it is paid. On chain the vault's term is the limit."""
    since = escrow.paid_at or escrow.funded_at
    if escrow.rail is not RailName.STRIPE or since is None:
        return None
    return since + dt.timedelta(days=config.settings().max_hold_days)


def is_over_limit(escrow: Escrow, now: dt.datetime) -> bool:
    """Whether a card's money was held for as long as it may be: from then on only people decide about it, and no clock
    runs again."""
    limit = hold_limit(escrow)
    return limit is not None and limit <= now


def held_too_long(escrow: Escrow, now: dt.datetime) -> int | None:
    """The age in days that held money has reached since the last alarm, or None. Call it once a look: it is noted."""
    since = _held_since(escrow)
    if since is None:
        return None
    reached = max((age for age in _hold_ages() if now - since >= dt.timedelta(days=age)), default=0)
    if reached <= escrow.held_days_told:
        return None
    escrow.held_days_told = reached
    return reached


def _due_moments(escrow: Escrow, now: dt.datetime) -> list[dt.datetime]:
    """The deadline of the present status; where it has passed and was looked at, the next look comes after a repair
    delay."""
    deadline = {
        EscrowStatus.AWAIT_FUNDS: escrow.fund_by,
        EscrowStatus.FUNDS_HELD: escrow.inspect_by if escrow.inspecting else escrow.deliver_by,
        EscrowStatus.DELIVERED: escrow.inspect_by,
    }.get(escrow.status)
    if deadline is None:
        return []
    if deadline <= now:
        return [now + repair_delay(escrow.looks)]
    warning = deadline - dt.timedelta(seconds=config.settings().warn_seconds)
    if escrow.inspecting and escrow.warned_at is None:
        return [max(warning, now)]
    return [deadline]


def check_seen(escrow: Escrow, who: str, now: dt.datetime) -> bool:
    """Whether `who` was seen as the asset's owner by two fresh reads, long enough apart (D12). Records this one."""
    first = escrow.owner_seen
    moved = first is not None and escrow.deliver_by is not None and clock.parse(first["at"]) < escrow.deliver_by
    if first is None or moved or first["who"] != who:  # what was seen before the deadline was moved says nothing
        escrow.owner_seen = {"who": who, "at": clock.iso(now)}
        return False
    return now - clock.parse(first["at"]) >= dt.timedelta(seconds=config.settings().owner_recheck_seconds)
