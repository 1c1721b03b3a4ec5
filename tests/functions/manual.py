"""Payments outside of the card's provider: what waits for one, and what administrators say of it."""

from typing import Any

import pytest

from bloxtr8 import rails, reads
from bloxtr8.domain import reconciliations
from bloxtr8.entities import Escrow, Leg, ManualPayment, PlatformRole, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Answer, Platform
from tests.functions import escrows
from tests.functions.chargebacks import decided, disputed
from tests.functions.escrows import file, row, staff
from tests.functions.webhooks import Machines
from tests.wire import Wire

PAYMENT, REASON = "20261129-BANK-000417", "Paid to his account."


@pytest.fixture(autouse=True)
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def boss(aws: Platform) -> User:
    return staff(PlatformRole.PADMIN)


def parked(aws: Platform, stripe: StripeDouble) -> Escrow:
    """Of $1,000 the bank kept $300, and Stripe refunds nothing of the rest."""
    escrow = factories.funded(stripe)
    decided(aws, stripe, disputed(aws, stripe, escrow, amount=30_000), "lost")
    (back,) = file(escrow).settlements
    factories.settle(escrow, back.id)
    assert (file(escrow).settlement(back.id).error, leg(escrow).status) == ("RailFrozen", "REJECTED")
    return row(escrow)


def leg(escrow: Escrow) -> Leg:
    """The newest leg."""
    return file(escrow).legs[-1]


def due(escrow: Escrow, **other: Any) -> dict[str, Any]:
    """What is announced of the newest leg."""
    found = leg(escrow)
    return {"settlementId": found.settlement_id, "leg": found.n, "amount": found.amount, "reason": REASON} | other


def last(escrow: Escrow) -> ManualPayment:
    """The newest of them."""
    return max(file(escrow).manual_payments, key=lambda one: one.id)


def announce(aws: Platform, escrow: Escrow, user: Any, key: str = "a", **other: Any) -> Answer:
    body, headers = due(escrow, **other), {"Idempotency-Key": key}
    return aws.call("announce_manual_payment", user, body, headers=headers, escrow_id=escrow.id)


def say(
    aws: Platform, escrow: Escrow, user: Any, key: str = "k", *, of: str | None = None, payment_id: str = PAYMENT
) -> Answer:
    """record_manual_payment of the newest, or of that one."""
    body, headers = {"paymentId": payment_id, "reason": REASON}, {"Idempotency-Key": key}
    path = {"escrow_id": escrow.id, "manual_payment_id": of or last(escrow).id}
    return aws.call("record_manual_payment", user, body, headers=headers, **path)


def withdraw(aws: Platform, escrow: Escrow, user: Any, key: str = "w", **headers: str) -> Answer:
    path = {"escrow_id": escrow.id, "manual_payment_id": last(escrow).id}
    headers = {"Idempotency-Key": key} | headers
    return aws.call("withdraw_manual_payment", user, {"reason": "Nobody paid."}, headers=headers, **path)


def paid(aws: Platform, escrow: Escrow, user: Any, payment_id: str = PAYMENT, **other: Any) -> Answer:
    """Announced and recorded."""
    answer = announce(aws, escrow, user, f"a {payment_id}", **other)
    assert answer.status == 201, answer.body
    return say(aws, escrow, user, f"k {payment_id}", of=answer.body["id"], payment_id=payment_id)


def moves(aws: Platform, escrow: Escrow, user: Any) -> list[str]:
    """What that administrator may do with the newest, as the escrow's view tells him."""
    shown = {one["id"]: one for one in escrows.seen(aws, escrow, user)["refusals"]["manualPayments"]}
    return list(shown[last(escrow).id]["allowedActions"])


def differences(stripe: StripeDouble, escrow: Escrow) -> list[Any]:
    """What the reconciliation would find of it."""
    found = reads.escrow(escrow.id)
    books = rails.cards().books(str(found.rail.external_id), escrow.id)
    of_card = reconciliations.of_card(found, *books.net)
    return [*reconciliations.of_ledger(found), *of_card]
