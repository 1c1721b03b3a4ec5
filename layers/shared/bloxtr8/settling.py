"""The steps of settle_escrow: each leg is committed as SENT, sent, looked up where the answer was lost, and booked
when confirmed.

A repeated step finds what the one before it did: the leg's row and the provider decide, never the input (states.md,
section 5).
"""

import datetime as dt
from itertools import batched
from typing import Any, NamedTuple

from bloxtr8 import chargebacks, clock, lookups, rails, reads, screenings, table
from bloxtr8.actors import Actor
from bloxtr8.domain import chargebacks as rules
from bloxtr8.domain import escrows, holds, legs, losses, owed, refused_payouts, resuming, settlements, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.wallet_risk import Finding, Verdict
from bloxtr8.entities import (
    Account,
    Deals,
    Deposit,
    Leg,
    LegStatus,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
    StablecoinEscrow,
)
from bloxtr8.logs import logger
from bloxtr8.rails import base
from bloxtr8.rails.base import LegKind, LegOrder, LegOutcome

NEXT, CONFIRM, WAIT, PARK, FINISH, DONE = "NEXT", "CONFIRM", "WAIT", "PARK", "FINISH", "DONE"
NOT_READY, UNSCREENED, ON_HOLD = "SELLER_NOT_READY", "UNSCREENED", settlements.ON_HOLD


class Step(NamedTuple):
    """What the machine does after a task: its choice, and why where it parks."""

    next: str
    error: str = ""

    @property
    def answer(self) -> dict[str, str]:
        return {"next": self.next, "error": self.error}


def send_leg(escrow_id: str, settlement_id: str, actor: Actor) -> Step:
    """Send the leg whose turn it is. Raises RailThrottled and RailOutcomeUnknown: it may have been sent."""
    file, settlement = _read(escrow_id, settlement_id)
    if settlement.status is not SettlementStatus.OPEN:
        return Step(DONE)
    if settlements.next_leg(file, settlement) is None:
        return Step(FINISH)
    refused = legs.refused(file, settlement)
    if refused is not None and not legs.keeps_no_other(file, settlement, refused):
        return Step(PARK, refused.error or "REJECTED")
    held = not settlements.may_send(file.escrow, settlement)
    sent = legs.under_way(file, settlement)
    if sent is not None and sent.by_hand:
        return Step(WAIT)
    if sent is not None:
        asked = held or sent.status is LegStatus.UNKNOWN or sent.external_id is not None
        return Step(CONFIRM) if asked else _send(file, settlement, sent, actor)  # the same key, after a look-up
    return Step(PARK, ON_HOLD) if held else _send_next(file, settlement, actor)


def _send_next(file: EscrowFile, settlement: Settlement, actor: Actor) -> Step:
    """Commit the leg as SENT, then send it (law 5); WAIT where none of them has its turn yet."""
    now = clock.now()
    delayed = _delayed(file, settlement, now)
    leg = legs.ready(file, settlement, now)
    if leg is None:
        until = legs.next_time(file, settlement)
        if until is not None and (delayed or settlement.next_look != until):
            settlements.look_at(settlement, until)
            table.commit(file.escrow, settlement, *delayed, action="delay_leg", actor=actor)
        return Step(WAIT)
    screened = _screen(file, leg, actor) if isinstance(file.rail, StablecoinEscrow) else []
    found = wallet_risk.of_payout(file, leg, now)
    if found:
        return _stop(file, settlement, leg, found[0], screened, actor)
    settlements.send(leg, settlement, now)
    table.commit(file.escrow, settlement, *delayed, leg, *screened, action="send_leg", actor=actor)
    return _send(file, settlement, leg, actor)


def _screen(file: EscrowFile, leg: Leg, actor: Actor) -> list[Leg | Deposit]:
    """Look at the wallet that is about to be paid, and where money goes back at who sent it. Returns the rows that
    keep it; where they are many, the first of them are kept at once."""
    now, fresh = clock.now(), list[Deposit]()
    if leg.source_account is Account.SURPLUS:
        sent = wallet_risk.carried(file, file.settlement(leg.settlement_id))
        for some in batched(wallet_risk.unscreened(sent, now), screenings.BATCH, strict=False):
            if fresh:
                table.commit(file.escrow, *fresh, action="screen_deposit", actor=actor)
            fresh = screenings.of_senders(some, now)
    leg.screening = screenings.of_payee(str(leg.destination), leg.screening, now)
    if leg.also_buyer and isinstance(file.rail, StablecoinEscrow):
        leg.also_screening = screenings.of_payee(file.rail.terms["buyer"], leg.also_screening, now)
    return [leg, *fresh]


