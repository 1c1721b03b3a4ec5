"""What a buyer needs to pay. The client secret is fetched each time, never stored and never recorded for a replay."""

from typing import Literal, Self

from bloxtr8.rails.base import PaymentInstructions
from bloxtr8.shapes import View


class PaymentView(View):
    """Amount in minor units."""

    rail: str
    payment_intent_id: str
    client_secret: str | None
    amount: int
    currency: str

    @classmethod
    def of(cls, rail: str, found: PaymentInstructions) -> Self:
        return cls(
            rail=rail,
            payment_intent_id=found.external_id,
            client_secret=found.client_secret,
            amount=found.amount,
            currency=found.currency,
        )


class OpeningView(View):
    """202: the rail is being opened; ask again."""

    status: Literal["RAIL_OPENING"] = "RAIL_OPENING"
