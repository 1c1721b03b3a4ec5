"""The competing moves of states.md, two at a time: where they begin, and who makes each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bloxtr8.attempts import again
from bloxtr8.entities import StripeEscrow
from bloxtr8.rails import stripe_client
from tests.emulator import Answer
from tests.functions.webhooks import process, sent_by, stored
from tests.lifecycles import calls
from tests.lifecycles.ground import Ground, Image, Trade
from tests.lifecycles.stages import DELIVERED, HELD, OPENED, PART_CONFIRMED, escrow_of

type Act = Callable[[], Answer | None]
type Step = Callable[[Ground, Trade], None]


@dataclass(frozen=True)
class Move:
    """One side of a race: the audit action it is written as, and how it is made, once everything is ready for it."""

    action: str
    ready: Callable[[Ground, Trade, Image, str], Act]


def by(who: str, action: str, body: Any = None, *, pick: int = 0) -> Move:
    """A person asks for it, with the `pick`-th of the usual bodies or with this one."""

    def ready(ground: Ground, trade: Trade, image: Image, key: str) -> Act:
        said = body or [*calls.bodies(action, trade, image.picture, who)][pick]
        return lambda: calls.ask(ground.aws, action, trade, image.picture, who, said, key)

    return Move(calls.WRITTEN_AS.get(action, action), ready)


def run(action: str, function: str) -> Move:
    """A task or job of the platform makes it."""

    def ready(ground: Ground, trade: Trade, image: Image, _: str) -> Act:
        settlements = image.picture.of_kind("Settlement")
        event = {"escrowId": trade.escrow_id, "settlementId": settlements[-1].id if settlements else None}

        def act() -> None:
            again(lambda: ground.aws.invoke(function, event))

        return act

    return Move(action, ready)


def told(action: str, kind: str) -> Move:
    """The newest event of Stripe's of this kind arrives."""

    def ready(ground: Ground, _: Trade, __: Image, ___: str) -> Act:
        newest = sent_by(ground.stripe, kind)[-1]
        row = stored(ground.aws, newest | {"id": f"{newest['id']}_again"})

        def act() -> None:
            process(ground.aws, row)

        return act

    return Move(action, ready)


@dataclass(frozen=True)
class Pair:
    """`both`: they do not exclude each other, so one or both happen, and whatever happens is whole."""

    path: str
    left: Move
    right: Move
    then: tuple[Step, ...] = ()
    currency: str = "USD"
    both: bool = False


# --- what else has happened


def later(**by: float) -> Step:
    return lambda ground, _: ground.aws.clock.advance(**by)


def job(name: str) -> Step:
    return lambda ground, _: ground.aws.invoke(name)


def owned(by: str) -> Step:
    """Roblox shows whose the asset is from now on."""

    def step(ground: Ground, trade: Trade) -> None:
        trade.owner = by
        ground.transfer(trade, by)

    return step


def charge(act: str) -> Step:
    """At Stripe: a person refunds, or the buyer's bank opens a dispute."""

    def step(ground: Ground, _: Trade) -> None:
        (rail,) = ground.picture().rows(StripeEscrow)
        if act == "refund":
            stripe_client.client().v1.refunds.create({"payment_intent": str(rail.external_id)})
        elif act == "part":
            made = {"payment_intent": str(rail.external_id), "amount": 30_000}
            stripe_client.client().v1.refunds.create(made)  # type: ignore[arg-type]
            ground.stripe.advance(days=5)
        else:
            dispute = ground.stripe.open_dispute(str(rail.charge_id))["id"]
            if act == "lost":
                newest = sent_by(ground.stripe, "charge.dispute.created")[-1]
                process(ground.aws, stored(ground.aws, newest))
                ground.stripe.close_dispute(dispute, "lost")

    return step


def reclaimed(ground: Ground, trade: Trade) -> None:
    """After the term somebody sends the vault's money back to the buyer."""
    ground.vaults.reclaims = (ground.chain.reclaim(escrow_of(trade)),)


OVER_LIMIT = (later(days=60), job("enforce_escrow_deadlines"), later(days=20, minutes=1))
WARNED = (later(days=6, minutes=1), job("enforce_escrow_deadlines"), later(days=1, minutes=1))
LOOKED_ONCE = (owned("seller"), later(days=7, minutes=1), job("enforce_escrow_deadlines"), later(minutes=6))
SEEN_ONCE = (owned("buyer"), job("watch_assets"), later(minutes=6))
BACK = (owned("seller"), later(minutes=20))

