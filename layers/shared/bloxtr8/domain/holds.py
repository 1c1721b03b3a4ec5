"""The holds RISK_REVIEW and SANCTIONS: each cause adds and removes only its own (states.md, section 4, place_hold);
and COMPLIANCE, which people place and remove.

Whatever places such a hold names its cause, so that the end of one never lifts what another still needs. A cause that
begins with `sanctions:` is one of SANCTIONS.
"""

import datetime as dt
from collections.abc import Iterable

from bloxtr8.domain import escrows, resuming
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.domain.wallet_risk import SANCTIONS_CAUSE, Verdict
from bloxtr8.entities import Escrow, Hold, Settlement

WITH_MONEY_TO_LOSE = escrows.WAITS_FOR_MONEY | escrows.MONEY_HELD


def can_hold(escrow: Escrow) -> bool:
    """Whether there is anything to stop: from AWAIT_FUNDS to SETTLING."""
    return escrow.status in WITH_MONEY_TO_LOSE


def cause(verdict: Verdict, of: str, name: str) -> str:
    """The cause that a wallet's screening gives, of a deposit or a payout."""
    return f"{SANCTIONS_CAUSE if verdict is Verdict.SANCTIONS else ''}{of}:{name}"


def hold_of(cause: str) -> Hold:
    """Which hold a cause places."""
    return Hold.SANCTIONS if cause.startswith(SANCTIONS_CAUSE) else Hold.RISK_REVIEW


def place(escrow: Escrow, cause: str, now: dt.datetime) -> bool:
    """place_hold: no new leg is sent and no deadline passes until `cause` is gone. False where it stands already.

    Raises InvalidState at an end.
    """
    ESCROW.apply("place_hold", escrow, Role.SYSTEM)
    if cause in escrow.hold_causes:
        return False
    escrow.hold_causes = frozenset(escrow.hold_causes | {cause})
    escrow.holds = frozenset(escrow.holds | {hold_of(cause)})
    escrows.freeze(escrow, hold_of(cause), now)
    escrows.plan_look(escrow, now)
    return True


def lift(file: EscrowFile, cause: str, now: dt.datetime) -> list[Settlement] | None:
    """lift_hold: `cause` is gone; with the last of them the clock goes on, and what the hold parked is resumed.

    Returns the settlements it resumed; None where this cause placed nothing.
    """
    if cause not in file.escrow.hold_causes:
        return None
    ESCROW.apply("lift_hold", file.escrow, Role.SYSTEM)
    return lift_all(file, hold_of(cause), [cause], now)


def lift_all(file: EscrowFile, hold: Hold, causes: Iterable[str], now: dt.datetime) -> list[Settlement]:
    """These causes of a hold are gone; with its last one the hold is. Returns what that resumed."""
    escrow = file.escrow
    escrow.hold_causes = frozenset(escrow.hold_causes.difference(causes))
    return [] if _causes(escrow, hold) else end(file, hold, now)


def freeze(escrow: Escrow, now: dt.datetime) -> None:
    """decide_hold(FREEZE): COMPLIANCE stands until people end it."""
    escrow.holds = frozenset(escrow.holds | {Hold.COMPLIANCE})
    escrows.freeze(escrow, Hold.COMPLIANCE, now)
    escrows.plan_look(escrow, now)


def end(file: EscrowFile, hold: Hold, now: dt.datetime) -> list[Settlement]:
    """The hold is over with all its causes: the clock goes on, and what it parked is resumed. Returns what it
    resumed."""
    clear(file.escrow, now, hold)
    file.escrow.looks = 0
    escrows.plan_look(file.escrow, now)
    return resuming.resume_held(file, now)


def clear(escrow: Escrow, now: dt.datetime, hold: Hold = Hold.RISK_REVIEW) -> None:
    """The hold and all its causes are gone."""
    escrow.hold_causes = frozenset(escrow.hold_causes - _causes(escrow, hold))
    escrow.holds = frozenset(escrow.holds - {hold})
    escrows.thaw(escrow, hold, now)


def _causes(escrow: Escrow, hold: Hold) -> frozenset[str]:
    return frozenset(cause for cause in escrow.hold_causes if hold_of(cause) is hold)
