"""The whole table on one page (table.md). {name} is a field or a property of the row.

An index entry exists only while all the fields it names have a value, so a row leaves a shelf the moment a property
says None.
"""

from typing import NamedTuple

Pair = tuple[str, str]


class Key(NamedTuple):
    pk: str
    sk: str
    gsi1: Pair | None = None  # first party, owner
    gsi2: Pair | None = None  # second party
    gsi3: Pair | None = None  # work that is due
    gsi4: Pair | None = None  # newest first
    gsi5: Pair | None = None  # by price


KEYS = {
    # people
    "User":         Key("USER#{id}", "PROFILE"),
    "Deals":        Key("USER#{user_id}", "DEALS"),
    "Identity":     Key("IDENT#{provider}#{value}", "IDENT"),
    "Session":      Key("USER#{user_id}", "SESSION#{id}"),
    "OAuthState":   Key("STATE#{state}", "META"),
    "SignToken":    Key("SIGNTOKEN#{token_hash}", "META"),
    "WalletNonce":  Key("NONCE#{nonce}", "META"),
    # market
    "Listing":      Key("LISTING#{id}", "META",
                        gsi1=("USER#{seller_id}#LISTING", "{created_at}#{id}"),
                        gsi3=("DUE#LISTING", "{due}"),
                        gsi4=("{browse}", "{created_at}#{id}"),
                        gsi5=("{browse_band}", "{price:012}#{id}")),
    "AssetGuard":   Key("ASSET#{asset_type}#{asset_id}", "LIVE"),
    "Snapshot":     Key("LISTING#{listing_id}", "SNAP#{at}#{id}"),
    "Offer":        Key("OFFER#{root}", "{depth:02}",
                        gsi1=("USER#{buyer_id}#OFFER", "{created_at}#{id}"),
                        gsi2=("USER#{seller_id}#OFFER", "{created_at}#{id}"),
                        gsi3=("DUE#OFFER", "{due}"),
                        gsi4=("LISTING#{listing_id}#OFFER", "{created_at}#{id}")),
    "Chain":        Key("LISTING#{listing_id}", "CHAIN#{buyer_id}"),
    # deal
    "Contract":     Key("CONTRACT#{ulid}", "META",
                        gsi1=("USER#{buyer_id}#CONTRACT", "{created_at}#{id}"),
                        gsi2=("USER#{seller_id}#CONTRACT", "{created_at}#{id}"),
                        gsi3=("DUE#CONTRACT", "{next_look}")),
    "Signature":    Key("CONTRACT#{contract_ulid}", "SIG#{user_id}"),
    # escrow
    "Escrow":       Key("ESCROW#{ulid}", "META",
                        gsi1=("USER#{buyer_id}#ESCROW", "{created_at}#{id}"),
                        gsi2=("USER#{seller_id}#ESCROW", "{created_at}#{id}"),
                        gsi3=("DUE#ESCROW", "{next_look}"),
                        gsi4=("{money}", "{created_at}#{id}")),
    "StripeEscrow": Key("ESCROW#{escrow_ulid}", "RAIL"),
    "StablecoinEscrow": Key("ESCROW#{escrow_ulid}", "RAIL", gsi3=("DUE#VAULT", "{next_look}")),
    "Delivery":     Key("ESCROW#{escrow_ulid}", "DELIVERY#{n:02}"),
    "Milestone":    Key("ESCROW#{escrow_ulid}", "MILESTONE#{n:02}"),
    "AssetWatch":   Key("ESCROW#{escrow_ulid}", "WATCH", gsi3=("DUE#WATCH", "{next_look}")),
    "Evidence":     Key("ESCROW#{escrow_ulid}", "EVIDENCE#{id}"),
    "Deposit":      Key("ESCROW#{escrow_ulid}", "DEPOSIT#{ref}"),
    "Dispute":      Key("ESCROW#{escrow_ulid}", "DISPUTE#{id}",
                        gsi1=("USER#{opener_id}#DISPUTE", "{created_at}#{id}"),
                        gsi3=("QUEUE#DISPUTE#{status}", "{created_at}#{id}"),
                        gsi4=("{remind}", "{respond_by}#{id}")),
    "DisputeMessage": Key("DISPUTE#{dispute_ulid}", "DMSG#{id}"),
    "Settlement":   Key("ESCROW#{escrow_ulid}", "SETTLEMENT#{id}",
                        gsi3=("DUE#SETTLEMENT", "{next_look}"),
                        gsi4=("{parked}", "{parked_at}#{id}")),
    "SettlementProposal": Key("ESCROW#{escrow_ulid}", "PROPOSAL#{id}", gsi4=("{remind}", "{expires_at}#{id}")),
    "Leg":          Key("ESCROW#{escrow_ulid}", "LEG#{settlement_id}#{n:02}", gsi3=("DUE#LEG", "{next_look}")),
    "ManualPayment": Key("ESCROW#{escrow_ulid}", "MANUAL#{id}"),
    "Chargeback":   Key("ESCROW#{escrow_ulid}", "CHARGEBACK#{id}", gsi3=("DUE#CHARGEBACK", "{next_look}")),
    "LedgerLine":   Key("ESCROW#{escrow_ulid}", "LEDGER#{seq:06}"),
    "HoldDecision": Key("ESCROW#{escrow_ulid}", "DECISION#{id}"),
    # chain
    "ChainTx":      Key("CHAINTX#{escrow_ulid}#{action}", "META", gsi3=("DUE#CHAINTX", "{next_look}")),
    "SignerNonce":  Key("SIGNER#{chain_id}#{signer}", "META"),
    # record
    "Operation":    Key("{owner}", "OP#{name}"),
    "Lookup":       Key("LOOKUP#{index}#{value}", "PTR"),
    "AuditEntry":   Key("AUDIT#{root_id}", "{seq:010}",
                        gsi1=("USER#{actor}#AUDIT", "{at}"),
                        gsi2=("AUDIT#{day}", "{at}#{root_id}#{seq:010}")),
    "WebhookEvent": Key("WEBHOOK#{provider}#{account}#{event_id}", "META", gsi3=("{queue}", "{turn}")),
    "Place":        Key("PLACE#{shelf}", "META"),
    "Reconciliation": Key("RECON#{day}", "META"),
    "Idempotency":  Key("IDEM#{caller}#{action}", "{key}"),
}  # fmt: skip
