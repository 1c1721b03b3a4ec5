"""Every entity, imported here: pynamodb drops rows without an error whose class was never imported."""

from bloxtr8.entities.base import Entity, Root
from bloxtr8.entities.deal import Contract, ContractStatus, Signature, SignMethod
from bloxtr8.entities.escrow import (
    Account,
    Delivery,
    DeliveryStatus,
    Deposit,
    Dispute,
    DisputeStatus,
    Escrow,
    EscrowStatus,
    Evidence,
    Freeze,
    Hold,
    LedgerLine,
    Leg,
    LegStatus,
    RailName,
    Settlement,
    SettlementKind,
    SettlementStatus,
    StripeEscrow,
)
from bloxtr8.entities.market import (
    PRICE_BANDS,
    AssetGuard,
    AssetType,
    Chain,
    Currency,
    Listing,
    ListingStatus,
    Offer,
    OfferStatus,
    Side,
    Snapshot,
    Visibility,
    price_band,
)
from bloxtr8.entities.people import Deals, Identity, OAuthState, PlatformRole, Session, SignToken, Tier, User
from bloxtr8.entities.record import AuditEntry, Idempotency, Lookup, Operation, WebhookEvent, WebhookStatus

__all__ = [
    "Account", "AssetGuard", "AssetType", "AuditEntry", "Chain", "Contract", "ContractStatus", "Currency", "Deals",
    "Delivery", "DeliveryStatus", "Deposit", "Dispute", "DisputeStatus", "Entity", "Escrow", "EscrowStatus", "Evidence",
    "Freeze", "Hold", "Idempotency", "Identity", "LedgerLine", "Leg", "LegStatus", "Listing", "ListingStatus", "Lookup",
    "OAuthState", "Offer", "OfferStatus", "Operation", "PRICE_BANDS", "PlatformRole", "RailName", "Root", "Session",
    "Settlement", "SettlementKind", "SettlementStatus", "Side", "SignMethod", "SignToken", "Signature", "Snapshot",
    "StripeEscrow", "Tier", "User", "Visibility", "WebhookEvent", "WebhookStatus", "price_band",
]  # fmt: skip
