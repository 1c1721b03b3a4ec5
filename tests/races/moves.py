"""How a race is written: its two moves, who makes each, and what has happened before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bloxtr8.attempts import again
from bloxtr8.entities import StripeEscrow
from bloxtr8.rails import stripe_client
from tests.emulator import Answer
from tests.functions import holding
from tests.functions.webhooks import process, sent_by, stored
from tests.lifecycles import calls
from tests.lifecycles.ground import Ground, Image, Trade
from tests.lifecycles.stages import escrow_of

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


class Either(NamedTuple):
    """Why two moves do not exclude each other, and where the trade stands (stands.py) by which of them was first."""

    why: str
    left_first: str
    right_first: str


@dataclass(frozen=True)
class Pair:
    """`either`: they do not exclude each other, so one or both happen; without it exactly one does."""

    path: str
    left: Move
    right: Move
    then: tuple[Step, ...] = ()
    currency: str = "USD"
    either: Either | None = None


def votes(who: str, decision: str) -> Move:
    """He decides about the doubt as the first or the last of two."""
    return by(who, "decide_hold", {"reason": "r", "hold": "RISK_REVIEW", "decision": decision})


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


def voted(*decisions: str) -> Step:
    """So many more people of COMPLIANCE each have decided so; the last who joins them has not yet."""

    def step(ground: Ground, trade: Trade) -> None:
        for decision in decisions:
            answer = holding.decide(ground.aws, escrow_of(trade), holding.officer(), "RISK_REVIEW", decision)
            assert answer.body["decided"] is False
        trade.people["colleague"] = holding.officer()

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
            amount = 50_000 if act == "half lost" else None
            dispute = ground.stripe.open_dispute(str(rail.charge_id), amount=amount)["id"]
            if act.endswith("lost"):
                newest = sent_by(ground.stripe, "charge.dispute.created")[-1]
                process(ground.aws, stored(ground.aws, newest))
                ground.stripe.close_dispute(dispute, "lost")

    return step


def reclaimed(ground: Ground, trade: Trade) -> None:
    """After the term somebody sends the vault's money back to the buyer."""
    ground.vaults.reclaims = (ground.chain.reclaim(escrow_of(trade)),)
