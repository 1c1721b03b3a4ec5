"""Plans: who gets what of an escrow, frozen in the transaction that starts it (states.md, sections 5 and 10; D20, D21).

Amounts are cents. `settlements` is how a plan is carried out.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from bloxtr8 import ids, money
from bloxtr8.actors import Actor
from bloxtr8.domain import chain_actions
from bloxtr8.domain.chain_actions import Action
from bloxtr8.domain.escrows import EscrowFile, check_money_may_start, plan_look, repair_delay
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, PROPOSAL
from bloxtr8.entities import (
    Account,
    Deposit,
    Dispute,
    Escrow,
    EscrowStatus,
    Leg,
    LegStatus,
    Milestone,
    RailName,
    Settlement,
    SettlementKind,
    SettlementProposal,
    SettlementStatus,
    Side,
    StablecoinEscrow,
)
from bloxtr8.errors import InvalidState, Unprocessable

_ANSWERS = {"confirm_delivery", "auto_release"}
_COUNTED = {SettlementStatus.OPEN, SettlementStatus.PARKED, SettlementStatus.DONE}


@dataclass(slots=True)
class Planned:
    """A new settlement with its legs, to be saved with the move that starts it; and the proposal that has nothing left
    to divide."""

    settlement: Settlement
    legs: list[Leg]
    ended: list[SettlementProposal] = field(default_factory=list)

    @property
    def rows(self) -> list[Settlement | Leg | SettlementProposal]:
        return [self.settlement, *self.legs, *self.ended]


def remaining(file: EscrowFile) -> int:
    """What of `amount` no settlement has decided yet, in cents (section 10), nor a bank's or a hand's refund taken."""
    decided = sum(row.seller_share + row.buyer_share for row in _decided(file))
    return file.escrow.amount - file.escrow.gone - decided


def sellers_part(file: EscrowFile) -> int:
    """What of `amount` is the seller's by what was decided so far, in cents before fees."""
    return sum(row.seller_share for row in _decided(file))


def _decided(file: EscrowFile) -> list[Settlement]:
    return [row for row in file.settlements if row.status in _COUNTED and row.kind is not SettlementKind.RETURN]


def check_start(action: str, escrow: Escrow, role: Role, despite: Collection[str] = ()) -> None:
    """Whether this move may start money now; an answer to a delivery only where one is waited for. Raises Forbidden,
    InvalidState, SETTLEMENT_IN_PROGRESS or ESCROW_ON_HOLD."""
    ESCROW.check(action, escrow, role)
    if action in _ANSWERS and not escrow.inspecting:
        raise InvalidState("Nothing waits for an answer.", currentStatus=str(escrow.status))
    check_money_may_start(escrow, despite)


def start(
    file: EscrowFile,
    action: str,
    role: Role,
    *,
    actor: Actor,
    to_seller: int | None,
    reason: str,
    now: dt.datetime,
    despite: Collection[str] = (),
) -> Planned:
    """The move that ends an escrow with money: SETTLING, with the plan frozen in the same transaction.

    `to_seller` is the seller's part of what remains, in cents before fees (None: all of it, 0: a full refund). A
    release, a refund and a split are the same plan with other numbers. Raises Forbidden, InvalidState,
    SETTLEMENT_IN_PROGRESS or ESCROW_ON_HOLD.
    """
    escrow = file.escrow
    check_start(action, escrow, role, despite)
    rest = remaining(file)
    seller_share = rest if to_seller is None else to_seller
    kind = SettlementKind.SPLIT
    if seller_share in (0, rest):
        kind = SettlementKind.RELEASE if seller_share else SettlementKind.REFUND
    share = _share(escrow, seller_share)
    planned = _plan(file, kind, share, actor=actor, reason=reason, now=now)
    planned.settlement.seller_share, planned.settlement.buyer_share = seller_share, rest - seller_share
    _settling(file, planned, action, role, now)
    return planned


def start_anew(
    file: EscrowFile,
    old: Settlement,
    action: str,
    *,
    seller_share: int,
    buyer_share: int,
    actor: Actor,
    now: dt.datetime,
) -> Planned:
    """Another settlement in the place of `old`, which is dropped, where nothing remains beside it: its shares may be
    less now, and what it has paid of them stays paid. The escrow ends with it, though `old` was only a MILESTONE."""
    escrow = file.escrow
    share = money.Share(seller=0, platform=0, buyer=escrow.held)
    if Side.SELLER not in paid_sides(file, old):  # else his part, and the fee that went with it, is out of what is held
        share = _share(escrow, seller_share)
    kind = SettlementKind.RELEASE if old.kind is SettlementKind.MILESTONE else old.kind
    planned = _plan(file, kind, share, actor=actor, reason=old.reason, now=now)
    planned.settlement.seller_share, planned.settlement.buyer_share = seller_share, buyer_share
    planned.settlement.replaces = old.id
    _settling(file, planned, action, Role.SYSTEM, now)
    return planned


