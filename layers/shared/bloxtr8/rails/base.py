"""What every payment rail offers, and the words it uses. A rail knows no entity: tasks map rows to these records and
back.

Amounts are integers of minor units; currencies are written as in our rows (`USD`, upper case): a rail translates. Times
are aware UTC. Nothing here decides a status: a rail says what the provider says, the transitions decide
(architecture.md, law 5).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

type Cursor = Mapping[
    str, int
]  # how far a chain was searched, in the rail's own words; of all of them "arrived" is ours


class RailError(Exception):
    """A rail could not do or say what was asked. Step Functions sees the bare class name of the children
    (rail-stripe.md).

    The text carries provider codes, request ids and our ids only, never a person's data.
    """


class RailThrottled(RailError):
    """Too many or colliding requests. The machine: Retry 6 times, backoff 2, full jitter, the same key. It may follow a
    try whose answer was lost: where the retries are used up the leg is UNKNOWN, as after RailOutcomeUnknown."""


class RailOutcomeUnknown(RailError):
    """No usable answer; it may have happened. The machine: Retry 3 times with the same key, then the leg is UNKNOWN and
    is looked up (`find`) before anything else. Never success, never failure. From a question (`look`, `find`) it means:
    ask again later."""


class RailDeclined(RailError):
    """The payer's bank refused. The machine: back to the buyer, no retry. `code` is the provider's decline code."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class RailFundsPending(RailError):
    """Definitely not done: the money is not available yet. The leg waits PLANNED with attempt + 1 (Stripe replays a
    refusal under its key for a day) and `next_look = available_at`; the attempt of the machine ends."""

    def __init__(self, message: str, *, available_at: dt.datetime) -> None:
        super().__init__(message)
        self.available_at = available_at


class SellerNotReady(RailError):
    """Definitely not done: the destination cannot receive money now. The leg waits PLANNED with attempt + 1, the
    attempt of the machine ends; the provider's event about the account (HintKind.ACCOUNT) makes the seller's waiting
    legs react."""


class RailFrozen(RailError):
    """Definitely not done: the money is disputed at the provider. record_chargeback, then park. `object_id` is the
    dispute."""

    def __init__(self, message: str, *, object_id: str | None = None) -> None:
        super().__init__(message)
        self.object_id = object_id


class RailBug(RailError):
    """Definitely not done, and no retry can help: a wrong request, key or permission, or the provider's object is not
    the one we made (another escrow's, currency, destination). No retry, alarm, park."""


class PayeeRefused(RailBug):
    """The same where it is the wallet of one payee that the token refuses. `payee` is SELLER or BUYER."""

    def __init__(self, message: str, *, payee: str) -> None:
        super().__init__(message)
        self.payee = payee


class FundingStatus(StrEnum):
    """What the provider says of the buyer's payment."""

    UNPAID = "UNPAID"  # nothing yet, or the last try was refused (`Look.decline_code`)
    PROCESSING = "PROCESSING"  # under way: neither money nor none; clocks freeze
    PAID = "PAID"  # the provider has the money: `Look.deposits`
    CANCELED = "CANCELED"  # can no longer be paid; no money came


class LegKind(StrEnum):
    """What a leg moves."""

    TRANSFER = "TRANSFER"  # to the seller
    REFUND = "REFUND"  # back to the buyer, to where the money came from (D30)
    REVERSAL = "REVERSAL"  # a transfer taken back from the seller


