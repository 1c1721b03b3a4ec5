"""The escrow as its parties and staff see it: no task token, no client secret, nothing of the other side's account."""

import datetime as dt
from collections.abc import Collection
from typing import Self

from bloxtr8 import addresses, clock, money
from bloxtr8.domain import escrow_moves
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.manual_payments import Asker
from bloxtr8.entities import Delivery, Escrow, StablecoinEscrow
from bloxtr8.shapes import Moment, View
from bloxtr8.views.compliance import ComplianceView
from bloxtr8.views.manual_payment import RefusalsView
from bloxtr8.views.settlement_proposal import ProposalView


class Totals(View):
    """Cents. `amount` is the price that was agreed; the fees are those of the whole price, as in the contract."""

    amount: int
    buyer_fee: int
    seller_fee: int
    deposited: int
    held: int
    released: int
    refunded: int


class MilestoneView(View):
    """A part of the price, in the order in which they have their turn."""

    id: str
    title: str
    amount_cents: int
    transfers_asset: bool
    status: str
    delivery_id: str
    released_at: Moment | None
    allowed_actions: list[str]


class DeliveryView(View):
    id: str
    milestone_id: str | None
    status: str
    description: str | None
    verification: str | None
    snapshot_id: str | None
    started_at: Moment | None
    delivered_at: Moment | None
    confirmed_at: Moment | None


class SettlementView(View):
    id: str
    kind: str
    milestone_id: str | None
    status: str
    to_seller: int
    to_platform: int
    to_buyer: int
    reason: str | None
    error: str | None
    created_at: Moment
    finished_at: Moment | None


class DisputeView(View):
    id: str
    status: str
    reason_code: str
    outcome: str | None
    created_at: Moment


class ChargebackView(View):
    """What the buyer's bank did, in cents; `inquiry`: it only asks. Why, and whose card it was, is nobody's to read."""

    id: str
    status: str
    amount: int
    inquiry: bool
    opened_at: Moment
    closed_at: Moment | None


class EvidenceView(View):
    id: str
    user_id: str
    sha256: str | None
    content_type: str | None
    size_bytes: int | None
    note: str | None
    at: Moment


class RailView(View):
    """What a party may know of the payment; `decline_code` is the buyer's alone."""

    name: str
    payment_id: str | None
    decline_code: str | None


class DepositView(View):
    """What came to the vault, at the finality that counts; `amount` in cents. `quarantined`: small money of a stranger
    whose wallet is doubtful; it counts for nothing, and is the buyer's after the vault's term."""

    ref: str
    amount: int
    units: int | None
    late: bool
    quarantined: bool
    at: Moment


class VaultView(RailView):
    """The same on chain, where everything is public: the vault as the contract prints it, and what has come to it."""

    chain_id: int
    token: str
    deposit_addr: str | None
    amount_units: int
    received_units: int
    reclaim_after: Moment
    deposits: list[DepositView]


class EscrowSummary(View):
    """A line of a list."""

    id: str
    contract_id: str
    listing_id: str
    buyer_id: str
    seller_id: str
    status: str
    rail: str
    currency: str
    amount: int
    created_at: Moment
    version: int


