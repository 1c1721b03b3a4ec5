"""The escrow: its money, its rail, its delivery. All rows lie in one partition, those of its settlements
(settlement.py) too."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import (
    Entity,
    EnumAttribute,
    HasUlid,
    IntegerAttribute,
    Root,
    TextSetAttribute,
    TimeAttribute,
)
from bloxtr8.entities.market import AssetType, Currency
from bloxtr8.ids import ulid_of


class EscrowStatus(StrEnum):
    AWAIT_FUNDS = "AWAIT_FUNDS"
    FUNDS_HELD = "FUNDS_HELD"
    DELIVERED = "DELIVERED"
    DISPUTED = "DISPUTED"
    SETTLING = "SETTLING"
    RELEASED = "RELEASED"
    REFUNDED = "REFUNDED"
    SPLIT = "SPLIT"
    CANCELLED = "CANCELLED"


class Hold(StrEnum):
    """Why no new leg may be sent; each cause adds and removes only its own (states.md, section 4)."""

    RISK_REVIEW = "RISK_REVIEW"
    SANCTIONS = "SANCTIONS"
    CHARGEBACK = "CHARGEBACK"
    PAYOUT_FAILED = "PAYOUT_FAILED"
    COMPLIANCE = "COMPLIANCE"


class Freeze(StrEnum):
    """Why no deadline may pass (states.md, Frozen clocks); a hold freezes under its own name."""

    DISPUTE = "DISPUTE"
    PROCESSING = "PROCESSING"
    UNKNOWN_OWNER = "UNKNOWN_OWNER"


class RailName(StrEnum):
    STRIPE = "STRIPE"
    USDC_BASE = "USDC_BASE"


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    DELIVERED = "DELIVERED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class MilestoneStatus(StrEnum):
    AWAIT_FUNDS = "AWAIT_FUNDS"
    FUNDS_HELD = "FUNDS_HELD"
    DELIVERED = "DELIVERED"
    SETTLING = "SETTLING"
    RELEASED = "RELEASED"
    REFUNDED = "REFUNDED"
    CANCELLED = "CANCELLED"


class Account(StrEnum):
    """The ledger's accounts: BUYER, SELLER, FEES, BANK and LOSS lie outside, HELD and SURPLUS are ours (section 10)."""

    BUYER = "BUYER"
    SELLER = "SELLER"
    FEES = "FEES"
    BANK = "BANK"
    LOSS = "LOSS"
    HELD = "HELD"
    SURPLUS = "SURPLUS"


class Escrow(HasUlid, Root, discriminator="Escrow"):
    """The trade's money and its deadlines. Amounts in cents; the totals change only together with a ledger line."""

    id = UnicodeAttribute()
    contract_id = UnicodeAttribute()
    offer_id = UnicodeAttribute()
    listing_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    seller_id = UnicodeAttribute()
    buyer_roblox_id = UnicodeAttribute()
    seller_roblox_id = UnicodeAttribute()
    asset_type = EnumAttribute(AssetType)
    asset_id = UnicodeAttribute()
    rail = EnumAttribute(RailName)
    currency = EnumAttribute(Currency)
    amount = IntegerAttribute()
    buyer_fee_bps = IntegerAttribute()
    seller_fee_bps = IntegerAttribute()
    gross = IntegerAttribute()
    deliver_seconds = IntegerAttribute()
    inspect_seconds = IntegerAttribute()
    parts = IntegerAttribute(default=1)  # in how many the price is delivered and released
    payout_account_id = UnicodeAttribute(null=True)

    status = EnumAttribute(EscrowStatus, default=EscrowStatus.AWAIT_FUNDS)
    reason = UnicodeAttribute(null=True)
    holds = TextSetAttribute()
    hold_causes = TextSetAttribute()  # why RISK_REVIEW or SANCTIONS stands ("review:prv_1"): it goes with its last one
    settlement_id = UnicodeAttribute(null=True)
    funding_run = IntegerAttribute(default=1)
    funding_closed = BooleanAttribute(default=False)  # the rail can take no more money: a CANCELLED escrow waits for it

    deposited = IntegerAttribute(default=0)
    held = IntegerAttribute(default=0)
    released = IntegerAttribute(default=0)
    refunded = IntegerAttribute(default=0)
    fees = IntegerAttribute(default=0)
    surplus = IntegerAttribute(default=0)
    quarantined = IntegerAttribute(default=0)  # of `surplus`: small money of doubtful strangers, in no return
    gone = IntegerAttribute(default=0)  # of `amount`: what his bank or a refund by hand gave the buyer, and it went on
    ledger_seq = IntegerAttribute(default=0)
    seller_share = IntegerAttribute(default=0)  # of `amount`, settled so far, before fees

    fund_by = TimeAttribute()
    fund_extended = BooleanAttribute(default=False)
    extended: Any = JSONAttribute(default=dict)  # {"deliver_by": seconds}: by how much its party has moved a deadline
    deliver_by = TimeAttribute(null=True)
    inspect_by = TimeAttribute(null=True)
    asset_in_turn = BooleanAttribute(default=True)  # whether what is delivered next, or is inspected, is the asset
    frozen_causes = TextSetAttribute()
    frozen_at = TimeAttribute(null=True)
    frozen_from = UnicodeAttribute(null=True)
    postpone_at = TimeAttribute(null=True)  # on chain, when held money has the term postponed; none once it was
    owner_seen: Any = JSONAttribute(
        null=True
    )  # the last look at a deadline: {"who": SELLER|BUYER|NOBODY|OTHER, "at": iso}
    unknown_since = TimeAttribute(null=True)
    warned_at = TimeAttribute(null=True)
    reminded_of = TimeAttribute(null=True)  # the last deadline that its party was reminded of
    next_look = TimeAttribute(null=True)
    looks = IntegerAttribute(default=0)
    held_days_told = IntegerAttribute(default=0)  # the last age of held money that was alarmed
    paid_at = TimeAttribute(null=True)  # by card, as Stripe dates it: a hold may come between it and the next
    funded_at = TimeAttribute(null=True)
    delivered_at = TimeAttribute(null=True)  # when the asset was handed over
    at_buyer_at = TimeAttribute(null=True)  # when a fresh look first showed it at the buyer: kept, whatever follows
    ended_at = TimeAttribute(null=True)
    created_at = TimeAttribute()

    @property
    def inspecting(self) -> bool:
        """Whether the buyer's answer is waited for: to all of it, or to a milestone of which more are to come."""
        part = self.parts > 1 and self.status is EscrowStatus.FUNDS_HELD and self.inspect_by is not None
        return part or self.status is EscrowStatus.DELIVERED

    @property
    def money(self) -> str | None:
        """The shelf on which reconcile_money finds it: of the escrows in which money lies, or, where there was any, of
        the day on which it ended."""
        if self.held or self.surplus:
            return f"MONEY#{self.rail}"
        return f"ENDED#{self.ended_at.date()}" if self.ended_at and self.ledger_seq else None


