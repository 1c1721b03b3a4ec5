"""The hold RISK_REVIEW: each cause adds and removes only its own (states.md, section 4, place_hold).

Whatever places this hold names its cause, so that the end of one never lifts what another still needs.
"""

import datetime as dt

from bloxtr8.domain import escrows, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Escrow, Hold, Settlement

WITH_MONEY_TO_LOSE = escrows.WAITS_FOR_MONEY | escrows.MONEY_HELD


def can_hold(escrow: Escrow) -> bool:
    """Whether there is anything to stop: from AWAIT_FUNDS to SETTLING."""
    return escrow.status in WITH_MONEY_TO_LOSE


def place(escrow: Escrow, cause: str, now: dt.datetime) -> bool:
    """place_hold: no new leg is sent and no deadline passes until `cause` is gone. False where it stands already.

    Raises InvalidState at an end.
    """
    ESCROW.apply("place_hold", escrow, Role.SYSTEM)
    if cause in escrow.hold_causes:
        return False
    escrow.hold_causes = frozenset(escrow.hold_causes | {cause})
    escrow.holds = frozenset(escrow.holds | {Hold.RISK_REVIEW})
    escrows.freeze(escrow, Hold.RISK_REVIEW, now)
    escrows.plan_look(escrow, now)
    return True


def lift(file: EscrowFile, cause: str, now: dt.datetime) -> list[Settlement] | None:
    """lift_hold: `cause` is gone; with the last of them the clock goes on, and what the hold parked is resumed.

    Returns the settlements it resumed; None where this cause placed nothing.
    """
    escrow = file.escrow
    if cause not in escrow.hold_causes:
        return None
    ESCROW.apply("lift_hold", escrow, Role.SYSTEM)
    escrow.hold_causes = frozenset(escrow.hold_causes - {cause})
    if escrow.hold_causes:
        return []
    clear(escrow, now)
    escrow.looks = 0
    escrows.plan_look(escrow, now)
    return settlements.resume_held(file, now)


def clear(escrow: Escrow, now: dt.datetime) -> None:
    """RISK_REVIEW and all its causes are gone."""
    escrow.hold_causes = frozenset()
    escrow.holds = frozenset(escrow.holds - {Hold.RISK_REVIEW})
    escrows.thaw(escrow, Hold.RISK_REVIEW, now)
