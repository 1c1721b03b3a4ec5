"""record_manual_payment: an administrator says how what the card's provider refuses for good, or what is set aside, was
paid outside of it; with the last word that is needed it is booked in the same commit, and the settlement goes on
(states.md, section 4)."""

from typing import Any

from bloxtr8 import clock, lookups, rails, sagas, settling, table, voters
from bloxtr8.actors import Actor
from bloxtr8.domain import compliance, settlements
from bloxtr8.domain import manual_payments as rules
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Payment
from bloxtr8.entities import Entity, Leg, Lookup, ManualPayment, PlatformRole
from bloxtr8.errors import Conflict
from bloxtr8.logs import logger
from bloxtr8.rails import base
from bloxtr8.views.manual_payment import PaymentRecorded


def record(escrow_id: str, payment: Payment, reason: str, actor: Actor) -> PaymentRecorded:
    """One person's word, and what follows from it.

    Raises Forbidden, NotFound, VersionMismatch, Conflict PAYMENT_ALREADY_RECORDED or PAYMENT_FOUND, UpstreamFailed, and
    as `rules.check` and `rules.vote`.
    """
    file, eligible, recorded = _read(escrow_id, payment.payment_id, actor)
    escrow, now = file.escrow, clock.now()
    compliance.check_no_party(escrow, actor)
    actor.expects(escrow)
    if recorded is not None:
        raise Conflict("That payment is recorded already.", "PAYMENT_ALREADY_RECORDED")
    leg = rules.check(file, payment)
    row = rules.vote(file, payment, actor=actor, reason=reason, now=now)
    whole = rules.is_whole(file, row, eligible)
    rows: list[Entity] = []
    if whole:
        if leg is not None:
            _check_provider(file, leg)
        rows = [*rules.record(file, row, leg, now), lookups.of_manual(file, row.payment_id)]
    view: PaymentRecorded = table.commit(
        escrow, row, *rows, action=rules.ACTION if whole else "vote_on_manual_payment",
        actor=actor.acting_as(Role.PADMIN), details=_details(row, reason),
        answer=lambda: PaymentRecorded.of(file, row, eligible),
    )  # fmt: skip
    logger.warning("a manual payment was recorded" if whole else "a manual payment has a vote", extra={"id": row.id})
    if whole:
        with sagas.after_commit():
            for settlement in settlements.live(file):
                sagas.react(settlement, actor)
    return view


def _read(escrow_id: str, payment_id: str, actor: Actor) -> tuple[EscrowFile, set[str], Lookup | None]:
    """The escrow, who may say so of those who have and the actor, and what has the payment's name already."""
    file, eligible, (recorded,) = voters.read(
        escrow_id, actor, PlatformRole.PADMIN,
        voted=lambda file: rules.voters(file, clock.now()),
        places=lambda file: [table.ref(Lookup, index=lookups.MANUAL, value=payment_id)],
    )  # fmt: skip
    return file, eligible, recorded


def _check_provider(file: EscrowFile, leg: Leg) -> None:
    """Nothing is booked that went by card after all: the provider is asked now. Raises Conflict PAYMENT_FOUND, and
    UpstreamFailed where it does not say."""
    with rails.asked():
        found = rails.cards().find(settling.order(file, leg))
    if found is not None and found.status is not base.LegStatus.REJECTED:
        raise Conflict("The provider has this payment: resume the settlement.", "PAYMENT_FOUND")


def _details(row: ManualPayment, reason: str) -> dict[str, Any]:
    """What the audit entry says: both sides read it."""
    return {
        "manualPaymentId": row.id,
        "settlementId": row.settlement_id,
        "leg": row.leg,
        "pays": str(row.pays) if row.pays else None,
        "amount": row.amount,
        "paymentId": row.payment_id,
        "reason": reason,
        "people": [person["id"] for person in row.people],
    }