class EscrowView(EscrowSummary):
    """Everything of one escrow. `clocks_frozen` means that no deadline passes now; `proposal` is the last one,
    `compliance` is for its people alone, `refusals` for administrators. Each of its parts that has moves of its own
    lists them itself."""

    reason: str | None
    holds: list[str]
    money: Totals
    rail_data: RailView | VaultView
    milestones: list[MilestoneView]
    deliveries: list[DeliveryView]
    settlements: list[SettlementView]
    evidence: list[EvidenceView]
    proposal: ProposalView | None
    dispute: DisputeView | None
    chargebacks: list[ChargebackView]
    fund_by: Moment
    deliver_by: Moment | None
    inspect_by: Moment | None
    clocks_frozen: bool
    settlement_id: str | None
    ended_at: Moment | None
    allowed_actions: list[str]
    compliance: ComplianceView | None
    refusals: RefusalsView | None

    @classmethod
    def of(cls, file: EscrowFile, roles: Collection[Role], asker: Asker | None = None) -> Self:
        """The view for someone in these roles; who may see it was decided before. `asker`: he is an administrator."""
        escrow, now = file.escrow, clock.now()
        allowed = escrow_moves.allowed_actions(file, roles, now)
        return cls(
            **EscrowSummary.model_validate(escrow).model_dump(),
            reason=escrow.reason,
            holds=sorted(escrow.holds),
            money=_totals(escrow),
            rail_data=_rail(file, buyers=Role.BUYER in roles),
            milestones=_milestones(file, roles, allowed),
            deliveries=[DeliveryView.model_validate(row) for row in file.deliveries],
            settlements=[SettlementView.model_validate(row) for row in file.settlements],
            evidence=[EvidenceView.model_validate(row) for row in file.evidence],
            proposal=ProposalView.of(file, file.proposals[-1], roles) if file.proposals else None,
            dispute=DisputeView.model_validate(file.disputes[-1]) if file.disputes else None,
            chargebacks=[ChargebackView.model_validate(row) for row in file.chargebacks],
            fund_by=escrow.fund_by,
            deliver_by=escrow.deliver_by,
            inspect_by=escrow.inspect_by,
            clocks_frozen=bool(escrow.frozen_causes),
            settlement_id=escrow.settlement_id,
            ended_at=escrow.ended_at,
            allowed_actions=allowed,
            compliance=ComplianceView.of(file, now) if Role.COMPLIANCE in roles else None,
            refusals=RefusalsView.of(file, asker) if asker else None,
        )


class Started(View):
    """202: the money moves on its own from here; the escrow is settling, unless it was for a milestone of several."""

    status: str
    settlement_id: str

    @classmethod
    def of(cls, file: EscrowFile) -> Self:
        return cls(status=str(file.escrow.status), settlement_id=str(file.escrow.settlement_id))


class DeliveryAnswer(View):
    """A delivery, and when the buyer's time to inspect ends."""

    delivery: DeliveryView
    status: str
    verification: str | None
    inspection_ends_at: Moment | None

    @classmethod
    def of(cls, delivery: Delivery, escrow: Escrow) -> Self:
        return cls(
            delivery=DeliveryView.model_validate(delivery),
            status=str(delivery.status),
            verification=delivery.verification,
            inspection_ends_at=escrow.inspect_by,
        )


def _milestones(file: EscrowFile, roles: Collection[Role], allowed: list[str]) -> list[MilestoneView]:
    delivery_ids = {row.n: row.id for row in file.deliveries}
    return [
        MilestoneView(
            id=row.id,
            title=row.title,
            amount_cents=row.amount,
            transfers_asset=row.transfers_asset,
            status=str(row.status),
            delivery_id=delivery_ids[row.n],
            released_at=row.released_at,
            allowed_actions=escrow_moves.allowed_of_milestone(file, row, roles, allowed),
        )
        for row in file.milestones
    ]


def _totals(escrow: Escrow) -> Totals:
    return Totals(
        amount=escrow.amount,
        buyer_fee=escrow.gross - escrow.amount,
        seller_fee=money.fee(escrow.amount, escrow.seller_fee_bps),
        deposited=escrow.deposited,
        held=escrow.held,
        released=escrow.released,
        refunded=escrow.refunded,
    )


def _rail(file: EscrowFile, *, buyers: bool) -> RailView:
    rail = file.rail
    if isinstance(rail, StablecoinEscrow):
        return _vault(file, rail)
    return RailView(
        name=str(file.escrow.rail),
        payment_id=rail.external_id if buyers else None,
        decline_code=rail.decline_code if buyers else None,
    )


def _vault(file: EscrowFile, rail: StablecoinEscrow) -> VaultView:
    terms, address = rail.terms, addresses.checksum(rail.external_id) if rail.external_id else None
    return VaultView(
        name=str(file.escrow.rail),
        payment_id=address,
        decline_code=None,
        chain_id=terms["chainId"],
        token=addresses.checksum(terms["token"]),
        deposit_addr=address,
        amount_units=terms["amount"],
        received_units=rail.units,
        reclaim_after=dt.datetime.fromtimestamp(terms["reclaimAfter"], dt.UTC),
        deposits=[DepositView.model_validate(row) for row in file.deposits],
    )