class EscrowRow(Entity):
    """A row of an escrow's partition."""

    escrow_id = UnicodeAttribute()

    @property
    def escrow_ulid(self) -> str:
        return ulid_of(self.escrow_id)


class RailRow(EscrowRow):
    """What an escrow's rail keeps of its payment; each rail has its own kind. The task token is never shown."""

    external_id = UnicodeAttribute(null=True)  # where the buyer pays, once opened: PaymentIntent, vault (lower case)
    decline_code = UnicodeAttribute(null=True)  # why the last try to pay was refused
    task_token = UnicodeAttribute(null=True)
    opened_at = TimeAttribute(null=True)


class StripeEscrow(RailRow, discriminator="StripeEscrow"):
    """The card rail's data. The client secret is never stored."""

    customer_id = UnicodeAttribute(null=True)
    charge_id = UnicodeAttribute(null=True)


class StablecoinEscrow(RailRow, discriminator="StablecoinEscrow"):
    """The USDC rail's data: the vault's frozen terms and, once opened, its address (rail-usdc.md)."""

    terms: Any = JSONAttribute()  # as the signed contract prints them: contract.terms["vault"]
    units = IntegerAttribute(
        default=0
    )  # all that arrived up to the cursor, in base units, with what made no whole cent
    cursor: Any = JSONAttribute(null=True)  # how far the chain was searched for deposits, as the rail says
    reclaims_cursor: Any = JSONAttribute(null=True)  # and for what was taken back after the term
    postponed = BooleanAttribute(default=False)
    next_look = TimeAttribute(null=True)  # poll_chain's; none once the vault is closed


class Delivery(EscrowRow, discriminator="Delivery"):
    """The hand-over of the asset, or of what one milestone promises: `n` is the milestone's."""

    id = UnicodeAttribute()
    n = IntegerAttribute(default=0)
    milestone_id = UnicodeAttribute(null=True)
    status = EnumAttribute(DeliveryStatus, default=DeliveryStatus.PENDING)
    description = UnicodeAttribute(null=True)
    verification = UnicodeAttribute(null=True)  # VERIFIED, NOT_APPLICABLE
    snapshot_id = UnicodeAttribute(null=True)
    confirmed_by = UnicodeAttribute(null=True)  # BUYER, SYSTEM
    started_at = TimeAttribute(null=True)
    delivered_at = TimeAttribute(null=True)
    confirmed_at = TimeAttribute(null=True)