def start_apart(file: EscrowFile, old: Settlement, last: Side, *, actor: Actor, now: dt.datetime) -> Planned:
    """What one call on chain was to pay both sides, and can't for one of them, in a call for each: `last` is whose
    wallet is refused, so that his part alone is kept. It takes the place of `old`, of which nothing moved and which is
    dropped.

    The seller's call keeps its index: should the one that paid both ever be mined, the contract refuses the other. The
    buyer's has one of its own, so that what is left may still be refunded.
    """
    share = money.Share(seller=old.to_seller, platform=old.to_platform, buyer=old.to_buyer)
    planned = _plan(file, old.kind, share, actor=actor, reason=old.reason, now=now, last=last)
    planned.settlement.seller_share, planned.settlement.buyer_share = old.seller_share, old.buyer_share
    planned.settlement.replaces = old.id
    file.escrow.settlement_id = planned.settlement.id
    return planned


def follow(file: EscrowFile, old: Settlement, planned: Planned) -> list[Dispute]:
    """What was decided by a dispute goes on with another settlement. Returns the rows that this changed."""
    decided = [row for row in file.disputes if row.settlement_id == old.id]
    for dispute in decided:
        dispute.settlement_id = planned.settlement.id
    return decided


def _settling(file: EscrowFile, planned: Planned, action: str, role: Role, now: dt.datetime) -> None:
    """Nothing is waited for any more but this plan's payments: no clock runs, and nobody has anything to answer."""
    escrow = file.escrow
    planned.ended = expire_proposal(file, now)
    ESCROW.apply(action, escrow, role, becomes=EscrowStatus.SETTLING)
    escrow.settlement_id = planned.settlement.id
    escrow.frozen_causes, escrow.frozen_at, escrow.unknown_since = frozenset(), None, None
    plan_look(escrow, now)


def _share(escrow: Escrow, seller_share: int, *, last: bool = True) -> money.Share:
    """Who gets what of what is held, where so many cents of the amount are the seller's and no more was released than
    the escrow says. `last`: the rest is the buyer's now, else it stays held (section 10)."""
    return money.settle(
        amount=escrow.amount,
        buyer_fee_bps=escrow.buyer_fee_bps,
        seller_fee_bps=escrow.seller_fee_bps,
        seller_share=seller_share,
        held=escrow.held,
        share_before=escrow.seller_share,
        fees_before=escrow.fees,
        last=last,
    )


def paid_sides(file: EscrowFile, settlement: Settlement) -> set[Side]:
    """Who has been paid his part of a settlement, or of those in whose place it is."""
    before = file.settlement(settlement.replaces) if settlement.replaces else None
    earlier = paid_sides(file, before) if before else set[Side]()
    return earlier | {leg.pays for leg in file.legs_of(settlement.id) if leg.status is LegStatus.CONFIRMED}


def start_part(
    file: EscrowFile, action: str, role: Role, part: Milestone, *, actor: Actor, reason: str, now: dt.datetime
) -> Planned:
    """A MILESTONE: the seller's part of one of several, the rest stays held and the status as it is. Fees are of all
    that was released so far, so that they do not drift (section 10). Raises as `start`."""
    escrow = file.escrow
    check_start(action, escrow, role)
    share = _share(escrow, part.amount, last=False)
    planned = _plan(file, SettlementKind.MILESTONE, share, actor=actor, reason=reason, now=now, n=part.n)
    planned.settlement.seller_share, planned.settlement.milestone_id = part.amount, part.id
    planned.ended = expire_proposal(file, now)
    ESCROW.apply(action, escrow, role, becomes=escrow.status)
    escrow.settlement_id = planned.settlement.id
    return planned


def expire_proposal(file: EscrowFile, now: dt.datetime) -> list[SettlementProposal]:
    """expire_proposal: what it divides is decided otherwise, or its time is over. Returns what it ended."""
    proposal = file.proposal
    if proposal is None:
        return []
    PROPOSAL.apply("expire_proposal", proposal, Role.SYSTEM)
    proposal.ended_at = now
    return [proposal]


def check_sums(rest: int, to_seller: int, to_buyer: int) -> None:
    """What two sides agree on, or an arbiter decides, is all of the rest, to the cent. Raises Unprocessable
    SUM_MISMATCH with `remaining`."""
    if min(to_seller, to_buyer) < 0 or to_seller + to_buyer != rest:
        raise Unprocessable("The two amounts are not what remains.", "SUM_MISMATCH", remaining=rest)


