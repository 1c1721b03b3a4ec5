"""A rail whose answers a test writes, and what the tests of money start from and look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bloxtr8 import actors, clock, rails, table
from bloxtr8.domain import plans
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Escrow, Leg, Settlement
from bloxtr8.rails.base import (
    ChargebackSeen,
    DepositSeen,
    Funding,
    FundingStatus,
    LegOrder,
    LegOutcome,
    LegStatus,
    Look,
    RailOutcomeUnknown,
    RailThrottled,
)
from tests import factories
from tests.emulator import Platform
from tests.functions import escrows

UNKNOWN = (RailThrottled, RailOutcomeUnknown)


@contextmanager
def killed_around(monkeypatch: pytest.MonkeyPatch, commit: str, *, done: bool) -> Iterator[None]:
    """The process ends at the commit of that action, before it or, where it is `done`, after it."""
    real = table.commit

    def dies(root, *saves, action, **options):  # type: ignore[no-untyped-def]
        if action != commit:
            return real(root, *saves, action=action, **options)
        if done:
            real(root, *saves, action=action, **options)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(table, "commit", dies)
        with pytest.raises(SystemExit):
            yield


class ScriptedRail:
    """It says what the test wants: several deposits, which a card can't make, and any fate of a leg.

    `fates` are what the next sends meet, one after the other: an error, or None for done.
    """

    def __init__(self) -> None:
        self.deposits: list[DepositSeen] = []
        self.status: FundingStatus | None = None
        self.fates: list[Exception | None] = []
        self.blind: Exception | None = None  # what every look-up meets
        self.made: dict[str, LegOutcome] = {}  # by leg
        self.sent: list[LegOrder] = []

    def pay(self, amount: int, ref: str, currency: str = "USD") -> None:
        self.deposits.append(
            DepositSeen(ref=ref, amount=amount, currency=currency, at=clock.now(), external_ids=(ref,))
        )

    def look(self, _: Funding) -> Look:
        status = self.status or (FundingStatus.PAID if self.deposits else FundingStatus.UNPAID)
        return Look(status=status, deposits=tuple(self.deposits))

    def close(self, funding: Funding) -> Look:
        return self.look(funding)

    def send(self, order: LegOrder) -> LegOutcome:
        self.sent.append(order)
        fate = self.fates.pop(0) if self.fates else None
        if fate is not None:
            raise fate
        return self.makes(order.leg_id)

    def makes(self, leg_id: str, status: LegStatus = LegStatus.CONFIRMED, reason: str = "test") -> LegOutcome:
        """The provider has this for the leg from now on."""
        self.made[leg_id] = LegOutcome(status=status, external_id=f"re_{leg_id[-8:]}", reason=reason)
        return self.made[leg_id]

    def chargebacks(self, _: str) -> tuple[ChargebackSeen, ...]:
        return ()

    def find(self, order: LegOrder) -> LegOutcome | None:
        if self.blind is not None:
            raise self.blind
        return self.made.get(order.leg_id)


@pytest.fixture
def rail(monkeypatch: pytest.MonkeyPatch) -> ScriptedRail:
    """The scripted rail in the registry's place of the card rail."""
    made = ScriptedRail()
    monkeypatch.setattr(rails, "get", lambda _: made)
    return made


def event(escrow: Escrow) -> dict[str, str]:
    """The input of a task of settle_escrow: of the newest settlement."""
    return {"escrowId": escrow.id, "settlementId": settlement(escrow).id}


def settlement(escrow: Escrow) -> Settlement:
    """The newest settlement as it lies in the table."""
    return max(escrows.file(escrow).settlements, key=lambda row: row.created_at)


def legs(escrow: Escrow) -> list[Leg]:
    """The legs of the newest settlement."""
    file = escrows.file(escrow)
    return file.legs_of(settlement(escrow).id)


def leg(escrow: Escrow) -> Leg:
    """Its only leg."""
    (found,) = legs(escrow)
    return found


def actions(aws: Platform, escrow: Escrow) -> list[str]:
    """What happened to the escrow, in order; asserts that the chain holds."""
    return [entry.action for entry in aws.audit(escrow.id)]


def changed_rows(escrow: Escrow, *rows: Any) -> None:
    """The rows after what other rooms, or a crash, did to them."""
    table.commit(escrows.row(escrow), *rows, action="test", actor=actors.system("test"))


def nothing_happens(aws: Platform, task: str, event: dict[str, Any]) -> Any:
    """A repeated task writes nothing. Returns its answer."""
    before = aws.rows()
    answer = aws.invoke(task, event)
    assert aws.rows() == before
    return answer


def split(escrow: Escrow, to_seller: int) -> EscrowFile:
    """A settlement with a leg to each side, as a resolution makes it (later)."""
    file = escrows.file(escrow)
    planned = plans.start(
        file, "refund_escrow", Role.SELLER, actor=actors.system("test"), to_seller=to_seller, reason="SPLIT",
        now=clock.now(),
    )  # fmt: skip
    table.commit(file.escrow, *planned.rows, action="test", actor=actors.system("test"))
    return file


def executed_with_rail() -> Escrow:
    """An escrow whose place of payment is known, for the scripted rail."""
    escrow = factories.executed()
    file = escrows.file(escrow)
    file.rail.external_id = "pi_scripted"
    changed_rows(escrow, file.rail)
    return escrows.row(escrow)


def paid_with_rail(aws: Platform, rail: ScriptedRail) -> Escrow:
    """An escrow that holds its money, paid over the scripted rail."""
    escrow = executed_with_rail()
    rail.pay(escrow.gross, "ch_scripted")
    for task in ("screen_deposit", "hold_funds"):
        aws.invoke(task, {"escrowId": escrow.id})
    return escrows.row(escrow)
