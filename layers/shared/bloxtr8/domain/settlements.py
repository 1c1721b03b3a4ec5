"""Settlements: how a plan is carried out, leg by leg, to its end (states.md, section 5; D20, D21)."""

import datetime as dt

from bloxtr8.domain import ledger, milestones
from bloxtr8.domain.deals import Around, finish
from bloxtr8.domain.escrows import EscrowFile, plan_look, repair_delay
from bloxtr8.domain.ledger import Entry
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW, LEG, SETTLEMENT
from bloxtr8.entities import (
    Account,
    Entity,
    Escrow,
    EscrowStatus,
    Hold,
    LedgerLine,
    Leg,
    LegStatus,
    RailName,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
    StripeEscrow,
)
from bloxtr8.errors import Conflict

MAX_ATTEMPTS = 5
# of money that is not held, or went by no plan: no status, no hold
APART = frozenset(
    {
        SettlementKind.RETURN,
        SettlementKind.RECOVERY,
        SettlementKind.REPAYMENT,
        SettlementKind.OUTSIDE,
        SettlementKind.DASHBOARD,
    }
)
PAYS_APART = frozenset({SettlementKind.RETURN, SettlementKind.REPAYMENT})  # a payout's refusal is none of theirs
PARTIAL = APART | {SettlementKind.MILESTONE}  # the escrow goes on after them
ON_HOLD = "ON_HOLD"  # why it was parked: the end of the hold resumes it

# --- legs


def next_leg(file: EscrowFile, settlement: Settlement) -> Leg | None:
    """The first leg that is not confirmed, the seller's before the buyer's; None: all of them are."""
    return next((leg for leg in file.legs_of(settlement.id) if leg.status is not LegStatus.CONFIRMED), None)


def unpaid(file: EscrowFile, settlement: Settlement) -> int:
    """The cents of its legs that are not confirmed."""
    return sum(leg.amount for leg in file.legs_of(settlement.id) if leg.status is not LegStatus.CONFIRMED)


def send(leg: Leg, settlement: Settlement, now: dt.datetime) -> None:
    """The leg is about to be sent: commit this before the call (law 5)."""
    LEG.apply("send_leg", leg, Role.SYSTEM)
    leg.sent_at, leg.next_look, leg.error = leg.sent_at or now, None, None
    look_at(settlement, now + repair_delay(0))


def lose(leg: Leg) -> None:
    """The provider said neither yes nor no, and could not be asked: it is looked up before anything else."""
    LEG.apply("lose_leg", leg, Role.SYSTEM)


def found(leg: Leg, external_id: str) -> None:
    """The provider has it, and it is under way there."""
    if leg.status is LegStatus.UNKNOWN:
        LEG.apply("find_leg", leg, Role.SYSTEM)
    leg.external_id = external_id


def wait(leg: Leg, settlement: Settlement, error: str, until: dt.datetime, *, attempt: bool) -> None:
    """Nothing was moved, and it is tried again at `until`. `attempt` where the provider keeps the refusal under the
    old key."""
    if leg.status is not LegStatus.PLANNED:
        LEG.apply("retry_leg", leg, Role.SYSTEM)
    leg.attempt += int(attempt)
    leg.error, leg.next_look = error, until
    look_at(settlement, until)


def confirm(
    file: EscrowFile,
    leg: Leg,
    external_id: str,
    now: dt.datetime,
    *,
    action: str = "confirm_leg",
    role: Role = Role.SYSTEM,
) -> list[LedgerLine]:
    """The provider has confirmed it, or people have paid it: the money leaves HELD (or SURPLUS) now, not before
    (section 10)."""
    LEG.apply(action, leg, role)
    leg.external_id, leg.confirmed_at, leg.next_look, leg.error = external_id, now, None, None
    to, memo = _booked_as(leg)
    one_call = leg.action is not None
    entries = [
        Entry(leg.source_account, to, leg.amount, memo, str(leg.pays).lower() if one_call else ""),
        Entry(Account.HELD, Account.FEES, leg.fee, "platform fee", "fee" if one_call else ""),
        Entry(Account.HELD, Account.BUYER, leg.also_buyer, "paid to the buyer", "buyer"),
    ]
    return ledger.book(file.escrow, entries, now=now, leg_id=leg.id, external_id=external_id)


def _booked_as(leg: Leg) -> tuple[Account, str]:
    """Where a leg's money went, and what its line says."""
    if leg.reverses is not None:
        return Account.LOSS, "taken back from the seller"
    if leg.source_account is Account.LOSS:
        return Account.SELLER, "paid to the seller again"
    to = Account.SELLER if leg.pays is Side.SELLER else Account.BUYER
    return to, "returned to the buyer" if leg.source_account is Account.SURPLUS else f"paid to the {leg.pays.lower()}"


def reject(leg: Leg, settlement: Settlement, reason: str, now: dt.datetime) -> bool:
    """The provider refused it for good under this attempt. True: it is planned again as the next attempt; False: too
    often."""
    refuse(leg, reason)
    if leg.attempt >= MAX_ATTEMPTS:
        return False
    wait(leg, settlement, reason, now + repair_delay(leg.attempt), attempt=True)
    return True


