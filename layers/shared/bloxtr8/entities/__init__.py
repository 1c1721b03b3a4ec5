"""Every entity, imported here: pynamodb drops rows without an error whose class was never imported."""

from bloxtr8.entities.base import Entity, Root
from bloxtr8.entities.chargeback import Chargeback, ChargebackStatus
from bloxtr8.entities.deal import Contract, ContractStatus, Signature, SignMethod
from bloxtr8.entities.escrow import (
    Account,
    ChainTx,
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
    RailRow,
    Settlement,
    SettlementKind,
    SettlementStatus,
    SignerNonce,
    StablecoinEscrow,
    StripeEscrow,
    TxStatus,
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
from bloxtr8.entities.people import (
    Deals,
    Identity,
    OAuthState,
    PlatformRole,
    Session,
    SignToken,
    Tier,
    User,
    WalletNonce,
)
from bloxtr8.entities.record import AuditEntry, Idempotency, Lookup, Operation, WebhookEvent, WebhookStatus

__all__ = [
    "Account", "AssetGuard", "AssetType", "AuditEntry", "Chain", "ChainTx", "Chargeback", "ChargebackStatus",
    "Contract", "ContractStatus", "Currency", "Deals", "Delivery", "DeliveryStatus", "Deposit", "Dispute",
    "DisputeStatus", "Entity", "Escrow", "EscrowStatus", "Evidence", "Freeze", "Hold", "Idempotency", "Identity",
    "LedgerLine", "Leg", "LegStatus", "Listing", "ListingStatus", "Lookup", "OAuthState", "Offer", "OfferStatus",
    "Operation", "PRICE_BANDS", "PlatformRole", "RailName", "RailRow", "Root", "Session", "Settlement",
    "SettlementKind", "SettlementStatus", "Side", "SignMethod", "SignToken", "Signature", "SignerNonce", "Snapshot",
    "StablecoinEscrow", "StripeEscrow", "Tier", "TxStatus", "User", "Visibility", "WalletNonce", "WebhookEvent",
    "WebhookStatus", "price_band",
]  # fmt: skip