_HOLD = {"reason": "r", "hold": "COMPLIANCE"}
REVIEWED = f"{HELD}, disputed by the buyer, reviewed"
PROPOSED = f"{HELD}, proposed by the buyer"
REFUSED = f"{DELIVERED}, confirmed, refused"
later_delivery = by("buyer", "extend_deadline", pick=1)
later_release = by("seller", "extend_deadline", pick=2)
finish, reclaim = run("finish_settlement", "finish_settlement"), run("record_reclaim", "poll_chain")
charged_back = told("record_chargeback", "charge.dispute.created")
lost = told("lose_chargeback", "charge.dispute.closed")
taken = told("take_refund", "refund.updated")
auto_release = run("auto_release", "enforce_escrow_deadlines")
refund_undelivered = run("refund_undelivered", "enforce_escrow_deadlines")
watch_proves = run("prove_delivery", "watch_assets")
watch_disputes = run("open_system_dispute", "watch_assets")
confirm, refund = by("buyer", "confirm_delivery"), by("seller", "refund_escrow")
dispute, accept = by("buyer", "open_dispute"), by("seller", "accept_settlement")
record = by("admin", "record_manual_payment")
freeze = by("officer", "decide_hold", _HOLD | {"decision": "FREEZE"})
clear, give_back = (
    by("officer", "decide_hold", {"reason": "r", "hold": "RISK_REVIEW", "decision": decision})
    for decision in ("CLEAR", "REFUND")
)

