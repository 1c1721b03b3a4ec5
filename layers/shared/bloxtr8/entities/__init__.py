"""Every entity, imported here: pynamodb drops rows without an error whose class was never imported."""

from bloxtr8.entities.base import Entity, Root
from bloxtr8.entities.chargeback import Chargeback, ChargebackStatus
from bloxtr8.entities.compliance import Decision, DecisionStatus, HoldDecision
from bloxtr8.entities.deal import Contract, ContractStatus, Signature, SignMethod
from bloxtr8.entities.dispute import Dispute, DisputeMessage, DisputeStatus
from bloxtr8.entities.escrow import (
    Account,
    AssetWatch,
    ChainTx,
    Delivery,
    DeliveryStatus,
    Deposit,
    Escrow,
    EscrowStatus,
    Evidence,
    Freeze,
    Hold,
    LedgerLine,
    Milestone,
    MilestoneStatus,
    RailName,
    RailRow,
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
from bloxtr8.entities.record import (
    AuditEntry,
    Idempotency,
    Lookup,
    Operation,
    Place,
    Reconciliation,
    WebhookEvent,
    WebhookStatus,
)
from bloxtr8.entities.settlement import (
    MANUAL,
    Leg,
    LegStatus,
    ManualPayment,
    ManualPaymentStatus,
    ProposalStatus,
    Settlement,
    SettlementKind,
    SettlementProposal,
    SettlementStatus,
)

__all__ = [
    "Account", "AssetGuard", "AssetType", "AssetWatch", "AuditEntry", "Chain", "ChainTx", "Chargeback",
    "ChargebackStatus", "Contract", "ContractStatus", "Currency", "Deals", "Decision", "DecisionStatus", "Delivery",
    "DeliveryStatus", "Deposit", "Dispute", "DisputeMessage", "DisputeStatus", "Entity", "Escrow", "EscrowStatus",
    "Evidence", "Freeze", "Hold", "HoldDecision", "Idempotency", "Identity", "LedgerLine", "Leg", "LegStatus",
    "Listing", "ListingStatus", "Lookup", "MANUAL", "ManualPayment", "ManualPaymentStatus", "Milestone",
    "MilestoneStatus", "OAuthState", "Offer", "OfferStatus", "Operation", "PRICE_BANDS", "Place", "PlatformRole",
    "ProposalStatus", "RailName", "RailRow", "Reconciliation", "Root", "Session", "Settlement", "SettlementKind",
    "SettlementProposal", "SettlementStatus", "Side", "SignMethod", "SignToken", "Signature", "SignerNonce", "Snapshot",
    "StablecoinEscrow", "StripeEscrow", "Tier", "TxStatus", "User", "Visibility", "WalletNonce", "WebhookEvent",
    "WebhookStatus", "price_band",
]  # fmt: skip