def plan_split(
    file: EscrowFile,
    action: str,
    role: Role,
    *,
    actor: Actor,
    to_seller: int,
    to_buyer: int,
    reason: str,
    now: dt.datetime,
    despite: Collection[str] = (),
) -> Planned:
    """`start` where both parts were named, in cents before fees: they are all that remains, or Unprocessable
    SUM_MISMATCH."""
    check_start(action, file.escrow, role, despite)
    check_sums(remaining(file), to_seller, to_buyer)
    return start(file, action, role, actor=actor, to_seller=to_seller, reason=reason, now=now, despite=despite)


def give_back(
    file: EscrowFile, deposit: Deposit | None, amount: int, *, actor: Actor, reason: str, now: dt.datetime
) -> Planned:
    """A RETURN: `amount` of SURPLUS goes back to where the buyer's money came from (D30). It never touches the
    status."""
    share = money.Share(seller=0, platform=0, buyer=amount)
    planned = _plan(file, SettlementKind.RETURN, share, actor=actor, reason=reason, now=now, n=returns(file) + 1)
    planned.settlement.through = file.escrow.ledger_seq
    for leg in planned.legs:
        leg.source_account = Account.SURPLUS
        leg.deposit_ref = deposit.ref if deposit else None
    return planned


def _plan(
    file: EscrowFile,
    kind: SettlementKind,
    share: money.Share,
    *,
    actor: Actor,
    reason: str,
    now: dt.datetime,
    n: int = 0,
    last: Side | None = None,
) -> Planned:
    """`n`: which milestone or return it is; on chain its call is named by it. `last`: each side is paid apart there,
    this one after the other."""
    escrow = file.escrow
    settlement = Settlement(
        escrow_id=escrow.id,
        id=ids.new("stl"),
        kind=kind,
        to_seller=share.seller,
        to_platform=share.platform,
        to_buyer=share.buyer,
        reason=reason,
        actor=actor.id,
        next_look=now + repair_delay(0),
        created_at=now,
    )
    legs: list[Leg] = []
    for pays, amount, fee, also_buyer in _parts(escrow, share, last):
        call = _call(file, chain_actions.BUYERS_PART if last and pays is Side.BUYER else Action(kind, n))
        legs.append(
            Leg(
                escrow_id=escrow.id,
                settlement_id=settlement.id,
                n=len(legs) + 1,
                pays=pays,
                amount=amount,
                fee=fee,
                also_buyer=also_buyer,
                action=call,
                attempt=_first_attempt(file, call),
                currency=escrow.currency,
                destination=_destination(file, pays),
            )
        )
    file.settlements.append(settlement)
    file.legs.extend(legs)
    return Planned(settlement, legs)


class _Part(NamedTuple):
    """Whom a leg pays, how much, the platform's part that moves with it, and what the buyer gets beside it."""

    pays: Side
    amount: int
    fee: int
    also_buyer: int = 0


def _parts(escrow: Escrow, share: money.Share, last: Side | None) -> list[_Part]:
    """On chain one call pays all of them, unless one is to be paid `last`."""
    seller = _Part(Side.SELLER, share.seller, share.platform)
    if escrow.rail is RailName.USDC_BASE and share.seller and last is None:
        return [seller._replace(also_buyer=share.buyer)]
    parts = [seller, _Part(Side.BUYER, share.buyer, 0 if share.seller else share.platform)]
    if last is Side.SELLER:
        parts.reverse()
    return [part for part in parts if part.amount]


def _call(file: EscrowFile, action: Action) -> int | None:
    """On chain, the index of a call. Raises ValueError for a return too many."""
    return chain_actions.index(action) if isinstance(file.rail, StablecoinEscrow) else None


def _first_attempt(file: EscrowFile, call: int | None) -> int:
    """1; on chain, where one index is one thing, more than any attempt of a dropped settlement that had the same."""
    earlier = (leg.attempt for leg in file.legs if call is not None and leg.action == call)
    return max(earlier, default=0) + 1


def _destination(file: EscrowFile, pays: Side) -> str | None:
    """Where the money goes, frozen at accept: the payout account, the wallet of the vault's terms, or back to the
    card (None)."""
    if isinstance(file.rail, StablecoinEscrow):
        return str(file.rail.terms["seller" if pays is Side.SELLER else "buyer"])
    return file.escrow.payout_account_id if pays is Side.SELLER else None


def returns(file: EscrowFile) -> int:
    """How many returns of surplus there have been."""
    return sum(row.kind is SettlementKind.RETURN for row in file.settlements)


def unreturned(file: EscrowFile) -> int:
    """The cents of SURPLUS that no return is to carry yet, and one may: what was set aside stays."""
    waiting = {row.id for row in file.settlements if row.status in {SettlementStatus.OPEN, SettlementStatus.PARKED}}
    planned = (
        leg.amount
        for leg in file.legs
        if leg.settlement_id in waiting
        and leg.source_account is Account.SURPLUS
        and leg.status is not LegStatus.CONFIRMED
    )
    return file.escrow.surplus - file.escrow.quarantined - sum(planned)