PAIRS: dict[str, Pair] = {
    # the market
    "accept and withdraw": Pair("offer", by("seller", "accept_offer"), by("buyer", "withdraw_offer")),
    "accept and counter": Pair("offer", by("seller", "accept_offer"), by("seller", "counter_offer")),
    "decline and withdraw": Pair("offer", by("seller", "decline_offer"), by("buyer", "withdraw_offer")),
    "counter and withdraw": Pair("offer", by("seller", "counter_offer"), by("buyer", "withdraw_offer")),
    "accept and cancel the listing": Pair("offer", by("seller", "accept_offer"), by("seller", "cancel_listing")),
    "accept and deactivate": Pair("offer", by("seller", "accept_offer"), by("seller", "deactivate_listing")),
    # the contract
    "the last signature and void": Pair(
        "offer, accepted, rendered, signed by the buyer", by("seller", "sign_contract"), by("buyer", "void_contract")
    ),
    "one signature twice": Pair(
        "offer, accepted, rendered", by("seller", "sign_contract"), by("seller", "sign_by_link")
    ),
    "void and void": Pair("offer, accepted, rendered", by("seller", "void_contract"), by("buyer", "void_contract")),
    # the funding
    "webhook and cancel": Pair(
        f"{OPENED}, pays", told("record_deposit", "payment_intent.succeeded"), by("buyer", "cancel_escrow")
    ),
    "more time and the end of it": Pair(
        OPENED, by("seller", "extend_deadline"), run("cancel_unfunded", "cancel_unfunded"), (later(days=4),)
    ),
    "cancel and the end of time": Pair(
        OPENED, by("buyer", "cancel_escrow"), run("cancel_unfunded", "cancel_unfunded"), (later(days=4),)
    ),
    "hold and freeze": Pair(f"{OPENED}, paid", run("hold_funds", "hold_funds"), freeze, both=True),
    "hold and hold": Pair(f"{OPENED}, paid", run("hold_funds", "hold_funds"), run("hold_funds", "hold_funds")),
    # the delivery
    "watch and mark": Pair(f"{HELD}, started", watch_proves, by("seller", "mark_delivered"), SEEN_ONCE),
    "verify and mark": Pair(f"{HELD}, started", by("buyer", "verify_delivery"), by("seller", "mark_delivered")),
    "mark and refund": Pair(f"{HELD}, started", by("seller", "mark_delivered"), refund, both=True),
    "mark and dispute": Pair(f"{HELD}, started", by("seller", "mark_delivered"), dispute, both=True),
    "no delivery and refund": Pair(HELD, refund_undelivered, refund, LOOKED_ONCE),
    "no delivery and dispute": Pair(HELD, refund_undelivered, dispute, LOOKED_ONCE),
    "no delivery and more time": Pair(
        HELD,
        refund_undelivered,
        later_delivery,
        LOOKED_ONCE,
    ),
    # the release
    "confirm and refund": Pair(DELIVERED, confirm, refund),
    "confirm and dispute": Pair(DELIVERED, confirm, dispute),
    "confirm and reject": Pair(DELIVERED, confirm, by("buyer", "reject_delivery")),
    "confirm and the seller's dispute": Pair(DELIVERED, confirm, by("seller", "open_dispute")),
    "confirm and confirm": Pair(DELIVERED, confirm, confirm),
    "confirm and freeze": Pair(DELIVERED, confirm, freeze, both=True),
    "auto-release and confirm": Pair(DELIVERED, auto_release, confirm, WARNED),
    "auto-release and refund": Pair(DELIVERED, auto_release, refund, WARNED),
    "auto-release and dispute": Pair(DELIVERED, auto_release, dispute, WARNED),
    "auto-release and reject": Pair(DELIVERED, auto_release, by("buyer", "reject_delivery"), WARNED),
    "auto-release and auto-release": Pair(DELIVERED, auto_release, auto_release, WARNED),
    "auto-release and more time": Pair(
        DELIVERED,
        auto_release,
        later_release,
        WARNED,
    ),
    "auto-release and freeze": Pair(DELIVERED, auto_release, freeze, WARNED, both=True),
    "watch and the deadline, the asset is back": Pair(
        DELIVERED, watch_disputes, run("open_system_dispute", "enforce_escrow_deadlines"), (*WARNED, *BACK)
    ),
    "watch and confirm": Pair(DELIVERED, watch_disputes, confirm, BACK),
    "watch and dispute": Pair(DELIVERED, watch_disputes, dispute, BACK),
    # the limit of holding a card's money
    "the limit and confirm": Pair(
        DELIVERED, run("open_system_dispute", "enforce_escrow_deadlines"), confirm, (later(days=80, minutes=1),)
    ),
    "the limit and dispute": Pair(
        DELIVERED, run("open_system_dispute", "enforce_escrow_deadlines"), dispute, (later(days=80, minutes=1),)
    ),
    "the limit and withdraw": Pair(
        f"{HELD}, disputed by the buyer",
        run("escalate_dispute", "enforce_escrow_deadlines"),
        by("buyer", "withdraw_dispute"),
        OVER_LIMIT,
    ),
    "the limit and resolve": Pair(
        REVIEWED,
        run("escalate_dispute", "enforce_escrow_deadlines"),
        by("judge", "resolve_dispute"),
        OVER_LIMIT,
        both=True,
    ),
    # disputes and settlements
    "dispute and dispute": Pair(HELD, dispute, by("seller", "open_dispute")),
    "refund and resolve": Pair(REVIEWED, refund, by("judge", "resolve_dispute")),
    "withdraw and resolve": Pair(REVIEWED, by("buyer", "withdraw_dispute"), by("judge", "resolve_dispute")),
    "settlement and resolve": Pair(f"{REVIEWED}, proposed by the buyer", accept, by("judge", "resolve_dispute")),
    "two arbiters": Pair(
        f"{HELD}, disputed by the buyer", by("judge", "assign_dispute", {}), by("arbiter", "assign_dispute", {})
    ),
    "proposal and proposal": Pair(HELD, by("buyer", "propose_settlement"), by("seller", "propose_settlement")),
    "accept and withdraw a settlement": Pair(PROPOSED, accept, by("buyer", "withdraw_settlement")),
    "accept and reject a settlement": Pair(PROPOSED, accept, by("seller", "reject_settlement")),
    "settlement and refund": Pair(PROPOSED, accept, refund),
    "settlement and confirm": Pair(f"{DELIVERED}, proposed by the buyer", accept, confirm),
    "settlement and resume": Pair(
        f"{DELIVERED}, confirmed, parked, proposed by the buyer", accept, by("admin", "resume_settlement")
    ),
    # a refused part gives way, or is tried again
    "refund of a refused part and resume": Pair(f"{PART_CONFIRMED}, parked", refund, by("admin", "resume_settlement")),
    "resolve and resume": Pair(
        f"{PART_CONFIRMED}, parked, disputed by the buyer, reviewed",
        by("judge", "resolve_dispute"),
        by("admin", "resume_settlement"),
    ),
    "send back and resume": Pair(f"{PART_CONFIRMED}, parked, doubted", give_back, by("admin", "resume_settlement")),
    # what Stripe refused is paid outside, once
    "record and resume": Pair(REFUSED, record, by("admin", "resume_settlement")),
    "record and record": Pair(REFUSED, record, record),
    "record and refund": Pair(f"{PART_CONFIRMED}, refused", record, refund, both=True),
    # holds
    "clear and send back": Pair(f"{DELIVERED}, doubted", clear, give_back),
    "send back and send back": Pair(f"{DELIVERED}, doubted", give_back, give_back),
    "clear and confirm": Pair(f"{DELIVERED}, doubted", clear, confirm, both=True),
    "send back and dispute": Pair(f"{DELIVERED}, doubted", give_back, dispute, both=True),
    # the bank
    "refund by hand and confirm": Pair(
        DELIVERED, told("adopt_refund", "refund.created"), confirm, (charge("refund"),), both=True
    ),
    "a part by hand, told twice": Pair(DELIVERED, taken, taken, (charge("part"),)),
    "a part by hand and confirm": Pair(DELIVERED, taken, confirm, (charge("part"),), both=True),
    "a part by hand and end": Pair(f"{DELIVERED}, confirmed, sent", taken, finish, (charge("part"),), both=True),
    "chargeback and confirm": Pair(DELIVERED, charged_back, confirm, (charge("open"),), both=True),
    "chargeback and auto-release": Pair(
        DELIVERED,
        charged_back,
        auto_release,
        (*WARNED, charge("open")),
        both=True,
    ),
    "a lost chargeback and dispute": Pair(DELIVERED, lost, dispute, (charge("lost"),), both=True),
    # the end
    "end and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        finish,
        finish,
    ),
    "chargeback and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        charged_back,
        finish,
        (charge("open"),),
        both=True,
    ),
    "a lost chargeback and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        lost,
        finish,
        (charge("lost"),),
        both=True,
    ),
    # the vault
    "reclaim and confirm": Pair(
        f"{OPENED}, paid on chain, held, started, delivered",
        reclaim,
        confirm,
        (reclaimed,),
        "USDC",
        both=True,
    ),
    "reclaim and refund": Pair(f"{OPENED}, paid on chain, held", reclaim, refund, (reclaimed,), "USDC", both=True),
}