class LegStatus(StrEnum):
    """What the provider says of a leg. Anything it does not say raises: RailOutcomeUnknown is never a status."""

    CONFIRMED = "CONFIRMED"  # done, with ledger lines
    SENT = "SENT"  # accepted and under way: the provider's event, or a later `find`, decides
    REJECTED = "REJECTED"  # definitely refused or failed: attempt + 1 may be tried, or the settlement is parked


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """The buyer's payment of one escrow, as our rows have it."""

    escrow_id: str
    buyer_id: str
    amount: int  # gross: what the buyer pays, minor units
    currency: str  # "USD"
    attempt: int = 1  # the n of `{escrow}:open:{n}`; rises only after a definite failure
    external_id: str | None = None  # PaymentIntent (vault) once opened and stored
    customer_id: str | None = None  # the buyer's Stripe customer, where the user has one already
    terms: Mapping[str, Any] | None = None  # of the vault, as the contract froze them (rail-usdc.md)
    missing: int | None = None  # on chain: how much of it the books do not have yet; None: all
    known_units: int = 0  # on chain: what is recorded as arrived already, in base units
    cursor: Cursor | None = None  # on chain: how far was searched for deposits
    reclaims_cursor: Cursor | None = None  # and for what was taken back after the term


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where the buyer's money will arrive. Store both ids with open_funding."""

    external_id: str
    customer_id: str | None = None  # store it on the user: it is reused
    cursor: Cursor | None = None  # on chain: from where to search; store it on the rail's row


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstructions:
    """What the buyer needs to pay. Shown to the buyer alone, never stored, never logged."""

    external_id: str
    amount: int  # minor units, as the provider has it
    currency: str
    status: FundingStatus
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSeen:
    """Money that arrived, as the provider counts it: record it once per `ref`."""

    ref: str  # unique at the provider: the charge (chainId:txHash:logIndex)
    amount: int  # received, not asked for: compare it with the gross before FUNDS_HELD
    currency: str
    at: dt.datetime
    external_ids: tuple[str, ...]  # each gets a look-up row, put-if-absent (I5)
    units: int | None = (
        None  # on chain: exactly what arrived, in base units; `amount` is the cents that this makes whole
    )
    sender: str | None = None  # on chain: who sent it, to be screened
    cursor: Cursor | None = None  # on chain: how far was searched with it: store it in the commit of the deposit


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The truth about a payment, asked just now. `deposits` is not empty exactly where the status is PAID; on chain
    they are the new ones, after the cursor that was asked with."""

    status: FundingStatus
    external_id: str | None = None
    deposits: tuple[DepositSeen, ...] = ()
    decline_code: str | None = None  # of the last refused try, UNPAID only
    cursor: Cursor | None = None  # on chain: how far was searched; store it once all `deposits` are recorded
    keep: bool = False  # on chain: store the cursor though no deposit came: the way to it was long
    complete: bool = True  # on chain: the search came to its end; else the next look goes on
    coming: bool = False  # on chain: the rest of the payment is there, and not found or not final yet


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOrder:
    """One movement of money out of one escrow, frozen in the leg's row before it is sent."""

    escrow_id: str
    settlement_id: str
    leg: int  # its number in the settlement
    attempt: int  # n; rises only after a definite refusal, never after a timeout or a 5xx
    kind: LegKind
    amount: int  # minor units, more than 0
    currency: str  # "USD"
    funding_id: str  # the PaymentIntent (vault) that holds the money
    destination: str | None = None  # TRANSFER: the seller's account
    reverses: str | None = None  # REVERSAL: the transfer taken back
    from_balance: bool = False  # TRANSFER: of what is the platform's own, not of the payment
    fee: int = 0  # on chain the platform's part leaves in the same call
    also_buyer: int = 0  # on chain: what the buyer gets beside a TRANSFER
    action: int | None = None  # on chain: the index of the call, frozen in the leg
    terms: Mapping[str, Any] | None = None  # of the vault
    booked: tuple[str, ...] = ()  # chargebacks that were lost and are in our books: they freeze nothing any more
    adopted_id: str | None = None  # REFUND: one that exists already, made by a person at the provider

    @property
    def leg_id(self) -> str:
        """`{settlement}-{nn}`, the id of the leg's row (api.md, Conventions)."""
        return f"{self.settlement_id}-{self.leg:02}"

    @property
    def operation(self) -> str:
        """The idempotency key and the provider's metadata: `{settlement}:{leg}:{n}` (rail-stripe.md)."""
        return f"{self.settlement_id}:{self.leg}:{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOutcome:
    """What became of a leg, said by the provider."""

    status: LegStatus
    external_id: str  # transfer, refund or reversal; empty where a refusal made no object
    reason: str | None = None  # REJECTED, or why it is still SENT: the provider's code
    available_at: dt.datetime | None = None  # when the payee can use it, where the provider says


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why the payer's bank, or the provider, doubts a payment (rail-stripe.md: a fraud warning, a review)."""

    cause: str  # unique: "warning:issfr_1", "review:prv_1"
    payment_ids: tuple[str, ...]  # of the payment it is about: PaymentIntent, charge
    stands: bool  # nobody has decided yet
    cleared: bool  # a person looked and approved the payment


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSeen:
    """A refund as the provider has it, whoever made it."""

    external_id: str
    funding_id: str  # the PaymentIntent it came out of
    amount: int
    currency: str
    status: LegStatus


