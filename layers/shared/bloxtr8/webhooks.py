"""Webhook events that are stored: the provider is asked for the truth (states.md, section 8; rail-stripe.md,
rail-usdc.md).

Nothing an event says is believed but its ids, so duplicates, disorder and forgeries that got this far are harmless.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bloxtr8 import (
    chargeback_verdicts,
    clock,
    config,
    deadlines,
    depositing,
    funding,
    hand_refunds,
    lookups,
    rails,
    reads,
    risk,
    sagas,
    settling,
    table,
)
from bloxtr8.actors import Actor
from bloxtr8.attempts import again
from bloxtr8.domain import escrows, settlements, vault_looks
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import WEBHOOK
from bloxtr8.entities import Lookup, RailName, StablecoinEscrow, User, WebhookEvent, WebhookStatus
from bloxtr8.errors import NotFound
from bloxtr8.logs import logger
from bloxtr8.rails.base import Look
from bloxtr8.rails.stripe_events import Hint, HintKind, interpret


def process(row: WebhookEvent, actor: Actor) -> None:
    """Do what an event asks for, and say on its row whether that worked. An error is kept there, and tried again
    later."""
    if row.status not in {WebhookStatus.RECEIVED, WebhookStatus.FAILED}:
        return
    try:
        again(lambda: _PROVIDERS[row.provider](row.payload, actor))
    except Exception as error:
        _fail(row, error)
        return
    WEBHOOK.apply("process_webhook_event", row, Role.SYSTEM)
    row.processed_at, row.error = clock.now(), None
    table.remember(row, unless_exists=False)


def _fail(row: WebhookEvent, error: Exception) -> None:
    waits = isinstance(error, hand_refunds.NotYet)  # nothing failed: it is asked until it can be booked
    row.attempts, row.waits = (0, row.waits + 1) if waits else (row.attempts + 1, row.waits)
    delay = escrows.repair_delay(row.waits if waits else row.attempts)
    dead = row.attempts >= config.settings().webhook_attempts
    WEBHOOK.apply("fail_webhook_event", row, Role.SYSTEM, becomes=WebhookStatus.DEAD if dead else WebhookStatus.FAILED)
    row.error, row.next_try = type(error).__name__, clock.now() + delay
    tell = logger.error if dead else logger.warning  # an error alarms: a person is told when no retry is left
    about = {"event": row.id, "type": row.event_type, "attempts": row.attempts, "waits": row.waits, "dead": dead}
    tell("webhook event failed", exc_info=True, extra=about)
    table.remember(row, unless_exists=False)


def _stripe(event: Mapping[str, Any], actor: Actor) -> None:
    hint = interpret(event)
    if hint.kind is HintKind.FUNDING and hint.escrow_id is not None:
        follow_funding(hint.escrow_id, actor)
    elif hint.kind is HintKind.LEG:
        _leg(hint, actor)
    elif hint.kind is HintKind.STRAY:
        _stray(hint, actor)
    elif hint.kind is HintKind.ACCOUNT and hint.account_id is not None:
        _account(hint.account_id, actor)
    elif hint.object_id is not None:
        _doubt(hint.kind, hint.object_id, actor)


def _doubt(kind: HintKind, object_id: str, actor: Actor) -> None:
    if kind is HintKind.WARNING:
        risk.warned(object_id, actor)
    elif kind is HintKind.REVIEW:
        risk.reviewed(object_id, actor)
    elif kind is HintKind.CHARGEBACK:
        chargeback_verdicts.follow(object_id, actor)
    elif kind is HintKind.REFUNDED:
        risk.compare_refunded(object_id)


def _chain(hint: Mapping[str, Any], actor: Actor) -> None:
    """Something came to an address, or a re-org took it away again. It may be no vault of ours.

    What is not final yet is not there yet: nothing failed, so the event is done all the same, and poll_chain finds it
    when it is. Of an open vault it asks every minute anyway; one that is asked more seldom is asked when it is final.
    """
    lookup = table.find(Lookup, index="VAULT", value=str(hint["vault"]))
    if lookup is None:
        return
    follow_funding(lookup.target, actor)
    file = reads.escrow(lookup.target)
    if not isinstance(file.rail, StablecoinEscrow):
        return
    final_at = vault_looks.hinted_look(file.rail, clock.now())
    if final_at is not None:
        file.rail.next_look = final_at
        table.commit(file.escrow, file.rail, action="look_again", actor=actor)


_PROVIDERS: dict[str, Callable[[Mapping[str, Any], Actor], None]] = {"stripe": _stripe, "chain": _chain}


def follow_funding(escrow_id: str, actor: Actor) -> Look | None:
    """A payment: record what the rail says, wake the machine. It alone takes the escrow out of AWAIT_FUNDS. Returns
    what the rail said; None where there is no such escrow."""
    if _file(escrow_id) is None:
        return None
    file, seen = depositing.look(escrow_id, actor)
    outcome = funding.state(file, seen)
    if outcome is not None:
        sagas.answer(file.rail, outcome)
    sagas.react(file.escrow, actor)
    for settlement in settlements.live(file):
        sagas.react(settlement, actor)
    return seen


def _leg(hint: Hint, actor: Actor) -> None:
    """A transfer or a refund of ours; one that names no leg we have is alarmed."""
    file = _file(hint.escrow_id)
    if file is None or all(row.id != hint.leg_id for row in file.legs):
        _alarm(hint)
        return
    leg = next(row for row in file.legs if row.id == hint.leg_id)
    risk.follow(leg, actor)


def _stray(hint: Hint, actor: Actor) -> None:
    """Money that no leg ordered: a refund may be accounted for, a transfer never is (rail-stripe.md, Webhooks)."""
    if hint.funding_id and hint.object_id:
        try:
            known = hand_refunds.follow(hint.object_id, hint.funding_id, actor)
        except hand_refunds.NotYet:
            _alarm(hint)
            raise
        if known:
            return
    _alarm(hint)


def _alarm(hint: Hint) -> None:
    """Money left the platform by no leg of ours, in the Dashboard for example: a person has to look."""
    of_ours = filter(None, (hint.funding_id, hint.object_id))  # it bears no mark, but what it came out of is known
    escrow_id = hint.escrow_id or lookups.escrow_of(of_ours)
    about = {"object": hint.object_id, "fundingId": hint.funding_id, "escrowId": escrow_id, "legId": hint.leg_id}
    logger.error("money moved that nobody ordered", extra=about)


def _account(account_id: str, actor: Actor) -> None:
    """A seller's account changed: remember whether it can be paid, and let what waited for it go on."""
    lookup = table.find(Lookup, index="AC", value=account_id)
    if lookup is None:
        return
    ready = rails.get(RailName.STRIPE).destination_ready(account_id)
    user = table.get(User, id=lookup.target)
    if user.payout_account_id != account_id:
        return
    if user.payouts_ready != ready:
        user.payouts_ready = ready
        table.commit(user, action="note_payout_account", actor=actor, details={"ready": ready})
    if ready:
        for escrow in deadlines.settling_escrows_of(user.id):
            for settlement in settling.wake(escrow.id, actor):
                sagas.react(settlement, actor)


def _file(escrow_id: str | None) -> EscrowFile | None:
    """Metadata can name anything: an escrow we don't have is not ours to act on."""
    try:
        return reads.escrow(escrow_id or "")
    except NotFound:
        return None


def due() -> Iterator[list[WebhookEvent]]:
    """Events that are not processed yet, oldest first."""
    return table.all_due(WebhookEvent, "QUEUE#WEBHOOK")


def find(provider: str, account: str, event_id: str) -> WebhookEvent:
    """The row of an event, read just now. Raises NotFound."""
    return table.get(WebhookEvent, provider=provider, account=account, event_id=event_id)