class Milestone(EscrowRow, discriminator="Milestone"):
    """A part of the price that is released on its own; `amount` in cents, before fees. The numbers begin with 0."""

    id = UnicodeAttribute()
    n = IntegerAttribute()
    title = UnicodeAttribute()
    amount = IntegerAttribute()
    transfers_asset = BooleanAttribute(default=False)  # of one of them alone: what it promises, Roblox shows
    status = EnumAttribute(MilestoneStatus, default=MilestoneStatus.AWAIT_FUNDS)
    released_at = TimeAttribute(null=True)


class AssetWatch(EscrowRow, discriminator="AssetWatch"):
    """When an escrow's asset is looked at next, and what the last looks showed (domain.watches). It decides nothing:
    each move asks Roblox anew."""

    seen = UnicodeAttribute(null=True)  # whose it was at the last look that was answered: dossier.Owner
    seen_at = TimeAttribute(null=True)  # since when, without another owner between
    answered_at = TimeAttribute(null=True)  # when a look was last answered
    unknown_since = TimeAttribute(null=True)  # while no look is answered
    looks = IntegerAttribute(default=0)  # in vain, in a row
    asked_at = TimeAttribute(null=True)  # when a party last had Roblox asked
    next_look = TimeAttribute(null=True)


class Evidence(EscrowRow, discriminator="Evidence"):
    """A file a party filed, addressed by its sha256; the bytes lie in S3. A claim without a file has no content
    type."""

    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    sha256 = UnicodeAttribute(null=True)
    content_type = UnicodeAttribute(null=True)
    size_bytes = IntegerAttribute(null=True)
    note = UnicodeAttribute(null=True)
    at = TimeAttribute()


class Deposit(EscrowRow, discriminator="Deposit"):
    """Money that came in, once per `ref` (the provider's id of the charge)."""

    ref = UnicodeAttribute()
    amount = IntegerAttribute()
    currency = EnumAttribute(Currency)
    units = IntegerAttribute(null=True)  # on chain, exactly: `amount` is in whole cents
    sender = UnicodeAttribute(null=True)
    screening: Any = JSONAttribute(null=True)  # evidence: {"risk", "source", "version", "at"}
    late = BooleanAttribute(default=False)
    quarantined = BooleanAttribute(default=False)  # set aside: it counts for nothing and goes back to nobody
    bundle = BooleanAttribute(default=False)  # small ones are added to it: `ref` is the first, `at` the last of them
    external_ids: Any = JSONAttribute(default=dict)  # {"paymentIntent", "charge"}
    at = TimeAttribute()
    gone_at = TimeAttribute(null=True)  # when the escrow was held because the chain has it no longer


class TxStatus(StrEnum):
    RESERVED = "RESERVED"
    SIGNED = "SIGNED"
    SENT = "SENT"
    MINED = "MINED"
    FINAL = "FINAL"
    REVERTED = "REVERTED"
    CANCELLED = "CANCELLED"


class ChainTx(Entity, discriminator="ChainTx"):
    """One action on chain and every attempt to get it mined, all at one nonce (rail-usdc.md, Sending)."""

    escrow_id = UnicodeAttribute()
    action = UnicodeAttribute()  # the index of a settlement's call ("66"), or "postpone"
    leg_attempt = IntegerAttribute(default=1)  # whose it is: after one that was undone, the next has its own nonce
    chain_id = IntegerAttribute()
    signer = UnicodeAttribute()
    nonce = IntegerAttribute()
    to = UnicodeAttribute()
    data = UnicodeAttribute()  # call data, hex
    gas = IntegerAttribute()
    status = EnumAttribute(TxStatus, default=TxStatus.RESERVED)
    attempts: Any = JSONAttribute(default=list)  # [{"hash", "raw", "cap", "tip", "at", "cancel"}], the newest last
    mined_hash = UnicodeAttribute(null=True)
    mined_block = IntegerAttribute(null=True)
    error = UnicodeAttribute(null=True)
    next_look = TimeAttribute(null=True)
    created_at = TimeAttribute()

    @property
    def escrow_ulid(self) -> str:
        return ulid_of(self.escrow_id)


class SignerNonce(Entity, discriminator="SignerNonce"):
    """The next nonce of a signer on a chain: one conditional write hands out each number once."""

    chain_id = IntegerAttribute()
    signer = UnicodeAttribute()
    next = IntegerAttribute(null=True)  # None: the chain is asked


class LedgerLine(EscrowRow, discriminator="LedgerLine"):
    """One double entry, never changed: `amount` cents from `debit` to `credit`."""

    seq = IntegerAttribute()
    debit = EnumAttribute(Account)
    credit = EnumAttribute(Account)
    amount = IntegerAttribute()
    currency = EnumAttribute(Currency)
    leg_id = UnicodeAttribute(null=True)
    deposit_ref = UnicodeAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    memo = UnicodeAttribute()
    at = TimeAttribute()
