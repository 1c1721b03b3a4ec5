"""Recoveries: what the seller was paid by card is taken back, as far as it goes (rail-stripe.md: reverse).

A RECOVERY is a settlement apart, as a RETURN is: its legs reverse transfers, each stored before its call, and it never
touches the status or the holds. No hold stops it, since it pays nobody.
"""

import datetime as dt

from bloxtr8 import ids
from bloxtr8.actors import Actor
from bloxtr8.domain.escrows import EscrowFile, repair_delay
from bloxtr8.domain.plans import Planned
from bloxtr8.entities import Account, Leg, LegStatus, RailName, Settlement, SettlementKind, SettlementStatus, Side


def plan(file: EscrowFile, amount: int, *, actor: Actor, reason: str, now: dt.datetime) -> Planned | None:
    """A RECOVERY of up to `amount`: the seller's transfers, the newest first, are reversed as far as they go. None
    where he was paid nothing."""
    escrow = file.escrow
    settlement = Settlement(
        escrow_id=escrow.id,
        id=ids.new("stl"),
        kind=SettlementKind.RECOVERY,
        reason=reason,
        actor=actor.id,
        next_look=now + repair_delay(0),
        created_at=now,
    )
    legs: list[Leg] = []
    for paid in _transfers(file):
        part = min(amount, paid.amount - _taken_back(file, paid))
        if part > 0:
            amount -= part
            legs.append(
                Leg(
                    escrow_id=escrow.id,
                    settlement_id=settlement.id,
                    n=len(legs) + 1,
                    pays=Side.SELLER,
                    amount=part,
                    currency=escrow.currency,
                    source_account=Account.SELLER,
                    reverses=paid.external_id,
                )
            )
    if not legs:
        return None
    settlement.to_platform = sum(leg.amount for leg in legs)
    file.settlements.append(settlement)
    file.legs.extend(legs)
    return Planned(settlement, legs)


def _transfers(file: EscrowFile) -> list[Leg]:
    """What the seller was paid by card, the newest first; what people paid him outside can't be taken back there."""
    if file.escrow.rail is not RailName.STRIPE:
        return []
    paid = [
        leg
        for leg in file.legs
        if leg.pays is Side.SELLER and leg.reverses is None and leg.confirmed_at and not leg.by_hand
    ]
    return sorted(paid, key=lambda leg: leg.confirmed_at, reverse=True)


def _taken_back(file: EscrowFile, paid: Leg) -> int:
    """How much of a transfer is reversed, or is to be: of a recovery that was dropped nothing more is."""
    dropped = {row.id for row in file.settlements if row.status is SettlementStatus.DROPPED}
    return sum(
        leg.amount
        for leg in file.legs
        if leg.reverses == paid.external_id and (leg.settlement_id not in dropped or leg.status is LegStatus.CONFIRMED)
    )