def refuse(leg: Leg, reason: str) -> None:
    """A definite refusal that no retry can help; the settlement is parked next."""
    LEG.apply("reject_leg", leg, Role.SYSTEM)
    leg.error = reason


def look_at(settlement: Settlement, when: dt.datetime) -> None:
    """The settlement's next look. One that is parked waits for a person, whatever becomes of its legs meanwhile."""
    if settlement.status is SettlementStatus.OPEN:
        settlement.next_look = when


def may_send(escrow: Escrow, settlement: Settlement) -> bool:
    """No new leg leaves while a hold stands; a RETURN of surplus and a REPAYMENT are not stopped by PAYOUT_FAILED
    alone (section 4), a RECOVERY by none: it pays nobody."""
    if settlement.kind is SettlementKind.RECOVERY:
        return True
    ignored = {Hold.PAYOUT_FAILED} if settlement.kind in PAYS_APART else set()
    return not escrow.holds - ignored


# --- the end of a settlement


def park(file: EscrowFile, settlement: Settlement, error: str, now: dt.datetime, *, refused: bool) -> None:
    """It can't go on by itself: a person resumes it. A refusal puts PAYOUT_FAILED on the escrow, a RETURN never
    does."""
    SETTLEMENT.apply("park_settlement", settlement, Role.SYSTEM)
    settlement.error, settlement.next_look, settlement.parked_at = error, None, now
    if refused and settlement.kind not in APART:
        file.escrow.holds = frozenset(file.escrow.holds | {Hold.PAYOUT_FAILED})


def drop(settlement: Settlement, action: str, role: Role, now: dt.datetime) -> None:
    """record_reclaim: its money is gone. accept_settlement and others: another plan takes its place. Nothing of it is
    sent any more."""
    SETTLEMENT.apply(action, settlement, role, becomes=SettlementStatus.DROPPED)
    settlement.finished_at, settlement.next_look = now, None


def live(file: EscrowFile) -> list[Settlement]:
    """Those that wait for something: OPEN, the returns of surplus included."""
    return [row for row in file.settlements if row.status is SettlementStatus.OPEN]


def close(
    file: EscrowFile, settlement: Settlement, around: Around | None, *, sold: bool, now: dt.datetime
) -> list[Entity]:
    """finish_settlement: all legs are confirmed, so the escrow ends as its plan said (D7). Returns the milestones and
    deliveries it closed.

    A MILESTONE before the last ends nothing but itself, and a RETURN or RECOVERY touches nothing else. Raises Conflict
    while a leg is not confirmed, ValueError where an escrow would end that holds money.
    """
    if next_leg(file, settlement) is not None:
        raise Conflict("A leg is not confirmed yet.")
    SETTLEMENT.apply("finish_settlement", settlement, Role.SYSTEM)
    settlement.finished_at, settlement.next_look = now, None
    if settlement.kind in APART:
        return []
    if settlement.kind is SettlementKind.MILESTONE:
        return [milestones.finish(file, settlement, now)]
    escrow, fee = file.escrow, _fee_alone(file, settlement, now)
    if escrow.held:  # I2: whatever went wrong is for people to see, and no end hides it
        raise ValueError(f"{escrow.id} still holds {escrow.held} cents that {settlement.id} did not pay")
    escrow.frozen_causes, escrow.frozen_at = frozenset(), None  # a hold placed on the way has no clock to stop now
    outcome = ending(escrow, settlement)
    escrow.seller_share += settlement.seller_share
    ESCROW.apply("finish_settlement", escrow, Role.SYSTEM, becomes=outcome)
    escrow.settlement_id, escrow.ended_at = None, now
    plan_look(escrow, now)
    if around is not None:
        finish(around, outcome, sold=sold, by_card=escrow.rail is RailName.STRIPE, disputed=file.was_disputed)
    return [*fee, *milestones.end(file, milestones.ENDED_BY[settlement.kind], now, paid=settlement.seller_share)]


def _fee_alone(file: EscrowFile, settlement: Settlement, now: dt.datetime) -> list[LedgerLine]:
    """A fee that no leg carries: of a cent that a bank has left, the platform's step of the fee may be all. By card it
    is where it belongs, and only has to be booked."""
    if file.legs_of(settlement.id) or not isinstance(file.rail, StripeEscrow):
        return []
    entry = Entry(Account.HELD, Account.FEES, settlement.to_platform, "platform fee", "fee")
    return ledger.book(file.escrow, [entry], now=now, deposit_ref=file.rail.charge_id, external_id=settlement.id)


def ending(escrow: Escrow, last: Settlement) -> EscrowStatus:
    """How the escrow ends with its last settlement: RELEASED where nothing was the buyer's, REFUNDED where nothing was
    the seller's (section 4)."""
    sellers = escrow.seller_share + last.seller_share
    if sellers == escrow.amount:
        return EscrowStatus.RELEASED
    return EscrowStatus.SPLIT if sellers else EscrowStatus.REFUNDED
