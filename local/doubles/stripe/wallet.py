"""Payment methods: made of a declared test name when it is used, a new one each time, as on Stripe."""

from local.doubles.stripe import schema
from local.doubles.stripe.cards import CARDS, Card
from local.doubles.stripe.errors import malformed, missing
from local.doubles.stripe.messages import Object
from local.doubles.stripe.world import World


class Wallet:
    """Which card is behind which payment method."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cards: dict[str, Card] = {}

    def card(self, method_id: str) -> Card:
        return self._cards[method_id]

    def use(self, intent: Object, name: str) -> str:
        """The id of the payment method that a test name makes. Raises ApiError: 404 for an undeclared name, 400 for a
        kind that the PaymentIntent does not allow."""
        if name in self._cards:
            return name
        card = CARDS.get(name)
        if card is None:
            raise missing("PaymentMethod", name, "payment_method")
        if card.kind not in intent["payment_method_types"]:
            allowed = ", ".join(intent["payment_method_types"])
            message = f"The PaymentMethod provided ({card.kind}) is not allowed for this PaymentIntent: {allowed}."
            raise malformed(message, "payment_intent_incompatible_payment_method", "payment_method")
        made = self._world.new(
            "payment_method",
            "pm",
            billing_details=schema.blank("payment_method", "billing_details"),
            metadata={},
            type=card.kind,
            **{card.kind: details("payment_method", card)},
        )
        self._cards[made["id"]] = card
        return str(made["id"])


def details(kind: str, card: Card) -> Object:
    """What a `payment_method`, or the `charge` it paid, tells of the card or bank account."""
    path = (card.kind,) if kind == "payment_method" else ("payment_method_details", card.kind)
    told = {**schema.blank(kind, *path), "last4": card.last4}
    if card.kind != "card":
        return {**told, "bank_name": "STRIPE TEST BANK"}
    return {**told, "brand": card.brand, "country": "US", "exp_month": 8, "exp_year": 2034, "funding": "credit"}


def outcome(kind: str, risk: str, reason: str | None = None) -> Object:
    """What became of a charge: `kind` authorized, issuer_declined or blocked; `risk` as Stripe's guard saw it."""
    status = {"authorized": "approved_by_network", "blocked": "not_sent_to_network"}.get(kind, "declined_by_network")
    return {
        **schema.blank("charge", "outcome"),
        "network_status": status,
        "reason": reason,
        "risk_level": risk,
        "type": kind,
    }
