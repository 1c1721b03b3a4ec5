"""settle_escrow's last step: all of a settlement is paid, and what ends with it ends in the same commit (D7)."""

import datetime as dt

from bloxtr8 import assets, clock, config, reads, settling, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import read_together
from bloxtr8.domain import disputes, settlements
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import EscrowStatus, Settlement, SettlementStatus, Snapshot
from bloxtr8.errors import UpstreamFailed


def finish(escrow_id: str, settlement_id: str, actor: Actor) -> None:
    """All legs are confirmed: the escrow reaches its end, with the listing, the deliveries and both parties'
    counters (D7)."""
    file = reads.escrow(escrow_id)
    settlement = file.settlement(settlement_id)
    if settlement.status is SettlementStatus.DONE:
        return
    escrow = file.escrow
    if settlement.kind in settlements.PARTIAL:
        settling.finish_part(file, settlement, actor)
        return
    around = reads.around(escrow)
    sold, proof = _sold(file, settlement)
    with read_together("finish_settlement"):
        closed = settlements.close(file, settlement, around, sold=sold, now=clock.now())
        ended = disputes.close_by_settlement(file, settlement, clock.now())
    table.commit(
        escrow, settlement, around.listing, around.buyer, around.seller, *closed, *ended, *proof,
        deletes=around.freed(), action="finish_settlement", actor=actor, details={"outcome": str(escrow.status)},
    )  # fmt: skip


def _sold(file: EscrowFile, settlement: Settlement) -> tuple[bool, list[Snapshot]]:
    """Whether the listing is sold: after a release it is, after a refund it isn't, and after a split Roblox is asked
    where the asset is now.

    Raises UpstreamFailed: the next run asks again. Paid is paid, so after a day what was last proven decides.
    """
    escrow, outcome = file.escrow, settlements.ending(file.escrow, settlement)
    if outcome is not EscrowStatus.SPLIT:
        return outcome is EscrowStatus.RELEASED, []
    try:
        seen = assets.look_again(escrow, escrow.buyer_roblox_id, both_sources=True)
    except UpstreamFailed:
        paid = [leg.confirmed_at or settlement.created_at for leg in file.legs_of(settlement.id)]
        paid_at = max(paid, default=settlement.created_at)  # a bank may have left nothing to pay
        if clock.now() - paid_at < dt.timedelta(seconds=config.settings().owner_unknown_seconds):
            raise
        return disputes.sold(file, settlement), []
    return seen.verified, [seen]
