"""What a bank does to a payment, and what the platform makes of it: for the tests of chargebacks."""

from typing import Any

from bloxtr8 import reads, table
from bloxtr8.domain import ledger
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Chargeback, Escrow, EscrowStatus, StripeEscrow, WebhookEvent, WebhookStatus
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows
from tests.functions.webhooks import process, sent_by, stored

EVENTS = tuple(
    f"charge.dispute.{name}" for name in ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed")
)
FEE = 1_500  # of the double's bank, in cents


def charge_of(escrow: Escrow) -> str:
    """The charge the buyer paid with."""
    return str(table.get(StripeEscrow, escrow_ulid=escrow.ulid).charge_id)


def dispute(stripe: StripeDouble, escrow: Escrow, **how: Any) -> str:
    """The buyer's bank acts; the dispute's id."""
    return str(stripe.open_dispute(charge_of(escrow), **how)["id"])


def tell(aws: Platform, event: dict[str, Any]) -> WebhookEvent:
    """An event arrives, as a delivery of its own, and is processed; its row then."""
    again = event | {"id": f"{event['id']}_{len(aws.rows())}"}
    return process(aws, stored(aws, again))


def happen(aws: Platform, stripe: StripeDouble, *names: str) -> None:
    """The double's events about disputes arrive, all or those of these names, in order."""
    kinds = [f"charge.dispute.{name}" for name in names] or EVENTS
    for event in sent_by(stripe, *kinds):
        assert tell(aws, event).status is WebhookStatus.PROCESSED


def disputed(aws: Platform, stripe: StripeDouble, escrow: Escrow, **how: Any) -> str:
    """The bank takes the money back, and the platform hears of it."""
    found = dispute(stripe, escrow, **how)
    happen(aws, stripe, "created")
    return found


def decided(aws: Platform, stripe: StripeDouble, chargeback: str, verdict: str) -> None:
    """The bank decides, and the platform hears of it."""
    stripe.close_dispute(chargeback, verdict)
    happen(aws, stripe, "closed")


def rows(escrow: Escrow) -> list[Chargeback]:
    """The chargebacks of an escrow, as they lie in the table."""
    return reads.escrow(escrow.id).chargebacks


def books(file: EscrowFile) -> dict[str, int]:
    """The sums of the accounts that are not zero; asserts I1 to I5 and I7 over one escrow."""
    escrow = file.escrow
    found = ledger.balance(escrow, file.ledger)
    assert found.balanced
    assert sum(found.accounts.values()) == 0
    if escrow.status in ledger.ENDS:
        assert escrow.held == 0
    confirmed = {leg.id for leg in file.legs if leg.status == "CONFIRMED"}
    assert {line.leg_id for line in file.ledger if line.leg_id} == confirmed
    assert all(line.leg_id or line.deposit_ref for line in file.ledger)
    named = [line.external_id for line in file.ledger if line.external_id and ":" in line.external_id]
    assert len(named) == len(set(named))
    return {str(account): cents for account, cents in found.accounts.items() if cents}


def seen_by(aws: Platform, escrow: Escrow) -> dict[str, int]:
    """The same, read through the API, whose timeline is whole."""
    sums = escrows.sound(aws, escrow)
    assert sums == books(reads.escrow(escrow.id))
    return sums


def released(aws: Platform, stripe: StripeDouble, **fields: Any) -> Escrow:
    """An escrow whose seller was paid."""
    escrow = factories.delivered(stripe, **fields)
    assert escrows.confirm(aws, escrow).status == 202
    ended = factories.settle(escrow)
    assert ended.status is EscrowStatus.RELEASED
    return ended


def recovery(escrow: Escrow) -> str:
    """The id of the settlement that takes the seller's money back."""
    (found,) = [row.id for row in reads.escrow(escrow.id).settlements if row.kind == "RECOVERY"]
    return found
