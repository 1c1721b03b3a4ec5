"""Manual payments: an administrator announces that he is about to pay outside what the card's provider refuses for
good, or what is set aside; that it was paid is recorded with the last word that is needed, and the settlement goes on
in the same commit (states.md, section 4)."""

import hashlib
from typing import Any

from bloxtr8 import chargebacks, clock, lookups, rails, reads, sagas, settling, table, voters
from bloxtr8.actors import Actor
from bloxtr8.domain import adoption, compliance, people, reconciliations, settlements
from bloxtr8.domain import manual_payments as rules
from bloxtr8.domain.chargebacks import drop_recoveries
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Asker, Due
from bloxtr8.entities import Hold, Leg, Lookup, ManualPayment, PlatformRole, User
from bloxtr8.errors import Conflict
from bloxtr8.logs import logger
from bloxtr8.rails import base
from bloxtr8.views.manual_payment import ManualPaymentView, PaymentRecorded


def announce(escrow_id: str, due: Due, reason: str, actor: Actor) -> ManualPaymentView:
    """The intent, before anybody pays. Raises Forbidden, NotFound, VersionMismatch, UpstreamFailed, and as
    `rules.check` and `_check_provider`."""
    people.check_role(table.get(User, id=actor.id), PlatformRole.PADMIN)
    file = reads.escrow(escrow_id)
    compliance.check_no_party(file.escrow, actor)
    actor.expects(file.escrow)
    leg = rules.check(file, due)
    _check_provider(file, leg, actor)
    row, *changed = rules.announce(file, due, leg, actor=actor, reason=reason, now=clock.now())
    assert isinstance(row, ManualPayment)
    view: ManualPaymentView = table.commit(
        file.escrow, row, *changed, action=rules.ANNOUNCE, actor=actor.acting_as(Role.PADMIN),
        details=_about(file, row) | {"reason": reason},
        answer=lambda: ManualPaymentView.of(file, row, Asker(actor.id, {actor.id})),
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
    asker, now = Asker(actor.id, eligible), clock.now()
    word = rules.is_word(row, asker)
    action, changed = "take_back_vote" if word else rules.WITHDRAW, rules.withdraw(file, row, asker, now)
    if not word:
        changed += drop_recoveries(file, rules.WITHDRAW, Role.PADMIN, actor=actor, now=now).rows
    tell = logger.warning if word or row.announced_by == actor.id else logger.error  # another's money may be out
    tell("a manual payment is taken back", extra={"id": row.id, "escrowId": escrow_id, "action": action})
    view: ManualPaymentView = table.commit(
        file.escrow, *changed, action=action, actor=actor.acting_as(Role.PADMIN),
        details=_about(file, row) | {"reason": reason}, answer=lambda: ManualPaymentView.of(file, row, asker),
    )  # fmt: skip
    return view


def _check_provider(file: EscrowFile, leg: Leg | None, actor: Actor) -> None:
    """Nobody pays what went by card after all, or went there in another way: the provider is asked now, since an event
    may be late. Raises Conflict PAYMENT_FOUND or ESCROW_ON_HOLD, UpstreamFailed where it does not say."""
    funding_id, cards = str(file.rail.external_id), rails.cards()
    with rails.asked():
        found = cards.find(settling.order(file, leg)) if leg is not None else None
        books = cards.books(funding_id, file.escrow.id)
        taken = (leg is None or leg.reverses is None) and chargebacks.stand(file, actor)
    if taken:
        raise Conflict("The buyer's bank takes this payment back.", "ESCROW_ON_HOLD", holds=[str(Hold.CHARGEBACK)])
    if found is not None and found.status is not base.LegStatus.REJECTED:
        raise Conflict("The provider has this payment: resume the settlement.", "PAYMENT_FOUND")
    unknown = books.refunded + books.refunding > adoption.given_back(file)
    differs = reconciliations.of_card(file, *books.net)
    if unknown or differs:
        raise Conflict(
            "The provider shows money that the books do not know, made in its Dashboard perhaps: see to that first.",
            "PAYMENT_FOUND",
        )


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
    words = rules.standing(row, key, eligible, now)
    rows = [*rules.record(file, row, payment_id, now), lookups.of_manual(file, key)] if whole else [row]
    view: PaymentRecorded = table.commit(
        escrow, *rows, action=rules.RECORD if whole else "vote_on_manual_payment",
        actor=actor.acting_as(Role.PADMIN), details=_about(file, row) | (_said(row, words, reason) if whole else {}),
        answer=lambda: PaymentRecorded.of(file, row, len(words)),
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


def _about(file: EscrowFile, row: ManualPayment) -> dict[str, Any]:
    """What the audit entry says: both sides read it."""
    pays, reverses = rules.payee(file, row)
    return {
        "manualPaymentId": row.id,
        "settlementId": row.settlement_id,
        "leg": row.leg,
        "pays": str(pays),
        "reverses": reverses is not None,
        "amount": row.amount,
    }


def _said(row: ManualPayment, words: list[str], reason: str) -> dict[str, Any]:
    """With who vouched for it. The bank's own name of it is for administrators: of that a hash, which it can be
    compared with."""
    named = hashlib.sha256(str(row.payment_id).encode()).hexdigest()
    return {"paymentIdSha256": named, "reason": reason, "people": words}
