"""How what was parked goes on: an administrator resumes a refusal, the end of a hold what it stopped, and COMPLIANCE
alone what a screening found (states.md, section 4, park_settlement)."""

import datetime as dt

from bloxtr8.actors import Actor
from bloxtr8.domain import legs, plans, refused_payouts, wallet_risk
from bloxtr8.domain.escrows import EscrowFile, repair_delay
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.settlements import APART, ON_HOLD, drop, may_send, wait
from bloxtr8.domain.transitions import SETTLEMENT
from bloxtr8.entities import Entity, Hold, LegStatus, Settlement, SettlementStatus, Side
from bloxtr8.errors import Conflict, InvalidState

FINDINGS = frozenset(map(str, wallet_risk.FOR_PEOPLE))  # why it was parked: what its wallets were found to be

_DECIDED = frozenset({Hold.RISK_REVIEW, Hold.SANCTIONS, Hold.COMPLIANCE})


def parked(file: EscrowFile) -> list[Settlement]:
    return [row for row in file.settlements if row.status is SettlementStatus.PARKED]


def is_refused(settlement: Settlement) -> bool:
    """Whether it is parked for no hold and no finding, which are for others: an administrator alone lets it go on."""
    return settlement.status is SettlementStatus.PARKED and settlement.error not in {*FINDINGS, ON_HOLD}


def check_parked(file: EscrowFile) -> list[Settlement]:
    """What an administrator can resume. Raises InvalidState where nothing is parked, Conflict COMPLIANCE_DECIDES where
    nothing is but for a finding about a wallet, or a hold that decide_hold ends, MANUAL_PAYMENT_ANNOUNCED where
    people are about to pay all of it."""
    waiting = parked(file)
    if not waiting:
        raise InvalidState("Nothing is parked.", currentStatus=str(file.escrow.status))
    held = bool(file.escrow.holds & _DECIDED)
    mine = [row for row in waiting if row.error not in FINDINGS and not (held and row.error == ON_HOLD)]
    if not mine:
        raise Conflict("It was stopped by a hold or a finding: that is for COMPLIANCE.", "COMPLIANCE_DECIDES")
    free = [row for row in mine if not _is_announced(file, row)]
    if not free:
        raise Conflict("Somebody is about to pay it outside.", "MANUAL_PAYMENT_ANNOUNCED")
    return free


def _is_announced(file: EscrowFile, settlement: Settlement) -> bool:
    return any(leg.by_hand and leg.status is LegStatus.SENT for leg in file.legs_of(settlement.id))


def resume_all(file: EscrowFile, actor: Actor, now: dt.datetime) -> list[Entity]:
    """resume_settlement: what an administrator can resume goes on as run + 1 (D32). Returns the rows it changed.

    A leg that was refused is planned again under a new key, and what would have divided its money anew is over. Where
    one call was to pay both sides and the token refuses one, each is paid apart from then on. Raises as `check_parked`.
    """
    mine = check_parked(file)
    stays = {row.id for row in parked(file) if row.kind not in APART} - {row.id for row in mine}
    if not stays:
        file.escrow.holds = frozenset(file.escrow.holds - {Hold.PAYOUT_FAILED})
    changed: list[Entity] = []
    for settlement in mine:
        if (barred := legs.refused_of_both(file, settlement)) is not None:
            changed += _pay_apart(file, settlement, barred, actor, now)
            continue
        SETTLEMENT.apply("resume_settlement", settlement, Role.PADMIN, becomes=SettlementStatus.OPEN)
        next_run(settlement, now)
        refused = [leg for leg in file.legs_of(settlement.id) if leg.status is LegStatus.REJECTED]
        for leg in refused:
            wait(leg, settlement, leg.error or "", now, attempt=True)
            leg.unready_since = None  # its payee has his whole time again
        settlement.next_look = now + repair_delay(0)  # not the refused leg's moment: its run starts right away
        changed += [settlement, *refused]
    return changed + [*refused_payouts.expire_outdated(file, now)]


def _pay_apart(file: EscrowFile, settlement: Settlement, barred: Side, actor: Actor, now: dt.datetime) -> list[Entity]:
    """The other side is paid, and the part of the one that the token refuses alone stays parked."""
    drop(settlement, "resume_settlement", Role.PADMIN, now)
    planned = plans.start_apart(file, settlement, barred, actor=actor, now=now)
    return [settlement, *planned.rows, *plans.follow(file, settlement, planned)]


def resume_held(file: EscrowFile, now: dt.datetime) -> list[Settlement]:
    """The end of a hold: what it parked, no other hold stops and nobody is about to pay outside goes on as run + 1.
    Returns the rows it changed."""
    mine = [row for row in parked(file) if row.error == ON_HOLD and not _is_announced(file, row)]
    return [_lift(row, now) for row in mine if may_send(file.escrow, row)]


def resume_decided(file: EscrowFile, now: dt.datetime) -> list[Settlement]:
    """decide_hold: a RETURN about whose wallets nothing is left to decide goes on as run + 1, or waits for the hold
    that stands. Returns the rows it changed."""
    changed = [row for row in parked(file) if row.error in FINDINGS and not open_findings(file, row, now)]
    for row in changed:
        if may_send(file.escrow, row):
            _lift(row, now)
        else:
            row.error = ON_HOLD
    return changed


def open_findings(file: EscrowFile, settlement: Settlement, now: dt.datetime) -> list[wallet_risk.Finding]:
    """What is for people to decide of the wallets behind a settlement's legs that are still to be sent."""
    waiting = (leg for leg in file.legs_of(settlement.id) if leg.status is LegStatus.PLANNED)
    return [
        finding
        for leg in waiting
        for finding in wallet_risk.of_payout(file, leg, now)
        if finding.verdict in wallet_risk.FOR_PEOPLE
    ]


def _lift(settlement: Settlement, now: dt.datetime) -> Settlement:
    SETTLEMENT.apply("lift_hold", settlement, Role.SYSTEM)
    next_run(settlement, now)
    return settlement


def next_run(settlement: Settlement, now: dt.datetime) -> None:
    """What was parked goes on as its next run, which starts at once."""
    settlement.error, settlement.run, settlement.looks = None, settlement.run + 1, 0
    settlement.next_look = now + repair_delay(0)
