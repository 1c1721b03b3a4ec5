"""Refunds made in the provider's Dashboard: a person gave back what an escrow held (rail-stripe.md, Webhooks)."""

import datetime as dt

from bloxtr8.actors import Actor
from bloxtr8.domain import chargebacks, disputes, holds, legs, plans, refused_payouts, settlements, wallet_risk
from bloxtr8.domain.escrows import EscrowFile, check_holds, check_money_may_start
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import ESCROW
from bloxtr8.entities import Account, Entity, Hold, Settlement, Side
from bloxtr8.errors import DomainError

_CAUSE = "refund:"
REASON = "REFUNDED_IN_DASHBOARD"


def cause(refund_id: str) -> str:
    """Why an escrow is held whose payment was refunded by nobody's order."""
    return f"{_CAUSE}{refund_id}"


def known(file: EscrowFile) -> list[str]:
    """The refunds that were told of and not adopted, whether people have decided about their hold or not."""
    causes = {*file.escrow.hold_causes, *wallet_risk.cleared(file)}
    taken = {leg.adopted_id for leg in file.legs}
    told = (one.removeprefix(_CAUSE) for one in sorted(causes) if one.startswith(_CAUSE))
    return [refund_id for refund_id in told if refund_id not in taken]


def fits(file: EscrowFile, amount: int, currency: str) -> bool:
    """Whether a refund is exactly what the escrow still holds, while nothing was paid out of it, nor may have been, by
    what is to pay it."""
    escrow, old = file.escrow, refused_payouts.unmoved(file)
    try:
        ESCROW.check("adopt_refund", escrow, Role.SYSTEM)
        (check_money_may_start if old is None else check_holds)(escrow, _despite(file))
    except DomainError:
        return False
    alone = all(row is old for row in settlements.live(file))
    return alone and (amount, currency) == (escrow.held, escrow.currency)


def adopt(file: EscrowFile, refund_id: str, *, actor: Actor, now: dt.datetime) -> tuple[Settlement, list[Entity]]:
    """adopt_refund: a REFUND whose one leg is under way already, so that it is booked as any other when the provider
    says that it succeeded. A hold for risk is decided by it, and a dispute closed; what was to pay the money out is
    DROPPED. Call it only where it `fits`. Returns the new settlement, and the rows beside it and the escrow.
    """
    old = refused_payouts.unmoved(file)
    dropped = refused_payouts.drop(file, old, "adopt_refund", Role.SYSTEM, now)
    planned = plans.start(
        file, "adopt_refund", Role.SYSTEM, actor=actor, to_seller=0, reason=REASON, now=now,
        despite=_despite(file),
    )  # fmt: skip
    (leg,) = planned.legs
    settlements.send(leg, planned.settlement, now)
    leg.external_id = leg.adopted_id = refund_id
    holds.clear(file.escrow, now)
    return planned.settlement, [leg, *planned.ended, *dropped, *disputes.close_by_adoption(file, now)]


def _despite(file: EscrowFile) -> set[Hold]:
    """The refund is a person's decision about the doubt, as decide_hold(REFUND) is; it answers the bank's inquiries,
    and says why a payout was refused."""
    asked = {Hold.CHARGEBACK} if chargebacks.only_asked(file) else set[Hold]()
    refused = {Hold.PAYOUT_FAILED} if refused_payouts.unmoved(file) else set[Hold]()
    return {Hold.RISK_REVIEW, *asked, *refused}


def given_back(file: EscrowFile) -> int:
    """How much of its payment the escrow knows to have gone back by card, or to be on its way, in cents."""
    moved = (leg for leg in file.legs if leg.pays is Side.BUYER and leg.status in legs.MOVED)
    sent = sum(leg.amount for leg in moved if not leg.by_hand)
    returned = sum(line.amount for line in file.ledger if line.debit is Account.BUYER and line.leg_id is not None)
    return sent - returned
