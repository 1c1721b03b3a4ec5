"""What happens without anybody asking: tasks, jobs, time, what Roblox and the providers do. Each is tried in each stage
of a trade where it can happen; what it leaves must be rows of the platform.

A happening is a generator: at each `yield` what was written since the last one is judged.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from stripe import InvalidRequestError

from bloxtr8 import reads
from bloxtr8.domain import escrows
from bloxtr8.entities import Deposit, Escrow, EscrowStatus, RailName, StripeEscrow
from bloxtr8.errors import DomainError, StaleWrite
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import RailDeclined, RailError, RailOutcomeUnknown
from tests.functions import holding
from tests.functions.chain import STRANGER, UNITS
from tests.functions.webhooks import process, sent_by, stored
from tests.lifecycles.ground import Ground, Trade
from tests.lifecycles.picture import Picture

type Happening = Callable[[Ground, Trade, Picture], Iterator[None]]

OF_FUNDING = (
    "open_funding", "screen_deposit", "place_hold", "return_money", "hold_funds", "look_at_rail", "cancel_unfunded",
    "close_funding",
)  # fmt: skip
OF_SETTLEMENT = ("send_leg", "confirm_leg", "finish_settlement", "park_settlement")
JOBS = (
    "expire_offers", "enforce_contract_deadlines", "watch_assets", "enforce_escrow_deadlines", "escalate_disputes",
    "send_reminders",
)  # fmt: skip
FUNCTIONS = {
    *OF_FUNDING, *OF_SETTLEMENT, *JOBS, "render_contract", "close_stale_offers", "poll_chain", "process_webhook_event",
}  # fmt: skip
_WATCHED = frozenset({EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED})  # when it matters who has the asset
BEFORE_A_DEAL: tuple[dict[str, float], ...] = ({"minutes": 6}, {"minutes": 6}, {"days": 8})
AFTER_IT: tuple[dict[str, float], ...] = ({"minutes": 6}, {"days": 7}, {"minutes": 6}, {"days": 1}, {"days": 31})


def run(ground: Ground, function: str, event: dict[str, Any] | None = None) -> None:
    """A task or a job; what it raises, its machine tries again."""
    with suppress(DomainError, StaleWrite, RailError):
        ground.aws.invoke(function, event)


def escrow_of(picture: Picture) -> Escrow | None:
    return next(iter(picture.rows(Escrow)), None)


def _task(name: str) -> Happening:
    """A task of fund_escrow out of its turn: now, and when nobody waits for the money any more."""

    def happens(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
        for escrow in picture.rows(Escrow):
            for days in (0, 10):
                ground.aws.clock.advance(days=days)
                run(ground, name, {"escrowId": escrow.id})
                yield

    return happens


def _leg_task(name: str) -> Happening:
    """Out of its turn."""

    def happens(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
        for settlement in picture.of_kind("Settlement"):
            run(ground, name, _named(settlement))
            yield

    return happens


def _render(ground: Ground, trade: Trade, picture: Picture) -> Iterator[None]:
    if trade.contract_id is not None:
        run(ground, "render_contract", {"contractId": trade.contract_id})
        yield


def _tidy(ground: Ground, trade: Trade, _: Picture) -> Iterator[None]:
    run(ground, "close_stale_offers", {"detail": {"changes": [{"type": "Listing", "id": trade.listing_id}]}})
    yield


def _time_passes(owner: str | None) -> Happening:
    """Nobody does anything, and Roblox shows this owner."""

    def happens(ground: Ground, trade: Trade, picture: Picture) -> Iterator[None]:
        if owner == "seller" or any(row.status in _WATCHED for row in picture.rows(Escrow)):
            ground.transfer(trade, owner)
            yield from _wait(ground, picture)

    return happens


def _roblox_is_silent(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
    if any(row.status in _WATCHED for row in picture.rows(Escrow)):
        ground.roblox.down()
        yield from _wait(ground, picture)
        ground.roblox.up()


def _wait(ground: Ground, picture: Picture) -> Iterator[None]:
    for pause in AFTER_IT if picture.rows(Escrow) else BEFORE_A_DEAL:
        ground.aws.clock.advance(**pause)
        for job in JOBS:
            run(ground, job)
        yield


def _held_too_long(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
    """Nobody has decided about a card's money for as long as it may be held."""
    escrow = escrow_of(picture)
    limit = escrow and escrows.hold_limit(escrow)
    if escrow is not None and limit is not None and escrow.status in escrows.MONEY_HELD:
        ground.aws.clock.moment = limit
        run(ground, "enforce_escrow_deadlines")
        yield