def _stop(
    file: EscrowFile,
    settlement: Settlement,
    leg: Leg,
    found: Finding,
    screened: list[Leg | Deposit],
    actor: Actor,
) -> Step:
    """It may not be paid there now: asked again while nobody knows, else COMPLIANCE decides (D32). A RETURN touches no
    hold, it is parked alone."""
    escrow, now, verdict = file.escrow, clock.now(), found.verdict
    if verdict is Verdict.WAIT:
        settlements.wait(leg, settlement, UNSCREENED, now + escrows.repair_delay(settlement.looks), attempt=False)
        details = {"error": UNSCREENED}
        table.commit(escrow, settlement, *screened, action="postpone_leg", actor=actor, details=details)
        return Step(WAIT)
    if settlement.kind is SettlementKind.RETURN:
        details = {"verdict": str(verdict), "cause": found.cause}
        table.commit(escrow, *screened, action="stop_leg", actor=actor, details=details)
        return Step(PARK, str(verdict))
    holds.place(escrow, found.cause, now)
    details = {"hold": str(holds.hold_of(found.cause)), "cause": found.cause}
    logger.error("an escrow is on hold", extra={"escrowId": escrow.id, "cause": found.cause})
    table.commit(escrow, *screened, action="place_hold", actor=actor, details=details)
    return Step(PARK, ON_HOLD)


def _delayed(file: EscrowFile, settlement: Settlement, now: dt.datetime) -> list[Leg]:
    """A new buyer's card may be a stolen one: the seller's legs wait (CARD_RELEASE_DELAY). Returns those it moved."""
    until = legs.release_at(file, settlement)
    if until is None or until <= now:
        return []
    return legs.delay(file, settlement, until, table.get(Deals, user_id=file.escrow.buyer_id))


def _send(file: EscrowFile, settlement: Settlement, leg: Leg, actor: Actor) -> Step:
    """The call itself, after its intent is stored. A definite refusal is written down; anything unknown is raised."""
    try:
        outcome = rails.get(str(file.escrow.rail)).send(order(file, leg))
    except base.RailFundsPending as error:
        until = max(error.available_at, clock.now() + legs.patience(leg.attempt))
        return _postpone(settlement.escrow_id, leg, "FUNDS_PENDING", until, actor)
    except base.SellerNotReady:
        if legs.is_out_of_patience(leg, clock.now()):
            return _refuse(settlement.escrow_id, leg, NOT_READY, actor)
        return _postpone(settlement.escrow_id, leg, NOT_READY, clock.now() + legs.patience(leg.attempt), actor)
    except base.RailFrozen:
        return _freeze(settlement.escrow_id, leg, actor)
    except base.PayeeRefused as error:
        return _refuse(settlement.escrow_id, leg, legs.WALLET_REFUSED[Side(error.payee)], actor)
    except (base.RailBug, base.RailDeclined) as error:
        return _refuse(settlement.escrow_id, leg, type(error).__name__, actor)
    if outcome.status is base.LegStatus.REJECTED and not outcome.external_id:
        return _refuse(settlement.escrow_id, leg, outcome.reason or "REJECTED", actor)  # it made no object to ask for
    return Step(CONFIRM)


def confirm_leg(escrow_id: str, settlement_id: str, actor: Actor, *, n: int | None = None) -> Step:
    """Ask the provider what became of the leg that was sent, and write that down. Raises where it does not say.

    With `n` it is an event's look at that leg alone: what is not there yet is the machine's to judge, whose call may
    still be under way.
    """
    file, settlement = _read(escrow_id, settlement_id)
    leg = legs.under_way(file, settlement)
    if leg is None or leg.by_hand or n not in {None, leg.n}:  # what people pay the provider knows nothing of
        return Step(NEXT)
    try:
        outcome = rails.get(str(file.escrow.rail)).find(order(file, leg))
    except (base.RailThrottled, base.RailOutcomeUnknown):
        if n is None:
            _lose(file, settlement, leg, actor)
        raise
    if outcome is not None:
        return _write(file, settlement, leg, outcome, actor)
    return _miss(file, settlement, leg, actor) if n is None else Step(WAIT)


def ask_for_legs(file: EscrowFile, actor: Actor) -> bool:
    """What became of the legs that may have been sent. Whether there were any. Raises what the rail raises."""
    sent = losses.in_flight(file)
    for settlement_id, n in sent:
        confirm_leg(file.escrow.id, settlement_id, actor, n=n)
    return bool(sent)


