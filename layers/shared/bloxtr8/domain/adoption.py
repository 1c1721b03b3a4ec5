"""Refunds made in the provider's Dashboard: a person gave back what an escrow held (rail-stripe.md, Webhooks)."""

import datetime as dt

from bloxtr8.actors import Actor
from bloxtr8.domain import chargebacks, disputes, holds, legs, plans, settlements
from bloxtr8.domain.escrows import EscrowFile, check_money_may_start
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Account, Dispute, Hold, Leg, Settlement, Side
from bloxtr8.errors import DomainError


def fits(file: EscrowFile, amount: int, currency: str) -> bool:
    """Whether a refund is exactly what the escrow still holds, while nothing else is being paid out of it."""
    escrow = file.escrow
    try:
        ESCROW.check("adopt_refund", escrow, Role.SYSTEM)
        check_money_may_start(escrow, _despite(file))
    except DomainError:
        return False
    return not settlements.live(file) and (amount, currency) == (escrow.held, escrow.currency)


def adopt(
    file: EscrowFile, refund_id: str, *, actor: Actor, now: dt.datetime
) -> tuple[Settlement, list[Leg | Dispute]]:
    """adopt_refund: a REFUND whose one leg is under way already, so that it is booked as any other when the provider
    says that it succeeded. A hold for risk is decided by it, and a live dispute closed. Call it only where it `fits`.
    """
    planned = plans.start(
        file, "adopt_refund", Role.SYSTEM, actor=actor, to_seller=0, reason="REFUNDED_IN_DASHBOARD", now=now,
        despite=_despite(file),
    )  # fmt: skip
    (leg,) = planned.legs
    settlements.send(leg, planned.settlement, now)
    leg.external_id = leg.adopted_id = refund_id
    holds.clear(file.escrow, now)
    return planned.settlement, [leg, *disputes.close_by_adoption(file, now)]


def _despite(file: EscrowFile) -> set[Hold]:
    """The refund is a person's decision about the doubt, as decide_hold(REFUND) is; and it answers the bank's
    inquiries."""
    return {Hold.RISK_REVIEW, *({Hold.CHARGEBACK} if chargebacks.only_asked(file) else ())}


def given_back(file: EscrowFile) -> int:
    """How much of its payment the escrow knows to have gone back, or to be on its way, in cents."""
    sent = sum(leg.amount for leg in file.legs if leg.pays is Side.BUYER and leg.status in legs.MOVED)
    returned = sum(line.amount for line in file.ledger if line.debit is Account.BUYER and line.leg_id is not None)
    return sent - returned
