"""The declared test payment methods and what happens to who pays with them. No others exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """`declined`: (code, decline_code). `disputed`: the reason; `inquiry`: the bank only asks. `refund`: `slow` (stays
    pending), `fails` (later)."""

    brand: str = "visa"
    last4: str = "4242"
    kind: str = "card"
    declined: tuple[str, str] | None = None
    blocked: bool = False
    authenticates: bool = False
    available_at_once: bool = False
    disputed: str | None = None
    inquiry: bool = False
    warned: bool = False
    reviewed: bool = False
    refund: str = "succeeds"
    debit_fails: bool = False

    @property
    def message(self) -> str:
        """What the buyer is told of a declined payment."""
        code = self.declined[0] if self.declined else ""
        return _MESSAGES.get(code, "Your card was declined.")


_MESSAGES = {
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
_DECLINES = {
    "": ("0002", "card_declined", "generic_decline"),
    "InsufficientFunds": ("9995", "card_declined", "insufficient_funds"),
    "LostCard": ("9987", "card_declined", "lost_card"),
    "StolenCard": ("9979", "card_declined", "stolen_card"),
    "ExpiredCard": ("0069", "expired_card", "expired_card"),
    "IncorrectCvc": ("0127", "incorrect_cvc", "incorrect_cvc"),
    "ProcessingError": ("0119", "processing_error", "processing_error"),
    "VelocityLimitExceeded": ("6975", "card_declined", "card_velocity_exceeded"),
}

CARDS: dict[str, Card] = {
    "pm_card_visa": Card(),
    "pm_card_visa_debit": Card(last4="5556"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_amex": Card("amex", "8431"),
    "pm_card_discover": Card("discover", "1117"),
    "pm_card_bypassPending": Card(last4="0077", available_at_once=True),
    "pm_card_authenticationRequired": Card(last4="3184", authenticates=True),
    "pm_card_threeDSecure2Required": Card(last4="3220", authenticates=True),
    "pm_card_createDispute": Card(last4="0259", disputed="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card(last4="2685", disputed="product_not_received"),
    "pm_card_createDisputeInquiry": Card(last4="1976", disputed="fraudulent", inquiry=True),
    "pm_card_createIssuerFraudWarning": Card(last4="5423", warned=True),
    "pm_card_riskLevelElevated": Card(last4="9235", reviewed=True),
    "pm_card_riskLevelHighest": Card(last4="4954", declined=("card_declined", "fraudulent"), blocked=True),
    "pm_card_pendingRefund": Card(last4="7726", refund="slow"),
    "pm_card_refundFail": Card(last4="5126", refund="fails"),
    "pm_usBankAccount_success": Card("", "6789", kind="us_bank_account"),
    "pm_usBankAccount_accountClosed": Card("", "1113", kind="us_bank_account", debit_fails=True),
}
for _name, (_last4, _code, _decline_code) in _DECLINES.items():
    for _prefix in ("pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"):
        CARDS[_prefix + _name] = Card(last4=_last4, declined=(_code, _decline_code))
