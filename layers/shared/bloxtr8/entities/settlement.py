"""How an escrow's money is divided and paid out: the proposal, the plan, its legs (states.md, section 5)."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import EnumAttribute, HasUlid, IntegerAttribute, TimeAttribute
from bloxtr8.entities.escrow import Account, EscrowRow
from bloxtr8.entities.market import Currency, Side


class SettlementKind(StrEnum):
    RELEASE = "RELEASE"
    REFUND = "REFUND"
    SPLIT = "SPLIT"
    MILESTONE = "MILESTONE"
    RETURN = "RETURN"
    RECOVERY = "RECOVERY"  # transfers of a payment that the buyer has back are reversed
    REPAYMENT = "REPAYMENT"  # what was taken so is paid to the seller again: its loss was made good
    OUTSIDE = "OUTSIDE"  # of what is set aside, paid by people: it is done when it is written
    DASHBOARD = "DASHBOARD"  # a refund made in the Dashboard that paid no plan: it is done when it is written


class SettlementStatus(StrEnum):
    OPEN = "OPEN"
    PARKED = "PARKED"
    DONE = "DONE"
    DROPPED = "DROPPED"


class ProposalStatus(StrEnum):
    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


class LegStatus(StrEnum):
    PLANNED = "PLANNED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTED"
    CONFIRMED = "CONFIRMED"


class ManualPaymentStatus(StrEnum):
    ANNOUNCED = "ANNOUNCED"  # somebody is about to pay it: nothing else pays it meanwhile
    RECORDED = "RECORDED"
    WITHDRAWN = "WITHDRAWN"  # nobody has paid it


class Settlement(HasUlid, EscrowRow, discriminator="Settlement"):
    """A frozen plan of who gets what; its legs carry the money. Amounts in cents (section 5)."""

    id = UnicodeAttribute()
    kind = EnumAttribute(SettlementKind)
    status = EnumAttribute(SettlementStatus, default=SettlementStatus.OPEN)
    to_seller = IntegerAttribute(default=0)
    to_platform = IntegerAttribute(default=0)
    to_buyer = IntegerAttribute(default=0)
    seller_share = IntegerAttribute(default=0)  # of the escrow's amount, before fees
    buyer_share = IntegerAttribute(default=0)
    milestone_id = UnicodeAttribute(null=True)  # of a MILESTONE: which of them it pays
    through = IntegerAttribute(null=True)  # of a RETURN: the ledger's last line when it was planned
    replaces = UnicodeAttribute(null=True)  # the dropped one in whose place it pays what is left of its parts
    reason = UnicodeAttribute(null=True)
    actor = UnicodeAttribute()
    run = IntegerAttribute(default=1)
    error = UnicodeAttribute(null=True)
    next_look = TimeAttribute(null=True)
    looks = IntegerAttribute(default=0)
    created_at = TimeAttribute()
    parked_at = TimeAttribute(null=True)  # when it was parked last
    finished_at = TimeAttribute(null=True)

    @property
    def parked(self) -> str | None:
        """The shelf of what does not go on by itself; money need not lie in its escrow."""
        return "PARKED" if self.status is SettlementStatus.PARKED else None


MANUAL = "manual:"  # the namespace of payments that no provider of ours made


class Leg(EscrowRow, discriminator="Leg"):
    """One payment, and the record of the operation that makes it: the intent is stored before the call (law 6)."""

    settlement_id = UnicodeAttribute()
    n = IntegerAttribute()
    pays = EnumAttribute(Side)
    amount = IntegerAttribute()
    fee = IntegerAttribute(default=0)  # HELD→FEES, booked when this leg is confirmed
    also_buyer = IntegerAttribute(default=0)  # on chain one call pays both: HELD→BUYER beside the seller's amount
    action = IntegerAttribute(null=True)  # the frozen index of the call on chain (domain.chain_actions)
    screening: Any = JSONAttribute(null=True)  # of the payee's wallet before it was sent
    also_screening: Any = JSONAttribute(null=True)  # of the buyer's, where the same call pays him too
    # SURPLUS of a RETURN, SELLER of a RECOVERY, LOSS of a REPAYMENT
    source_account = EnumAttribute(Account, default=Account.HELD)
    currency = EnumAttribute(Currency)
    destination = UnicodeAttribute(null=True)  # the frozen payout account; None: back to the card that paid
    deposit_ref = UnicodeAttribute(null=True)
    status = EnumAttribute(LegStatus, default=LegStatus.PLANNED)
    attempt = IntegerAttribute(default=1)
    external_id = UnicodeAttribute(null=True)
    reverses = UnicodeAttribute(null=True)  # the transfer that is taken back from the seller
    adopted_id = UnicodeAttribute(null=True)  # a refund made in the Dashboard: it is this leg's first attempt
    error = UnicodeAttribute(null=True)
    sent_at = TimeAttribute(null=True)
    unready_since = TimeAttribute(null=True)  # the first time that its payee's account took nothing
    confirmed_at = TimeAttribute(null=True)
    next_look = TimeAttribute(null=True)

    @property
    def id(self) -> str:
        return f"{self.settlement_id}-{self.n:02}"

    @property
    def by_hand(self) -> bool:
        """Whether people paid it outside: the provider knows nothing of it."""
        return (self.external_id or "").startswith(MANUAL)


class ManualPayment(HasUlid, EscrowRow, discriminator="ManualPayment"):
    """A payment outside of the provider, announced before it is made (law 6), with everybody who says that it was: of a
    leg that the provider refused, or of what is set aside, and then whom it `pays`; its leg is made when it is
    recorded."""

    id = UnicodeAttribute()
    settlement_id = UnicodeAttribute(null=True)
    leg = IntegerAttribute(null=True)
    pays = EnumAttribute(Side, null=True)
    amount = IntegerAttribute()
    announced_by = UnicodeAttribute()
    reason = UnicodeAttribute()
    refused_id = UnicodeAttribute(null=True)  # what the provider called the leg before
    payment_id = UnicodeAttribute(null=True)  # what the bank calls it, once it is recorded
    status = EnumAttribute(ManualPaymentStatus, default=ManualPaymentStatus.ANNOUNCED)
    people: Any = JSONAttribute(default=list)  # [{"id", "reason", "at", "paymentId"}], each one's last word
    created_at = TimeAttribute()
    ended_at = TimeAttribute(null=True)


class SettlementProposal(EscrowRow, discriminator="SettlementProposal"):
    """How one party would end the escrow: both parts in cents, before fees. They are all of `remaining`, what no
    settlement had decided when it was made (section 5)."""

    id = UnicodeAttribute()
    proposed_by = EnumAttribute(Side)
    seller_amount = IntegerAttribute()
    buyer_amount = IntegerAttribute()
    remaining = IntegerAttribute()
    reason = UnicodeAttribute()
    status = EnumAttribute(ProposalStatus, default=ProposalStatus.OPEN)
    expires_at = TimeAttribute()
    reminded_of = TimeAttribute(null=True)  # `expires_at`, once the other party was reminded
    created_at = TimeAttribute()
    ended_at = TimeAttribute(null=True)

    @property
    def remind(self) -> str | None:
        """The shelf of the day of its deadline, until it was reminded of."""
        waits = self.reminded_of is None and self.ended_at is None
        return f"REMIND#{self.expires_at.date()}" if waits else None
