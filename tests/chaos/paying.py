"""How buyers pay: by card at Stripe, or with a transfer to the vault; too much, too little, from elsewhere, late."""

from typing import TYPE_CHECKING, Any

import stripe

from local.doubles.stripe.errors import ApiError
from tests.chaos import outside
from tests.functions.chain import UNITS

if TYPE_CHECKING:
    from tests.chaos.people import Trade

CARDS = ("pm_card_visa", "pm_card_bypassPending")


def pay(trade: "Trade", escrow: Any) -> None:
    """As the trade's fate says."""
    _WAYS[trade.fate.pay](trade, escrow)


def pay_card(trade: "Trade", card: str) -> None:
    """The buyer confirms the payment in his browser."""
    world = trade.world
    intent = str(trade.rail_row.external_id)
    world.tell(f"  t{trade.number} pays with {card}")
    try:
        world.outside.plain_stripe.v1.payment_intents.confirm(
            intent, {"payment_method": card, "return_url": "https://bloxtr8.example/paid"}
        )
        trade.marks.add("paid")
    except stripe.CardError:
        trade.marks.add("declined")
    except stripe.InvalidRequestError:
        trade.marks.add("paid")  # it is too late, or paid already


def send_usdc(trade: "Trade", escrow: Any, units: int, sender: str | None = None) -> None:
    """A transfer to the vault, final at once; a provider may tell of it, and the poll finds it."""
    world = trade.world
    world.tell(f"  t{trade.number} sends {units} units from {sender or 'the buyer'}")
    ref = world.outside.chain.pay(escrow, units, sender)
    _, tx, index = ref.split(":")
    vault = str(trade.rail_row.external_id)
    world.send("webhook.chain", lambda: world.hooks.chain(vault, tx, int(index)))
    world.jobs.want("poll_chain")


def _plainly(trade: "Trade", escrow: Any) -> None:
    if escrow.rail == "STRIPE":
        pay_card(trade, trade.random.choice(CARDS))
        return
    trade.marks.add("paid")
    send_usdc(trade, escrow, escrow.gross * UNITS)


def _declined_first(trade: "Trade", escrow: Any) -> None:
    pay_card(trade, CARDS[0] if "declined" in trade.marks else "pm_card_chargeDeclinedInsufficientFunds")


def _slowly(trade: "Trade", escrow: Any) -> None:
    trade.marks.add("paid")
    try:
        trade.world.outside.stripe.pay_slowly(str(trade.rail_row.external_id))
    except ApiError:  # canceled meanwhile
        return
    trade.later_act(trade.random.uniform(4, 7) * 86_400, "bank", lambda: trade.world.outside.stripe.balance())


def _in_two(trade: "Trade", escrow: Any) -> None:
    trade.marks.add("paid")
    first = escrow.gross * UNITS // 3
    send_usdc(trade, escrow, first)
    if trade.random.random() < 0.7:
        rest = escrow.gross * UNITS - first
        trade.later_act(trade.random.uniform(60, 40 * 3600), "rest", lambda: send_usdc(trade, escrow, rest))


def _too_much(trade: "Trade", escrow: Any) -> None:
    trade.marks.add("paid")
    send_usdc(
        trade, escrow, escrow.gross * UNITS + trade.random.choice((1, 4_999, 12_345, 250 * UNITS, 700 * UNITS + 1))
    )


def _elsewhere(trade: "Trade", escrow: Any) -> None:
    trade.marks.add("paid")
    sender = "0x" + outside.token("stranger", trade.number)[:40]
    risk = trade.random.choice(("LOW", "MEDIUM", "HIGH", "SANCTIONED"))
    trade.world.outside.wallets.risks[sender] = risk
    send_usdc(trade, escrow, escrow.gross * UNITS, sender)


def _risky(trade: "Trade", escrow: Any) -> None:
    trade.marks.add("paid")
    trade.world.outside.wallets.risks[trade.buyer.wallet] = trade.random.choice(("MEDIUM", "HIGH", "SANCTIONED"))
    send_usdc(trade, escrow, escrow.gross * UNITS)


def _late(trade: "Trade", escrow: Any) -> None:
    """Before the deadline he has not paid, and then he does."""
    trade.marks.add("paid")
    seconds = (escrow.fund_by - trade.world.clock.moment).total_seconds() + trade.random.choice((-30, 1, 90, 4_000))
    way = trade.fate.rail == "STRIPE"
    trade.later_act(
        max(seconds, 1), "pays late",
        lambda: pay_card(trade, CARDS[0]) if way else send_usdc(trade, escrow, escrow.gross * UNITS),
    )  # fmt: skip


def _never(trade: "Trade", _: Any) -> None:
    trade.marks.add("paid")


_WAYS = {
    "plainly": _plainly,
    "declined first": _declined_first,
    "slowly": _slowly,
    "in two": _in_two,
    "too much": _too_much,
    "elsewhere": _elsewhere,
    "risky": _risky,
    "late": _late,
    "never": _never,
    **{f"pm_card_{name}": (lambda trade, _, name=name: pay_card(trade, f"pm_card_{name}")) for name in
       ("createDispute", "createDisputeInquiry", "createIssuerFraudWarning", "riskLevelElevated", "pendingRefund",
        "refundFail")},
}  # fmt: skip