def _lose(file: EscrowFile, settlement: Settlement, leg: Leg, actor: Actor) -> None:
    """Neither the call nor the look-up was answered: nobody knows whether it exists, and people can see that."""
    if leg.status is LegStatus.SENT and leg.external_id is None:
        settlements.lose(leg)
        table.commit(file.escrow, settlement, leg, action="lose_leg", actor=actor)


def _miss(file: EscrowFile, settlement: Settlement, leg: Leg, actor: Actor) -> Step:
    """The provider has nothing for it: it is planned again under the same key, later each time."""
    delay = escrows.repair_delay(settlement.looks)
    settlement.looks += 1
    settlements.wait(leg, settlement, "NOT_FOUND", clock.now() + delay, attempt=False)
    table.commit(file.escrow, settlement, leg, action="retry_leg", actor=actor)
    return Step(WAIT)


def _write(file: EscrowFile, settlement: Settlement, leg: Leg, outcome: LegOutcome, actor: Actor) -> Step:
    if outcome.status is base.LegStatus.SENT:
        return _await(file, settlement, leg, outcome, actor)
    now = clock.now()
    if outcome.status is base.LegStatus.CONFIRMED:
        lines = settlements.confirm(file, leg, outcome.external_id, now)
        settlements.look_at(settlement, now + escrows.repair_delay(0))
        lookup = lookups.of(file, outcome.external_id)
        table.commit(file.escrow, settlement, leg, lookup, *lines, action="confirm_leg", actor=actor)
        return Step(NEXT)
    again = settlements.reject(leg, settlement, outcome.reason or "REJECTED", now)
    logger.warning("a leg was rejected", extra={"legId": leg.id, "reason": outcome.reason})
    _reject(file, settlement, leg, actor)  # both sides read it: no reason
    return Step(NEXT if again else PARK, "" if again else "REJECTED")


def _reject(file: EscrowFile, settlement: Settlement, leg: Leg, actor: Actor, **details: str) -> None:
    """Write down a refusal; of a reversal whose loss was made good while it was under way nothing is left to do."""
    less = rules.drop_recoveries(file, "reject_leg", Role.SYSTEM, actor=actor, now=clock.now())
    table.commit(file.escrow, settlement, leg, *less.rows, action="reject_leg", actor=actor, details=details)


def _await(file: EscrowFile, settlement: Settlement, leg: Leg, outcome: LegOutcome, actor: Actor) -> Step:
    """Under way at the provider: its event, or the next look, which is on its way already, asks again."""
    if leg.external_id != outcome.external_id or leg.status is LegStatus.UNKNOWN:
        settlements.found(leg, outcome.external_id)
        settlements.look_at(settlement, clock.now() + escrows.repair_delay(settlement.looks))
        table.commit(file.escrow, settlement, leg, action="await_leg", actor=actor)
    return Step(WAIT)


def finish_part(file: EscrowFile, settlement: Settlement, actor: Actor) -> None:
    """finish_settlement of what does not end the escrow: a milestone of several, or what is apart."""
    now = clock.now()
    rows = settlements.close(file, settlement, None, sold=False, now=now)
    if settlement.kind is SettlementKind.RECOVERY:  # its loss may have been made good while it was under way
        rows += owed.settle(file, (), action="finish_settlement", actor=actor, now=now).rows
    table.commit(file.escrow, settlement, *rows, action="finish_settlement", actor=actor)


def park_settlement(escrow_id: str, settlement_id: str, error: str, actor: Actor) -> None:
    """It can't go on by itself: a visible, parked state that a person resumes; never silence (states.md, section 4).

    Not where it is not open any more: it was parked before, or is done; nor where the hold has ended since, or all was
    decided: then nothing would resume it, and its next look goes on.
    """
    file, settlement = _read(escrow_id, settlement_id)
    if settlement.status is not SettlementStatus.OPEN:
        return
    if error == ON_HOLD and settlements.may_send(file.escrow, settlement):
        return
    if error in resuming.FINDINGS and not resuming.open_findings(file, settlement, clock.now()):
        return
    about = {"escrowId": escrow_id, "settlementId": settlement_id, "error": error}
    logger.error("settlement parked", extra=about)
    settlements.park(file, settlement, error, clock.now(), refused=error != ON_HOLD)
    over = refused_payouts.expire_outdated(file, clock.now())
    table.commit(file.escrow, settlement, *over, action="park_settlement", actor=actor, details={"error": error})