def _live(picture: Picture) -> list[Any]:
    return [row for row in picture.of_kind("Settlement") if row.status in {"OPEN", "PARKED"}]


def _sent(ground: Ground, picture: Picture, legs: int = 2) -> Iterator[None]:
    """settle_escrow, for all that is to be paid, as far as it comes without its end."""
    for settlement in _live(picture):
        for task in ("send_leg", "confirm_leg") * legs:
            run(ground, task, _named(settlement))
            yield


def _ended(ground: Ground, picture: Picture) -> Iterator[None]:
    for settlement in _live(picture):
        run(ground, "finish_settlement", _named(settlement))
        yield


def _named(settlement: Any, error: str = "RailDeclined") -> dict[str, str]:
    return {"escrowId": settlement.escrow_id, "settlementId": settlement.id, "error": error}


def _pays(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
    yield from _sent(ground, picture)
    ground.stripe.advance(days=5)
    yield from _sent(ground, picture)
    yield from _ended(ground, picture)


def _unheard(kind: str) -> Happening:
    """A call that is not answered, whether it was carried out or not, and then nobody can be asked; at last
    everybody answers."""

    def happens(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
        for settlement in _live(picture):
            ground.stripe.fault(kind, "post", times=None)
            ground.chain.after["send"] = [RailOutcomeUnknown()]
            run(ground, "send_leg", _named(settlement))
            yield
            ground.stripe.fault("503", "get", times=None)
            ground.chain.faults["find"] = [RailOutcomeUnknown()]
            run(ground, "confirm_leg", _named(settlement))
            yield
            ground.stripe.clear_faults()
        yield from _sent(ground, picture)

    return happens


def _never_sent(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
    """No call arrives, and everybody can be asked."""
    ground.stripe.fault("drop_before", "post", times=None)
    yield from _sent(ground, picture, 1)
    ground.stripe.clear_faults()


def _refused(ground: Ground, trade: Trade, picture: Picture) -> Iterator[None]:
    """The chain refuses the call for good, until an administrator has mended it."""
    for settlement in _live(picture):
        ground.chain.faults["send"] = [RailDeclined("reverts", code="TooMuch")]
        for task in ("send_leg", "park_settlement"):
            run(ground, task, _named(settlement))
            yield
        key = {"Idempotency-Key": settlement.id}
        ground.aws.call(
            "resume_settlement", trade["admin"], {"reason": "r"}, headers=key, escrow_id=settlement.escrow_id
        )
        yield


# --- cards


def _charge_of(picture: Picture) -> str | None:
    """The card payment that is recorded."""
    if not picture.rows(StripeEscrow):
        return None
    return next((str(row.ref) for row in picture.rows(Deposit)), None)


def _told(ground: Ground, *kinds: str) -> None:
    """The newest event of each kind arrives."""
    for kind in kinds:
        newest = sent_by(ground.stripe, kind)[-1]
        process(ground.aws, stored(ground.aws, newest | {"id": f"{newest['id']}_{len(ground.aws.rows())}"}))


def _bank(verdict: str, parts: int = 1) -> Happening:
    """The buyer's bank takes the money back, or a part of it, and decides; what it decided it takes back."""

    def happens(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
        charge = _charge_of(picture)
        if charge is None:
            return
        paid = stripe_client.client().v1.charges.retrieve(charge).amount
        dispute = ground.stripe.open_dispute(charge, amount=paid // parts)["id"]
        _told(ground, "charge.dispute.created")
        yield
        ground.stripe.close_dispute(dispute, verdict)
        _told(ground, "charge.dispute.closed")
        yield
        if verdict == "lost":
            ground.stripe.reinstate_dispute(dispute)
            _told(ground, "charge.dispute.funds_reinstated")
        else:
            ground.stripe.reopen_dispute(dispute)
            _told(ground, "charge.dispute.funds_withdrawn")
            yield
            ground.stripe.close_dispute(dispute, verdict)
            _told(ground, "charge.dispute.closed")
        yield

    return happens


def _reviewed(early: bool) -> Happening:
    """Stripe doubts the payment, before the money is sent or too late, and thinks better of it."""

    def happens(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
        charge = _charge_of(picture)
        if charge is None:
            return
        if not early:
            yield from _sent(ground, picture)
            ground.stripe.advance(days=5)
            yield from _sent(ground, picture)
        review = ground.stripe.review(charge)["id"]
        _told(ground, "review.opened")
        yield
        for settlement in _live(picture) if early else ():
            run(ground, "park_settlement", _named(settlement, "ON_HOLD"))
            yield
        yield from _ended(ground, picture)
        ground.stripe.end_review(review)
        _told(ground, "review.closed")
        yield

    return happens


def _refunded_by_hand(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
    """Somebody refunds everything in Stripe's Dashboard, also while it is to be paid out."""
    charge = _charge_of(picture)
    if charge is not None:
        with suppress(InvalidRequestError):  # Stripe refunds nothing that a bank disputes
            stripe_client.client().v1.refunds.create({"charge": charge})
            _told(ground, "refund.created")
            yield
            yield from _ended(ground, picture)


def _a_part_by_hand(*, held: bool) -> Happening:
    """Twice somebody refunds a part in Stripe's Dashboard, of a trade that holds its money or of another, and the
    buyer's bank has it; later it sends both back."""

    def happens(ground: Ground, _: Trade, picture: Picture) -> Iterator[None]:
        charge = _charge_of(picture)
        if charge is not None and held is is_held_by_card(picture):
            yield from _by_hand(ground, picture, charge, 30_000, 10_000)

    return happens


def _all_by_hand_while_frozen(ground: Ground, trade: Trade, picture: Picture) -> Iterator[None]:
    """The same of all of it, of a trade that COMPLIANCE has stopped."""
    charge, escrow = _charge_of(picture), escrow_of(picture)
    if charge is not None and escrow is not None:
        holding.decide(ground.aws, escrow, trade["officer"], "COMPLIANCE", "FREEZE")
        yield
        yield from _by_hand(ground, picture, charge, None)


def _by_hand(ground: Ground, picture: Picture, charge: str, *amounts: int | None) -> Iterator[None]:
    """After each, one that waits for its money ends."""
    made = []
    for amount in amounts:
        with suppress(InvalidRequestError):  # all of it went back before
            asked: Any = {"charge": charge} | ({"amount": amount} if amount else {})
            made.append(stripe_client.client().v1.refunds.create(asked).id)
            ground.stripe.advance(days=5)
            _told(ground, "refund.updated")
            yield
            for escrow in picture.rows(Escrow):
                run(ground, "cancel_unfunded", {"escrowId": escrow.id})
                yield
    for refund_id in made:
        ground.stripe.fail_refund(refund_id)
        _told(ground, "refund.failed")
        yield


# --- the chain


def _on_chain(act: Callable[[Ground, Escrow], Iterator[None]]) -> Happening:
    def happens(ground: Ground, trade: Trade, picture: Picture) -> Iterator[None]:
        escrow = escrow_of(picture)
        if escrow is not None and trade.currency == "USDC":
            yield from act(ground, escrow)

    return happens


def _small_money(ground: Ground, escrow: Escrow) -> Iterator[None]:
    """A listed wallet sends half a dollar."""
    ground.wallets.risks[STRANGER] = "SANCTIONED"
    ground.chain.pay(escrow, 50 * UNITS, STRANGER)
    run(ground, "poll_chain")
    yield


def _late_money(ground: Ground, escrow: Escrow) -> Iterator[None]:
    ground.chain.pay(escrow, 500 * UNITS)
    run(ground, "poll_chain")
    yield


def _paid_from(side: str, risk: str) -> Callable[[Ground, Escrow], Iterator[None]]:
    """All of it comes from the buyer's or a stranger's wallet of this risk."""

    def happens(ground: Ground, escrow: Escrow) -> Iterator[None]:
        sender = reads.escrow(escrow.id).rail.terms["buyer"] if side == "buyer" else STRANGER  # type: ignore[attr-defined]
        ground.wallets.risks[sender] = risk
        ground.chain.pay(escrow, escrow.gross * UNITS, sender)
        for task in ("screen_deposit", "place_hold", "return_money", "hold_funds"):
            run(ground, task, {"escrowId": escrow.id})
            yield

    return happens


def _reclaimed(ground: Ground, escrow: Escrow) -> Iterator[None]:
    """After its term somebody sends all that is in the vault back to the buyer."""
    ground.vaults.reclaims = (ground.chain.reclaim(escrow),)
    run(ground, "poll_chain")
    ground.vaults.reclaims = ()
    yield


def _term_is_near(ground: Ground, escrow: Escrow) -> Iterator[None]:
    """A dispute may outlast the vault's term."""
    if escrow.postpone_at is not None:
        ground.aws.clock.moment = escrow.postpone_at
        run(ground, "enforce_escrow_deadlines")
        yield


HAPPENINGS: dict[str, Happening] = {
    "a call that never arrived": _never_sent,
    "a call that nobody answered": _unheard("drop_before"),
    "a call that was done and not answered": _unheard("drop_after"),
    "Stripe doubts too late": _reviewed(early=False),
    "the machine pays": _pays,
    **{name: _task(name) for name in OF_FUNDING},
    **{name: _leg_task(name) for name in OF_SETTLEMENT},
    "render_contract": _render,
    "close_stale_offers": _tidy,
    "time passes, the seller has it": _time_passes("seller"),
    "time passes, the buyer has it": _time_passes("buyer"),
    "time passes, nobody has it": _time_passes(None),
    "time passes, Roblox is silent": _roblox_is_silent,
    "a card's money is held too long": _held_too_long,
    "Stripe doubts": _reviewed(early=True),
    "the bank decides for us": _bank("won"),
    "the chain refuses": _refused,
    "small money of a listed wallet": _on_chain(_small_money),
    "money that nobody waits for": _on_chain(_late_money),
    "the buyer's wallet is risky": _on_chain(_paid_from("buyer", "HIGH")),
    "a stranger's wallet is listed": _on_chain(_paid_from("stranger", "SANCTIONED")),
    "the vault's term is near": _on_chain(_term_is_near),
    "the vault is reclaimed": _on_chain(_reclaimed),
    "a part is refunded by hand beside it": _a_part_by_hand(held=False),
    "the bank decides for the buyer": _bank("lost"),
}

# what a bank or a person takes back at Stripe, on another trade that stands there
AT_STRIPE: dict[str, Happening] = {
    "the bank takes a part back": _bank("lost", parts=2),  # of milestones more than is left beside the one being paid
    "the bank takes all of it back": _bank("lost"),
    "a part is refunded by hand": _a_part_by_hand(held=True),
    "all that is left is refunded by hand while it is frozen": _all_by_hand_while_frozen,
    "a refund in the Dashboard": _refunded_by_hand,
}


def is_held_by_card(picture: Picture) -> bool:
    """Whether there is something that a bank or a person could take back before the end."""
    return any(row.status in escrows.MONEY_HELD and row.rail == RailName.STRIPE for row in picture.rows(Escrow))
