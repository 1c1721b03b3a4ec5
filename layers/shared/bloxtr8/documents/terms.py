"""What a contract is made of: the terms as they were frozen when the offer was accepted (D29)."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from bloxtr8 import clock, money
from bloxtr8.addresses import escrow_key
from bloxtr8.documents.vault_terms import Vault

MAX_MILESTONES = 20  # D22

Word = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Cents = Annotated[int, Field(strict=True, ge=0, le=2 * money.MAX_CENTS)]  # a gross may exceed the largest amount
Bps = Annotated[int, Field(strict=True, ge=0, le=money.BPS)]
Seconds = Annotated[int, Field(strict=True, gt=0)]
Moment = Annotated[str, AfterValidator(lambda text: clock.iso(clock.parse(text)))]


class _Closed(BaseModel):
    """camelCase, nothing unknown: what isn't printed can't be signed."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=False)


class Party(_Closed):
    """One side, by every name it has."""

    user_id: Word
    discord_id: Word
    username: Word
    roblox_id: Word
    roblox_username: Word


class Seller(Party):
    """The side that is paid, and where: by card to this account, in USDC to the wallet of the vault's terms."""

    payout_account_id: Word | None = None


class Snapshot(_Closed):
    """What Roblox showed when the offer was accepted. `owner_id` is a Roblox id; null = Roblox did not say."""

    id: Word
    at: Moment
    owner_id: Word
    owner_name: Word | None
    member_count: Annotated[int, Field(strict=True, ge=0)] | None
    locked: Annotated[bool, Field(strict=True)] | None
    source: Word


class Asset(_Closed):
    """The group, or the game (universe), that is sold (D4)."""

    type: Literal["GROUP", "GAME"]
    id: Word
    name: Word
    snapshot: Snapshot


class Milestone(_Closed):
    """A part of the price that is released on its own; one of them hands the asset over."""

    title: Word
    amount_cents: Cents
    transfers_asset: Annotated[bool, Field(strict=True)] = False


class Windows(_Closed):
    """How long each step may take (D11)."""

    sign_seconds: Seconds
    fund_seconds: Seconds
    deliver_seconds: Seconds
    inspect_seconds: Seconds


class Terms(_Closed):
    """The whole agreement. Amounts in cents. Raises ValueError (pydantic's) where the figures contradict each other."""

    contract_id: Word
    escrow_id: Word
    offer_id: Word
    listing_id: Word
    accepted_at: Moment
    sign_by: Moment
    title: Word
    summary: Annotated[str, StringConstraints(max_length=1000)]
    category: Annotated[str, StringConstraints(max_length=100)]
    buyer: Party
    seller: Seller
    asset: Asset
    amount: Cents
    currency: Literal["USD", "USDC"]
    rail: Literal["STRIPE", "USDC_BASE"]
    buyer_fee_bps: Bps
    seller_fee_bps: Bps
    buyer_fee: Cents
    gross: Cents
    seller_fee: Cents
    seller_receives: Cents
    conditions: Annotated[str, StringConstraints(max_length=2000)] | None
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=MAX_MILESTONES)]
    windows: Windows
    vault: Vault | None = None

    @property
    def accepted(self) -> dt.datetime:
        """When the offer was accepted: the document's own date."""
        return clock.parse(self.accepted_at)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.buyer_fee != money.fee(self.amount, self.buyer_fee_bps) or self.gross != self.amount + self.buyer_fee:
            raise ValueError("the buyer's side does not add up")
        if self.seller_fee != money.fee(self.amount, self.seller_fee_bps):
            raise ValueError("the seller's fee is not what its rate says")
        if self.seller_receives != self.amount - self.seller_fee:
            raise ValueError("the seller's side does not add up")
        if self.milestones and sum(part.amount_cents for part in self.milestones) != self.amount:
            raise ValueError("the milestones do not add up to the amount")
        if sum(part.transfers_asset for part in self.milestones) > 1:
            raise ValueError("several milestones hand the asset over")
        return self

    @model_validator(mode="after")
    def _has_its_rails_terms(self) -> Self:
        if self.rail == "STRIPE":
            if self.vault or self.currency != "USD" or not self.seller.payout_account_id:
                raise ValueError("a sale by card is in USD, to a payout account, without a vault")
        elif self.vault is None or self.seller.payout_account_id:
            raise ValueError("a sale in USDC has a vault, and no payout account")
        else:
            self._check_vault(self.vault)
        return self

    def _check_vault(self, vault: Vault) -> None:
        """What the chain enforces is what the parties agreed on."""
        windows = self.windows
        deliveries = max(1, len(self.milestones)) * (windows.deliver_seconds + windows.inspect_seconds)
        allowed = windows.sign_seconds + windows.fund_seconds + deliveries
        if vault.escrow_id != escrow_key(self.escrow_id):
            raise ValueError("the vault is another escrow's")
        if vault.amount != money.units_of(self.gross):
            raise ValueError("the vault's amount is not what the buyer pays")
        if vault.max_fee_bps != self.buyer_fee_bps + self.seller_fee_bps:
            raise ValueError("the vault's fee cap is not the fees' sum")
        if vault.reclaim_after <= self.accepted.timestamp() + allowed:
            raise ValueError("the vault's term ends before the deal's deadlines")
