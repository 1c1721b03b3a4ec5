"""One trade of a story, and what must be true of it whatever happened on the way."""

from dataclasses import dataclass, field
from typing import Any

from local.demo import stories
from local.demo.stories import Cast, Parts, Trade
from local.motofix import dynamodb
from local.resources import ACCOUNT, REGION
from local.stack import Stack


def silent(_: str) -> None:
    """Tests tell nobody."""


@dataclass
class Theatre:
    """A stack, its people, and one trade between them."""

    stack: Stack
    cast: Cast
    trade: Trade
    group_id: str
    calls_before: int = field(init=False)

    def __post_init__(self) -> None:
        self.calls_before = len(self.stack.stripe.requests)

    @property
    def path(self) -> str:
        return f"/escrows/{self.trade.escrow_id}"

    def agree(self, milestones: Parts | None = None) -> None:
        stories.agree(self.cast, self.trade, self.group_id, silent, milestones=milestones)

    def fund(self) -> None:
        stories.fund(self.cast, self.trade, silent)

    def payment_intent(self) -> str:
        """What the buyer would pay, once the rail is open."""
        buyer = self.cast.buyer
        found = buyer.until(lambda: buyer.post(f"{self.path}/payment"), lambda answer: "paymentIntentId" in answer)
        return str(found["paymentIntentId"])

    def release(self) -> None:
        stories.deliver_and_release(self.cast, self.trade, self.group_id, silent)

    def deliver(self) -> str:
        """The group is the buyer's and the escrow knows it. Returns the delivery's id."""
        seller = self.cast.seller
        delivery = seller.post(f"{self.path}/deliveries", {})["id"]
        self.cast.world.group(self.group_id, self.cast.buyer.roblox_id)
        seller.post(f"{self.path}/deliveries/{delivery}/delivered")
        return str(delivery)

    def confirm(self, delivery_id: str) -> None:
        self.cast.buyer.post(f"{self.path}/deliveries/{delivery_id}/confirm", {"acknowledge": True})

    def until(self, status: str) -> dict[str, Any]:
        """Wait for a status, running the jobs that repair what was lost as their rules would."""
        buyer = self.cast.buyer

        def ask() -> dict[str, Any]:
            found: dict[str, Any] = buyer.get(self.path)
            return found

        return dict(buyer.until(ask, lambda found: found["status"] == status))

    def repair(self, **ahead: float) -> None:
        """Time passes, and the jobs run."""
        self.stack.clock.advance(**ahead)
        self.stack.wait_quiet()
        for job in ("enforce_escrow_deadlines", "retry_webhooks"):
            self.stack.fire(job)

    def settle(self, status: str, *, rounds: int = 12) -> dict[str, Any]:
        """Let time pass and the jobs run until the escrow is in `status` and nothing is left to do."""
        for _ in range(rounds):
            self.stack.wait_quiet()
            found: dict[str, Any] = self.cast.buyer.get(self.path)
            if found["status"] == status and not self._waiting(found):
                return found
            self.repair(minutes=11)
        raise AssertionError(f"still {found['status']}: {found['settlements']} {found['holds']}")

    def _waiting(self, escrow: dict[str, Any]) -> bool:
        return any(row["status"] == "OPEN" for row in escrow["settlements"])

    def rows(self) -> list[dict[str, Any]]:
        """Every item of the table, for 'nothing was written'. Sessions apart: they come and go with every request."""
        items = dynamodb.items(ACCOUNT, REGION, self.stack.addresses["table"])
        kept = [item for item in items if item["type"]["S"] != "Session"]
        return sorted(kept, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))

    def stripe_has(self, kind: str) -> list[dict[str, Any]]:
        """The transfers or refunds Stripe made for this trade."""
        if kind == "transfers":
            query = {"transfer_group": self.trade.escrow_id}
        else:
            query = {"payment_intent": self.payment_intent_of_events()}
        listed: list[dict[str, Any]] = self.cast.world.stripe.get(f"/v1/{kind}", **query)["data"]
        return listed

    def payment_intent_of_events(self) -> str:
        """The PaymentIntent of this trade, as Stripe lists it."""
        found = self.cast.world.stripe.get("/v1/payment_intents", limit=100)["data"]
        (intent,) = [one for one in found if one["transfer_group"] == self.trade.escrow_id]
        return str(intent["id"])

    def assert_sound(self) -> dict[str, Any]:
        """Balanced, and the whole audit path verified. Returns the ledger."""
        buyer = self.cast.buyer
        ledger: dict[str, Any] = buyer.get(f"{self.path}/ledger")
        assert ledger["balanced"]
        assert buyer.get(f"{self.path}/timeline")["verified"]
        assert buyer.get("/audit/verify", entity=self.trade.escrow_id)["ok"]
        return ledger
