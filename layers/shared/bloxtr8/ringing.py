"""What waits for people rings with each day's reconciliation, from the third day on: nobody else tells them again
(states.md, section 4). An announced payment rings as that alone, since meanwhile nobody can do anything else."""

from bloxtr8 import clock
from bloxtr8.domain import manual_payments, resuming, set_aside
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.manual_payments import LATE
from bloxtr8.entities import Settlement
from bloxtr8.logs import logger


def is_late(settlement: Settlement) -> bool:
    """Whether an administrator should have resumed it, or said what he pays of it, days ago."""
    return resuming.is_refused(settlement) and clock.now() - settlement.parked_at >= LATE


def for_parked(file: EscrowFile, settlement_id: str) -> None:
    """What was parked, where it `is_late`, read just now."""
    if not is_late(file.settlement(settlement_id)):
        return
    if not any(row.settlement_id == settlement_id for row in manual_payments.announced(file)):
        about = {"escrowId": file.escrow.id, "settlementId": settlement_id}
        logger.error("a settlement is parked still", extra=about)
    _for_announced(file, settlement_id)


def for_set_aside(file: EscrowFile) -> None:
    """What is set aside, and what of it somebody was about to pay."""
    line = set_aside.cause(file)
    if line is not None and set_aside.amount(file) > 0 and clock.now() - line.at >= LATE:
        logger.error("money is set aside still", extra={"escrowId": file.escrow.id})
    _for_announced(file, None)


def _for_announced(file: EscrowFile, settlement_id: str | None) -> None:
    for row in manual_payments.late(file, clock.now()):
        if row.settlement_id == settlement_id:
            about = {"escrowId": file.escrow.id, "manualPaymentId": row.id}
            logger.error("a manual payment was announced and not recorded", extra=about)
