"""Chargebacks, refunds by hand, parts, splits, refusals and resumptions in any order: whatever comes to whatever, the
books balance, nobody waits for nothing, and each side gets its share to the cent (states.md, sections 4, 5 and 10)."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import stripe as stripe_library

from bloxtr8 import rails, table
from bloxtr8.domain import ledger, plans, reconciliations, refused_payouts
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import (
    DisputeStatus,
    Escrow,
    EscrowStatus,
    PlatformRole,
    SettlementStatus,
    Side,
    User,
    WebhookEvent,
    WebhookStatus,
)
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import LegKind, RailDeclined, SellerNotReady
from local.doubles.stripe.double import StripeDouble
from local.doubles.stripe.errors import ApiError
from tests import factories, shares
from tests.doubles import Roblox
from tests.emulator import Answer, Platform
from tests.functions import chargebacks, disputes, escrows, milestones, money
from tests.functions.webhooks import Machines, process, sent_by, stored
from tests.wire import Wire

STEPS = 40
QUICK = range(67, 91)  # seven of them found what had been wrong
QUICK_LATE = (9, 13, 27, 36, 37, 97)  # in each of them something had been wrong
EVENTS = (*chargebacks.EVENTS, "refund.created", "refund.updated", "refund.failed")
HELD = {EscrowStatus.FUNDS_HELD, EscrowStatus.DELIVERED, EscrowStatus.DISPUTED}


class Deal:
    """A card's escrow and everybody around it, each step drawn by the seed."""

    def __init__(
        self, aws: Platform, stripe: StripeDouble, roblox: Roblox, patch: pytest.MonkeyPatch, seed: int
    ) -> None:
        self.aws, self.stripe, self.roblox, self.random = aws, stripe, roblox, random.Random(seed)
        self.log: list[Any] = [seed]
        self.refusal: Exception | None = None
        self.banks: dict[str, int] = {}  # what each chargeback asks for
        self.by_hand, self.told, self.events = 0, set[str](), list[WebhookEvent]()
        escrows.settings(patch, buyer_fee_bps=self.random.choice([0, 100, 333]))
        amount, parts = self.random.choice([10_000, 9_999, 12_345, 250]), self.random.choice([0, 2, 2, 3])
        cuts = [self.random.randint(50, amount // parts) for _ in range(parts - 1)] if parts else []
        in_parts = {"milestones": milestones.parts(*cuts, amount - sum(cuts))} if parts else {}
        self.escrow = self.begin(amount, in_parts)
        self.tell()
        plain = type(rails.get("STRIPE")).send

        def send(rail: Any, order: Any) -> Any:
            if self.refusal is not None and order.kind is LegKind.TRANSFER:
                raise self.refusal
            return plain(rail, order)

        patch.setattr(type(rails.get("STRIPE")), "send", send)

    def begin(self, amount: int, in_parts: dict[str, Any]) -> Escrow:
        return factories.funded(self.stripe, amount=amount, **in_parts)

    @property
    def file(self) -> EscrowFile:
        return escrows.file(self.escrow)

    def ask(self, action: str, user: Any, body: Any = None, **path: str) -> Answer:
        """Somebody asks for it; a refusal is an answer."""
        key = {"Idempotency-Key": str(len(self.log))}
        answer = self.aws.call(action, user, body, headers=key, escrow_id=self.escrow.id, **path)
        assert answer.status < 500, (self.log, answer.body)
        self.log.append((action, answer.status, answer.code if answer.status >= 400 else body))
        return answer

    def acts(self) -> tuple[Callable[[], object], ...]:
        return (
            self.pay, self.refuse, self.accept_again, self.charge_back, self.charge_back, self.decide,
            self.decide, self.reinstate, self.refund_by_hand, self.wait, self.tell, self.tell, self.dispute,
            self.withdraw, self.resolve, self.propose, self.agree, self.deliver, self.deliver, self.confirm,
            self.release, self.release, self.refund, self.resume,
        )  # fmt: skip

    def step(self) -> None:
        act = self.random.choice(self.acts())
        self.log.append(act.__name__)
        act()
        self.check()

    # --- the platform

    def pay(self) -> None:
        for row in self.file.settlements:
            if row.status is SettlementStatus.OPEN:
                factories.settle(self.escrow, row.id)

    def tell(self) -> None:
        """What Stripe has to tell arrives; what could not be written down then is tried again."""
        waiting, self.events = self.events, []
        while tried := [process(self.aws, row) for row in (*waiting, *self.news())]:
            waiting = []
            self.events += [row for row in tried if row.status is WebhookStatus.FAILED]

    def news(self) -> list[WebhookEvent]:
        new = [one for one in sent_by(self.stripe, *EVENTS) if one["id"] not in self.told]
        self.told |= {one["id"] for one in new}
        return [stored(self.aws, one) for one in new]

    def wait(self) -> None:
        hours = self.random.choice([1, 24, 72, 200])
        self.aws.clock.advance(hours=hours)
        self.stripe.advance(days=hours / 24)
        self.aws.invoke("enforce_escrow_deadlines")

    # --- Stripe, and the buyer's bank

    def refuse(self) -> None:
        self.refusal = self.random.choice([RailDeclined("no", code="no"), SellerNotReady("no")])

    def accept_again(self) -> None:
        self.refusal = None

    def charge_back(self) -> None:
        left = self.escrow.gross - sum(self.banks.values())
        rest = plans.remaining(self.file)
        asked = self.random.choice([left, left - 1, rest, rest + 1, rest - 1, self.random.randint(1, max(1, left))])
        with suppress(ApiError):
            self.banks[chargebacks.dispute(self.stripe, self.escrow, amount=min(asked, left))] = min(asked, left)

    def decide(self) -> None:
        with suppress(ApiError, IndexError):
            self.stripe.close_dispute(self.random.choice([*self.banks]), self.random.choice(["won", "lost", "lost"]))

    def reinstate(self) -> None:
        with suppress(ApiError, IndexError):
            self.stripe.reinstate_dispute(self.random.choice([*self.banks]))

    def refund_by_hand(self) -> None:
        """Somebody of ours, once or twice, in the Dashboard."""
        if self.by_hand < 2 and self.random.random() < 0.3:
            self.by_hand += 1
            made = {"payment_intent": str(self.file.rail.external_id)}
            amount = self.random.choice([None, self.random.randint(1, self.escrow.gross)])
            with suppress(stripe_library.InvalidRequestError):
                stripe_client.client().v1.refunds.create(made | ({"amount": amount} if amount else {}))  # type: ignore[arg-type]

    def send_back(self) -> None:
        """The buyer's bank takes a refund no more."""
        with suppress(ApiError, IndexError):
            made = [one["data"]["object"]["id"] for one in sent_by(self.stripe, "refund.created")]
            self.stripe.fail_refund(self.random.choice(made))

    # --- people

    def either(self) -> str:
        return self.random.choice([self.escrow.buyer_id, self.escrow.seller_id])

    def division(self) -> tuple[int, int]:
        rest = max(0, refused_payouts.to_divide(self.file))
        seller = self.random.choice([0, rest, min(1, rest), self.random.randint(0, rest)])
        return seller, rest - seller

    def dispute(self) -> None:
        self.ask("open_dispute", self.either(), disputes.CLAIM)

    def withdraw(self) -> None:
        if (live := self.file.dispute) and live.opened_by != "SYSTEM":
            self.ask("withdraw_dispute", live.opener_id, dispute_id=live.id)

    def resolve(self) -> None:
        if (live := self.file.dispute) is None:
            return
        if live.status is DisputeStatus.OPEN:
            self.ask("assign_dispute", disputes.arbiter(), dispute_id=live.id)
        seller, buyer = self.division()
        outcome = "RELEASE" if not buyer else "SPLIT" if seller else "REFUND"
        body = {"outcome": outcome, "sellerAmount": seller, "buyerAmount": buyer, "resolution": disputes.WHY}
        judge = table.get(User, id=disputes.live(self.escrow).assignee_id)
        self.ask("resolve_dispute", judge, body, dispute_id=live.id)

    def propose(self) -> None:
        seller, buyer = self.division()
        body = {"sellerAmount": seller, "buyerAmount": buyer, "reason": "Let us end it."}
        self.ask("propose_settlement", self.either(), body)

    def agree(self) -> None:
        if (live := self.file.proposal) is not None:
            other = self.escrow.seller_id if live.proposed_by is Side.BUYER else self.escrow.buyer_id
            self.ask("accept_settlement", other, proposal_id=live.id)

    def deliver(self) -> None:
        self.ask("start_delivery", self.escrow.seller_id, {})
        if escrows.row(self.escrow).asset_in_turn:
            self.roblox.set_group(self.escrow.asset_id, owner=self.escrow.buyer_roblox_id)
        self.ask("mark_delivered", self.escrow.seller_id, delivery_id=self.file.delivery.id)

    def confirm(self) -> None:
        delivery_id = self.file.delivery.id
        self.ask("confirm_delivery", self.escrow.buyer_id, {"acknowledge": True}, delivery_id=delivery_id)

    def release(self) -> None:
        if parts := self.file.milestones:
            part = self.random.choice(parts)
            self.ask("release_milestone", self.escrow.buyer_id, {"acknowledge": True}, milestone_id=part.id)

    def refund(self) -> None:
        if self.random.random() < 0.3:
            self.ask("refund_escrow", self.escrow.seller_id, {"reason": "Sorry."})

    def resume(self) -> None:
        self.ask("resume_settlement", escrows.staff(PlatformRole.PADMIN), {"reason": "Mended."})

    # --- what holds

    def check(self) -> None:
        file = self.file
        assert ledger.balance(file.escrow, file.ledger).balanced, self.log
        assert [*shares.wrong(file)] == [], self.log
        divides = file.proposal.remaining if file.proposal and file.escrow.status in HELD else None
        assert divides in {None, refused_payouts.to_divide(file)}, self.log
        waits_for_nothing = file.escrow.settlement_id is None and plans.remaining(file) <= 0
        assert not (file.escrow.status in HELD and waits_for_nothing), self.log

    def end(self) -> None:
        """The banks decide for the buyer, Stripe takes everything, and what was parked is resumed, ten days long."""
        self.refusal = None
        for chargeback in self.banks:
            with suppress(ApiError):
                self.stripe.close_dispute(chargeback, "lost")
        for _ in range(8):
            self.tell()
            self.pay()
            self.stripe.advance(days=5)
            self.aws.clock.advance(hours=26)
            if any(row.status is SettlementStatus.PARKED for row in self.file.settlements):
                self.resume()
            self.check()
        file = self.file
        found = rails.cards().books(str(file.rail.external_id), file.escrow.id)
        paid, sent = found.net
        assert reconciliations.of_card(file, paid, sent) == [], self.log


class Late(Deal):
    """The same when all was decided: refunds come back too, and banks think better of it."""

    def begin(self, amount: int, in_parts: dict[str, Any]) -> Escrow:
        escrow = factories.delivered(self.stripe, amount=10_000)
        if seller := self.random.choice([0, 6_000, 6_000, 1, 9_999]):
            money.split(escrow, seller)
        else:
            assert escrows.confirm(self.aws, escrow).status == 202
        escrows.paid_out(self.stripe, escrow)
        return escrow

    def acts(self) -> tuple[Callable[[], object], ...]:
        return (
            self.pay, self.pay, self.wait, self.wait, self.tell, self.tell, self.tell, self.charge_back, self.decide,
            self.decide, self.reinstate, self.reinstate, self.refund_by_hand, self.send_back, self.send_back,
            self.resume, self.refuse, self.accept_again,
        )  # fmt: skip


def play(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, wire: Wire, patch: pytest.MonkeyPatch, seed: int,
    kind: type[Deal] = Deal,
) -> None:  # fmt: skip
    Machines(wire)
    deal = kind(aws, stripe, roblox, patch, seed)
    for _ in range(STEPS):
        deal.step()
    deal.end()


@pytest.mark.parametrize("seed", QUICK)
def test_each_side_gets_its_share_whatever_comes_to_whatever(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, wire: Wire, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    play(aws, stripe, roblox, wire, monkeypatch, seed)


@pytest.mark.parametrize("seed", QUICK_LATE)
def test_after_all_was_decided_each_side_keeps_its_share(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, wire: Wire, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    play(aws, stripe, roblox, wire, monkeypatch, seed, Late)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [seed for seed in range(200) if seed not in QUICK_LATE])
def test_after_all_was_decided_each_side_keeps_its_share_in_hundreds_of_ways(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, wire: Wire, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    play(aws, stripe, roblox, wire, monkeypatch, seed, Late)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [seed for seed in range(300) if seed not in QUICK])
def test_each_side_gets_its_share_in_hundreds_of_ways(
    aws: Platform, stripe: StripeDouble, roblox: Roblox, wire: Wire, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    play(aws, stripe, roblox, wire, monkeypatch, seed)
