"""Manual payments: an administrator announces that he is about to pay outside what the card's provider refuses for
good, or what is set aside; that it was paid is recorded with the last word that is needed, and the settlement goes on
in the same commit (states.md, section 4)."""

from typing import Any

from bloxtr8 import clock, lookups, rails, reads, sagas, settling, table, voters
from bloxtr8.actors import Actor
from bloxtr8.domain import compliance, people, settlements
from bloxtr8.domain import manual_payments as rules
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Asker, Due
from bloxtr8.entities import Leg, Lookup, ManualPayment, ManualPaymentStatus, PlatformRole, User
from bloxtr8.errors import Conflict
from bloxtr8.logs import logger
from bloxtr8.rails import base
from bloxtr8.views.manual_payment import ManualPaymentView, PaymentRecorded


def announce(escrow_id: str, due: Due, reason: str, actor: Actor) -> ManualPaymentView:
    """The intent, before anybody pays. Raises Forbidden, NotFound, VersionMismatch, Conflict PAYMENT_FOUND,
    UpstreamFailed, and as `rules.check`."""
    people.check_role(table.get(User, id=actor.id), PlatformRole.PADMIN)
    file = reads.escrow(escrow_id)
    compliance.check_no_party(file.escrow, actor)
    actor.expects(file.escrow)
    leg = rules.check(file, due)
    if leg is not None:
        _check_provider(file, leg)
    row, *changed = rules.announce(file, due, leg, actor=actor, reason=reason, now=clock.now())
    assert isinstance(row, ManualPayment)
    view: ManualPaymentView = table.commit(
        file.escrow, row, *changed, action=rules.ANNOUNCE, actor=actor.acting_as(Role.PADMIN),
        details=_about(row) | {"reason": reason}, answer=lambda: ManualPaymentView.of(row, Asker(actor.id, {actor.id})),
    )  # fmt: skip
    logger.warning("a manual payment is announced", extra={"id": row.id})
    return view


def withdraw(escrow_id: str, payment_id: str, reason: str, actor: Actor) -> ManualPaymentView:
    """Nobody has paid it, or its giver takes his word back. Raises Forbidden, NotFound, VersionMismatch, and as
    `rules.find` and `rules.check_withdraw`."""
    file, eligible, _ = voters.read(escrow_id, actor, PlatformRole.PADMIN, voted=rules.voters)
    compliance.check_no_party(file.escrow, actor)
    actor.expects(file.escrow)
    row = rules.find(file, payment_id)
    asker = Asker(actor.id, eligible)
    changed = rules.withdraw(file, row, asker, clock.now())
    view: ManualPaymentView = table.commit(
        file.escrow, *changed, action=rules.WITHDRAW, actor=actor.acting_as(Role.PADMIN),
        details=_about(row) | {"reason": reason}, answer=lambda: ManualPaymentView.of(row, asker),
    )  # fmt: skip
    gone = row.status is ManualPaymentStatus.WITHDRAWN
    logger.warning("a manual payment was withdrawn" if gone else "a word was taken back", extra={"id": row.id})
    return view


def _check_provider(file: EscrowFile, leg: Leg) -> None:
    """Nobody pays what went by card after all: the provider is asked now. Raises Conflict PAYMENT_FOUND, and
    UpstreamFailed where it does not say."""
    with rails.asked():
        found = rails.cards().find(settling.order(file, leg))
    if found is not None and found.status is not base.LegStatus.REJECTED:
        raise Conflict("The provider has this payment: resume the settlement.", "PAYMENT_FOUND")


def record(escrow_id: str, announced_id: str, payment_id: str, reason: str, actor: Actor) -> PaymentRecorded:
    """One person's word that it was paid, and what follows from it.

    Raises Forbidden, NotFound, VersionMismatch, Conflict PAYMENT_ALREADY_RECORDED, and as `rules.find` and
    `rules.vote`.
    """
    key = rules.key_of(payment_id)
    file, eligible, recorded = _read(escrow_id, key, actor)
    escrow, now = file.escrow, clock.now()
    compliance.check_no_party(escrow, actor)
    actor.expects(escrow)
    row = rules.find(file, announced_id)
    if recorded is not None:
        raise Conflict("That payment is recorded already.", "PAYMENT_ALREADY_RECORDED")
    whole = rules.vote(file, row, payment_id, actor=actor, reason=reason, eligible=eligible, now=now)
    rows = [*rules.record(file, row, payment_id, now), lookups.of_manual(file, key)] if whole else [row]
    view: PaymentRecorded = table.commit(
        escrow, *rows, action=rules.RECORD if whole else "vote_on_manual_payment",
        actor=actor.acting_as(Role.PADMIN), details=_said(row, reason) if whole else _about(row),
        answer=lambda: PaymentRecorded.of(file, row, rules.standing(row, key, eligible, now)),
    )  # fmt: skip
    logger.warning("a manual payment was recorded" if whole else "a manual payment has a vote", extra={"id": row.id})
    if whole:
        with sagas.after_commit():
            for settlement in settlements.live(file):
                sagas.react(settlement, actor)
    return view


def _read(escrow_id: str, key: str, actor: Actor) -> tuple[EscrowFile, set[str], Lookup | None]:
    """The escrow, who may say so of those who have and the actor, and what has the payment's name already."""
    file, eligible, (recorded,) = voters.read(
        escrow_id, actor, PlatformRole.PADMIN, voted=rules.voters,
        places=lambda file: [table.ref(Lookup, index=lookups.MANUAL, value=key)],
    )  # fmt: skip
    return file, eligible, recorded


def _about(row: ManualPayment) -> dict[str, Any]:
    """What the audit entry says: both sides read it."""
    return {
        "manualPaymentId": row.id,
        "settlementId": row.settlement_id,
        "leg": row.leg,
        "pays": str(row.pays) if row.pays else None,
        "amount": row.amount,
    }


def _said(row: ManualPayment, reason: str) -> dict[str, Any]:
    said = {"paymentId": row.payment_id, "reason": reason, "people": [person["id"] for person in row.people]}
    return _about(row) | said
