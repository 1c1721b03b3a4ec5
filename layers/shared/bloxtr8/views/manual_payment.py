"""What an administrator sees of payments that were refused, of what is set aside, and of what people paid outside."""

from typing import Self

from bloxtr8 import clock
from bloxtr8.domain import manual_payments, set_aside
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.manual_payments import Asker
from bloxtr8.entities import ManualPayment, ManualPaymentStatus
from bloxtr8.shapes import Moment, View
from bloxtr8.views.compliance import PersonView


class RefusedView(View):
    """A payment that was refused for good, of a settlement that is parked: `amount` in cents is due to `pays`, or where
    it `reverses` a transfer from him. `error` is the provider's word."""

    settlement_id: str
    kind: str
    leg: int
    pays: str
    reverses: str | None
    amount: int
    error: str | None
    parked_for: str | None


class SetAsideView(View):
    """What came back of a trade whose buyer may have the asset: of `amount` in cents, less what is announced, people
    pay each side what is his. `since` and `reason` are of the last of it."""

    amount: int
    since: Moment | None
    reason: str | None


class PayerView(PersonView):
    """Who says that it was paid, and under which name."""

    payment_id: str


class ManualPaymentView(View):
    """Of a leg, or of what is set aside, whose settlement is made when it is recorded: due to `pays`, or where it
    `reverses` a transfer from him. ANNOUNCED until it is RECORDED as paid, under the bank's `paymentId`, or WITHDRAWN;
    nothing else pays it meanwhile. `people` have said that it was paid; a word counts for a day."""

    id: str
    settlement_id: str | None
    leg: int | None
    pays: str
    reverses: str | None
    amount: int
    announced_by: str
    reason: str
    payment_id: str | None
    status: str
    people: list[PayerView]
    created_at: Moment
    ended_at: Moment | None
    allowed_actions: list[str]

    @classmethod
    def of(cls, file: EscrowFile, row: ManualPayment, asker: Asker) -> Self:
        pays, reverses = manual_payments.payee(file, row)
        return cls(
            id=row.id,
            settlement_id=row.settlement_id,
            leg=row.leg,
            pays=pays,
            reverses=reverses,
            amount=row.amount,
            announced_by=row.announced_by,
            reason=row.reason,
            payment_id=row.payment_id,
            status=str(row.status),
            people=[PayerView.model_validate(person) for person in row.people],
            created_at=row.created_at,
            ended_at=row.ended_at,
            allowed_actions=manual_payments.allowed_actions(row, asker, clock.now()),
        )


class RefusalsView(View):
    """`neededVotes`: how many different people have to give the same payment."""

    refused: list[RefusedView]
    set_aside: SetAsideView | None
    manual_payments: list[ManualPaymentView]
    needed_votes: int

    @classmethod
    def of(cls, file: EscrowFile, asker: Asker) -> Self:
        return cls(
            refused=_refused(file),
            set_aside=_set_aside(file),
            manual_payments=[ManualPaymentView.of(file, row, asker) for row in file.manual_payments],
            needed_votes=manual_payments.needed(file.escrow),
        )


def _set_aside(file: EscrowFile) -> SetAsideView | None:
    amount, line = set_aside.amount(file), set_aside.cause(file)
    if amount <= 0:
        return None
    return SetAsideView(amount=amount, since=line.at if line else None, reason=line.memo if line else None)


def _refused(file: EscrowFile) -> list[RefusedView]:
    found = [(file.settlement(leg.settlement_id), leg) for leg in manual_payments.refused(file)]
    return [
        RefusedView(
            settlement_id=settlement.id,
            kind=str(settlement.kind),
            leg=leg.n,
            pays=str(leg.pays),
            reverses=leg.reverses,
            amount=leg.amount,
            error=leg.error,
            parked_for=settlement.error,
        )
        for settlement, leg in found
    ]


class PaymentRecorded(View):
    """202: `votes` of `neededVotes` say so; `recorded` where that is enough, and then the settlement goes on,
    or of what is set aside it is there and done."""

    manual_payment_id: str
    votes: int
    needed_votes: int
    recorded: bool
    status: str
    holds: list[str]
    settlement_id: str | None

    @classmethod
    def of(cls, file: EscrowFile, row: ManualPayment, votes: int) -> Self:
        return cls(
            manual_payment_id=row.id,
            votes=votes,
            needed_votes=manual_payments.needed(file.escrow),
            recorded=row.status is ManualPaymentStatus.RECORDED,
            status=str(file.escrow.status),
            holds=sorted(file.escrow.holds),
            settlement_id=row.settlement_id,
        )