class Claim(StrEnum):
    """How a chargeback stands, seen from the platform."""

    INQUIRY = "INQUIRY"  # the payer's bank only asks; nothing is taken
    OPEN = "OPEN"  # the money is with the bank, until it decides
    WON = "WON"  # it is ours, or no chargeback came of the inquiry
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackSeen:
    """A chargeback as the provider has it now."""

    external_id: str
    charge_id: str
    payment_ids: tuple[str, ...]  # of the payment it is about: PaymentIntent, charge
    claim: Claim
    amount: int  # minor units: less than the payment where a part of it is disputed
    fee: int  # what it cost the platform so far, whoever wins
    currency: str
    reason: str
    returned: int = 0  # what the bank has given back of `amount`


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclaimSeen:
    """What a vault gave back after its term. Book it once per `ref` (`chainId:txHash:logIndex`)."""

    ref: str
    units: int
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBooks:
    """What the provider has of one payment, in minor units: received of the buyer and sent back to him, sent to the
    seller and taken back from him. Only what is done counts; `refunding` is on its way to the buyer."""

    received: int
    refunded: int
    refunding: int
    transferred: int
    reversed: int

    @property
    def net(self) -> tuple[int, int]:
        """Paid by the buyer and not sent back, and sent to the seller and not taken back."""
        return self.received - self.refunded, self.transferred - self.reversed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaims:
    """What was found of them. Store the cursor where `keep` says so, once all `seen` are booked."""

    seen: tuple[ReclaimSeen, ...] = ()
    cursor: Cursor | None = None
    keep: bool = False
    complete: bool = True


class Rail(Protocol):
    """A payment rail. Every method may raise RailThrottled, RailOutcomeUnknown and RailBug; more where it says so."""

    name: ClassVar[str]

    def open(self, funding: Funding) -> Opened:
        """Makes the place where the buyer pays, or finds the one that the same attempt made. Safe to repeat."""
        ...

    def payment(self, funding: Funding) -> PaymentInstructions:
        """What the buyer needs to pay; only reads. `funding.external_id` must be set."""
        ...

    def look(self, funding: Funding) -> Look:
        """Asks the provider. RailBug where its object is not of this escrow or currency."""
        ...

    def close(self, funding: Funding) -> Look:
        """Makes it unpayable, and says what is true then: PAID is late money, PROCESSING could not be stopped yet. Safe
        to repeat."""
        ...

    def send(self, order: LegOrder) -> LegOutcome:
        """Moves the money once for the leg, whatever its attempts: what exists already is found, not made again.

        Call it only after the leg is committed as SENT. Raises RailFundsPending, SellerNotReady and RailFrozen, all of
        them before anything moved.
        """
        ...

    def find(self, order: LegOrder) -> LegOutcome | None:
        """What the provider has for this leg; None: nothing. The only way on from an unknown outcome.

        A live object of any attempt counts; of the failed ones only this attempt's. A confirmed refund may be REJECTED
        later: the bank sent it back.
        """
        ...

    def destination_ready(self, destination: str) -> bool:
        """Whether the seller can be paid there now."""
        ...


class CardRail(Rail, Protocol):
    """What a rail of cards knows beside: payments in doubt or charged back, and refunds that no leg ordered.
    `rails.cards()`."""

    def warning(self, warning_id: str) -> Doubt:
        """A fraud warning of the payer's bank. It stands until a person decides."""
        ...

    def review(self, review_id: str) -> Doubt:
        """A review by the provider's guard; cleared by its approval alone."""
        ...

    def chargeback(self, chargeback_id: str) -> ChargebackSeen:
        """A chargeback, or the inquiry before one, by its id."""
        ...

    def chargebacks(self, funding_id: str) -> tuple[ChargebackSeen, ...]:
        """All of a payment, decided or not."""
        ...

    def refund(self, refund_id: str) -> RefundSeen:
        """A refund by its id: one that no leg ordered carries no name of ours."""
        ...

    def refunded(self, charge_id: str) -> int:
        """How much of a charge has gone back, in minor units, as the provider counts it."""
        ...

    def books(self, funding_id: str, escrow_id: str) -> CardBooks:
        """What the provider has of one escrow's payment, asked just now."""
        ...

    def balance(self) -> Mapping[str, int]:
        """The platform's own balance in USD: `available` and `pending`."""
        ...

    def events(self, since: dt.datetime, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """A page of the events since then, newest first, as webhooks bring them, and the id to go on after."""
        ...


class TermRail(Rail, Protocol):
    """What a rail on chain has beside: a term, after which the buyer takes back what is left. `rails.chain()`."""

    def postpone(self, funding: Funding) -> bool:
        """Moves the vault's term, once. Whether that is final; safe to repeat. RailBug where it is too late."""
        ...

    def reclaimed(self, funding: Funding) -> Reclaims:
        """What went back to the buyer after the term by anybody's call, final only; a bounded part of it, in order."""
        ...

    def gone(self, funding: Funding, refs: Sequence[str]) -> tuple[str, ...]:
        """Of deposits that are recorded, the newest first, those that the chain no longer has."""
        ...
