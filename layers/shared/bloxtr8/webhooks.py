"""Webhook events: stored first, then the provider is asked for the truth (states.md, section 8; rail-stripe.md).

Nothing an event says is believed but its ids, so duplicates, disorder and forgeries that got this far are harmless.
"""

from bloxtr8 import clock, config, deadlines, funding, reads, sagas, settling, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import again
from bloxtr8.domain import settlements
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.transitions import WEBHOOK
from bloxtr8.entities import Lookup, User, WebhookEvent, WebhookStatus
from bloxtr8.errors import NotFound
from bloxtr8.ids import is_id
from bloxtr8.logs import logger
from bloxtr8.rails.stripe_events import Hint, HintKind, interpret

STRIPE = "stripe"
PLATFORM = "platform"  # the account of events that are not a connected account's


def store(event: dict[str, object]) -> bool:
    """Keep a verified event of Stripe. False where it was there already: the same delivery, or another of the same
    event."""
    row = WebhookEvent(
        provider=STRIPE,
        account=event.get("account") or PLATFORM,
        event_id=event["id"],
        event_type=event["type"],
        payload=event,
        received_at=clock.now(),
    )
    return table.remember(row)


def process(row: WebhookEvent, actor: Actor) -> None:
    """Do what an event asks for, and say on its row whether that worked. An error is kept there, and tried again
    later."""
    if row.status not in {WebhookStatus.RECEIVED, WebhookStatus.FAILED}:
        return
    try:
        again(lambda: _act(interpret(row.payload), actor))
    except Exception as error:
        _fail(row, error)
        return
    WEBHOOK.apply("process_webhook_event", row, Role.SYSTEM)
    row.processed_at, row.error = clock.now(), None
    table.remember(row, unless_exists=False)


def _fail(row: WebhookEvent, error: Exception) -> None:
    row.attempts += 1
    dead = row.attempts >= config.settings().webhook_attempts
    WEBHOOK.apply("fail_webhook_event", row, Role.SYSTEM, becomes=WebhookStatus.DEAD if dead else WebhookStatus.FAILED)
    row.error = type(error).__name__
    logger.exception("webhook event failed", extra={"event": row.id, "attempts": row.attempts, "dead": dead})
    table.remember(row, unless_exists=False)


def _act(hint: Hint, actor: Actor) -> None:
    if hint.kind is HintKind.FUNDING and hint.escrow_id is not None:
        _funding(hint.escrow_id, actor)
    elif hint.kind is HintKind.LEG and hint.escrow_id is not None and hint.settlement_id is not None:
        _leg(hint.escrow_id, hint.settlement_id, hint.leg or 0, actor)
    elif hint.kind is HintKind.STRAY:
        logger.error("money moved that nobody ordered", extra={"object": hint.object_id, "escrowId": hint.escrow_id})
    elif hint.kind is HintKind.ACCOUNT and hint.account_id is not None:
        _account(hint.account_id, actor)


def _funding(escrow_id: str, actor: Actor) -> None:
    """A payment: record what the rail says, wake the machine. It alone takes the escrow out of AWAIT_FUNDS."""
    if not _known(escrow_id):
        return
    file, seen = funding.look(escrow_id, actor)
    outcome = funding.state(file, seen)
    if outcome is not None:
        sagas.answer(file.rail, outcome)
    sagas.react(file.escrow, actor)
    for settlement in settlements.live(file):
        sagas.react(settlement, actor)


def _leg(escrow_id: str, settlement_id: str, leg: int, actor: Actor) -> None:
    """A transfer or a refund of ours: book it if it is done, take it back into the books if the bank sent it back."""
    if not _known(escrow_id):
        return
    settling.confirm_leg(escrow_id, settlement_id, actor)
    settling.take_back(escrow_id, settlement_id, leg, actor)
    for settlement in settlements.live(reads.escrow(escrow_id)):
        sagas.react(settlement, actor)


def _account(account_id: str, actor: Actor) -> None:
    """A seller's account changed: remember whether it can be paid, and let what waited for it go on."""
    lookup = table.find(Lookup, index="AC", value=account_id)
    if lookup is None:
        return
    from bloxtr8.rails.stripe_accounts import account_status

    ready = account_status(account_id).ready
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


def _known(escrow_id: str) -> bool:
    """Metadata can name anything: an escrow we don't have is not ours to act on."""
    try:
        reads.escrow(escrow_id)
    except NotFound:
        return False
    return is_id(escrow_id, "esc")


def due() -> list[WebhookEvent]:
    """Events that are not processed yet, oldest first."""
    return table.due(WebhookEvent, "QUEUE#WEBHOOK")


def find(provider: str, account: str, event_id: str) -> WebhookEvent:
    """The row of an event, read just now. Raises NotFound."""
    return table.get(WebhookEvent, provider=provider, account=account, event_id=event_id)
