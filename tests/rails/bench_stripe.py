"""The card rail's bench: real stripe-python against the double."""

import datetime as dt
from dataclasses import replace
from typing import ClassVar

import stripe
from stripe import StripeClient

from bloxtr8.rails import stripe_accounts, stripe_client
from bloxtr8.rails.base import Funding, LegKind, Rail
from bloxtr8.rails.stripe import StripeRail
from bloxtr8.rails.stripe_client import PAYMENT
from local.doubles.stripe.double import StripeDouble
from tests.emulator import Clock
from tests.rails.bench import CLOSING, DECLINES, DISPUTES, RETURNS, SLOW, UNREADY

FAULTS = {
    "lost before": "drop_before",
    "lost after": "drop_after",
    "failed after": "500_after",
    "in the way": "409",
    "throttled": "429",
    "unavailable": "503",
}
STEPS = {
    "customer": ("post", "/v1/customers$"),
    "open": ("post", "/v1/payment_intents$"),
    "close": ("post", "/cancel$"),
    "ask": ("get", ""),
    LegKind.TRANSFER: ("post", "/v1/transfers$"),
    LegKind.REFUND: ("post", "/v1/refunds$"),
    LegKind.REVERSAL: ("post", "/reversals$"),
}


class StripeBench:
    """See bench.CardBench."""

    kinds: ClassVar = tuple(LegKind)
    knows: ClassVar = frozenset({CLOSING, SLOW, DECLINES, DISPUTES, UNREADY, RETURNS})
    keeps_what_it_sends: ClassVar = False

    def __init__(self, clock: Clock, opening_balance: int = 1_000_000) -> None:
        self._clock = clock
        self.double = StripeDouble(opening_balance=opening_balance)
        self.client: StripeClient = stripe_client.build("sk_test_1", http_client=self.double.http_client())
        self.rail: Rail = StripeRail(self.client)

    def misfortune(self, name: str, step: str, times: int) -> None:
        method, path = STEPS[step]
        self.double.fault(FAULTS[name], method, path, times)

    def lift_misfortune(self) -> None:
        self.double.clear_faults()

    def wait(self, seconds: float) -> None:
        self._clock.advance(seconds=seconds)
        self.double.advance()

    def pay(self, opened: Funding, card: str = "pm_card_visa") -> None:
        assert opened.external_id
        self.client.v1.payment_intents.confirm(
            opened.external_id, {"payment_method": card, "return_url": "https://bloxtr8.example/paid"}
        )

    def pay_slowly(self, funding: Funding, how: str = "pm_usBankAccount_success") -> Funding:
        intent = self.client.v1.payment_intents.create(
            {
                "amount": funding.amount,
                "currency": "usd",
                "transfer_group": funding.escrow_id,
                "metadata": {PAYMENT: funding.escrow_id},
                "allowed_payment_method_types": ["us_bank_account"],
            }
        )
        slow = replace(funding, external_id=intent.id)
        self.pay(slow, how)
        return slow

    def refuse_payment(self, opened: Funding) -> str:
        try:
            self.pay(opened, "pm_card_chargeDeclinedLostCard")
        except stripe.CardError:
            return "lost_card"
        raise AssertionError("the card was not declined")

    def dispute(self, opened: Funding) -> None:
        self.double.open_dispute(self.charge_of(opened))

    def payee(self, *, ready: bool) -> str:
        account = stripe_accounts.open_account("usr_SELLER", "US", client=self.client)
        if ready:
            self.make_ready(account)
        return account

    def make_ready(self, destination: str) -> None:
        self.double.onboard(destination)

    def fail_refunds(self) -> None:
        for refund in self.client.v1.refunds.list().data:
            self.double.fail_refund(refund.id)

    def places(self) -> int:
        return len(self.client.v1.payment_intents.list({"limit": 100}).data)

    def moved(self, kind: LegKind) -> list[int]:
        transfers = self.client.v1.transfers.list({"limit": 100}).data
        if kind is LegKind.TRANSFER:
            return [transfer.amount for transfer in transfers]
        if kind is LegKind.REVERSAL:
            return [reversal.amount for transfer in transfers for reversal in transfer.reversals.data]
        refunds = self.client.v1.refunds.list({"limit": 100}).data
        return [refund.amount for refund in refunds if refund.status not in {"failed", "canceled"}]

    def total(self) -> int:
        return self.double.ledger_sum()

    def charge_of(self, opened: Funding) -> str:
        assert opened.external_id
        intent = self.client.v1.payment_intents.retrieve(opened.external_id)
        assert isinstance(intent.latest_charge, str)
        return intent.latest_charge

    def calls(self, method: str, path: str) -> list[str | None]:
        """The idempotency keys of the calls of one path, in order."""
        return [call.idempotency_key for call in self.double.requests if (call.method, call.path) == (method, path)]

    def now(self) -> dt.datetime:
        return self._clock.now()