def wake(escrow_id: str, actor: Actor) -> list[Settlement]:
    """What the seller's legs waited for has come: their time is now. Returns the settlements to react to."""
    file = reads.escrow(escrow_id)
    now = clock.now()
    woken = []
    for settlement in settlements.live(file):
        waiting = legs.waiting(file, settlement, NOT_READY)
        for leg in waiting:
            leg.next_look = settlement.next_look = now
        if waiting:
            table.commit(file.escrow, settlement, *waiting, action="wake_legs", actor=actor)
            woken.append(settlement)
    return woken


def _read(escrow_id: str, settlement_id: str) -> tuple[EscrowFile, Settlement]:
    file = reads.escrow(escrow_id)
    return file, file.settlement(settlement_id)


def _again(escrow_id: str, sent: Leg) -> tuple[EscrowFile, Settlement, Leg] | None:
    """The same leg, read after the call; None where somebody else has learned what became of it meanwhile, or is paying
    it outside."""
    file, settlement = _read(escrow_id, sent.settlement_id)
    leg = next(row for row in file.legs_of(sent.settlement_id) if row.n == sent.n)
    sent_still = leg.status in {LegStatus.SENT, LegStatus.UNKNOWN} and not leg.by_hand
    open_still = sent_still and leg.attempt == sent.attempt
    return (file, settlement, leg) if open_still else None


def _postpone(escrow_id: str, sent: Leg, error: str, until: dt.datetime, actor: Actor) -> Step:
    found = _again(escrow_id, sent)
    if found is None:
        return Step(CONFIRM)
    file, settlement, leg = found
    now = clock.now()
    if error == NOT_READY:
        leg.unready_since = leg.unready_since or now
    settlements.wait(leg, settlement, error, until, attempt=True)
    table.commit(file.escrow, settlement, leg, action="postpone_leg", actor=actor, details={"error": error})
    return Step(CONFIRM if legs.ready(file, settlement, now) else WAIT)  # nothing to confirm: on to the other leg


def _freeze(escrow_id: str, sent: Leg, actor: Actor) -> Step:
    """charge_disputed: the hold of the chargeback parks it, and the end of that hold sends it again. Where the
    provider has none that stands it is a refusal as any other."""
    if not chargebacks.stand(reads.escrow(escrow_id), actor):
        return _refuse(escrow_id, sent, "RailFrozen", actor)
    found = _again(escrow_id, sent)
    if found is None:
        return Step(CONFIRM)
    file, settlement, leg = found
    until = clock.now() + escrows.repair_delay(settlement.looks)
    settlements.wait(leg, settlement, "CHARGED_BACK", until, attempt=True)
    details = {"error": "CHARGED_BACK"}
    table.commit(file.escrow, settlement, leg, action="postpone_leg", actor=actor, details=details)
    return Step(WAIT) if settlements.may_send(file.escrow, settlement) else Step(PARK, ON_HOLD)


def _refuse(escrow_id: str, sent: Leg, error: str, actor: Actor) -> Step:
    found = _again(escrow_id, sent)
    if found is None:
        return Step(CONFIRM)
    file, settlement, leg = found
    settlements.refuse(leg, error)
    _reject(file, settlement, leg, actor, error=error)
    if legs.keeps_no_other(file, settlement, leg):
        logger.error("a wallet is refused", extra={"escrowId": escrow_id, "legId": leg.id, "error": error})
        return Step(CONFIRM)  # nothing to confirm: on to the other leg, and parked after it
    return Step(PARK, error)


def order(file: EscrowFile, leg: Leg) -> LegOrder:
    """The leg as the rail takes it, from its frozen row alone."""
    if file.rail.external_id is None:
        raise base.RailBug("money is held, but its payment is not known")
    one_call: dict[str, Any] = {}
    if isinstance(file.rail, StablecoinEscrow):
        one_call = {"fee": leg.fee, "also_buyer": leg.also_buyer, "action": leg.action, "terms": file.rail.terms}
    return LegOrder(
        escrow_id=leg.escrow_id,
        settlement_id=leg.settlement_id,
        leg=leg.n,
        attempt=leg.attempt,
        kind=_kind(leg),
        amount=leg.amount,
        currency=str(leg.currency),
        funding_id=file.rail.external_id,
        destination=leg.destination,
        reverses=leg.reverses,
        from_balance=leg.source_account is Account.LOSS,
        booked=rules.booked(file),
        adopted_id=leg.adopted_id if leg.attempt == 1 else None,  # where it failed, the next attempt is ours
        **one_call,
    )


def _kind(leg: Leg) -> LegKind:
    if leg.reverses is not None:
        return LegKind.REVERSAL
    return LegKind.TRANSFER if leg.pays is Side.SELLER else LegKind.REFUND
