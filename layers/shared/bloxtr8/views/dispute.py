"""A dispute as its parties and the staff see it: what was said, what was filed, and what the facts suggest."""

from collections.abc import Callable, Collection
from typing import Self

from bloxtr8 import clock
from bloxtr8.domain import disputes
from bloxtr8.domain.dossier import Dossier
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Dispute, DisputeMessage, Evidence
from bloxtr8.shapes import Moment, View
from bloxtr8.views.audit import EntryView, PathView
from bloxtr8.views.contract import SignatureView
from bloxtr8.views.escrow import EvidenceView


class DisputeSummary(View):
    """A line of the arbiters' list."""

    id: str
    escrow_id: str
    status: str
    opened_by: str
    reason_code: str
    title: str | None
    assignee_id: str | None
    respond_by: Moment
    escalated_at: Moment | None
    created_at: Moment
    version: int


class DisputeDetail(DisputeSummary):
    """A dispute. Amounts in cents, of what remained, before fees. `answered`: another party than the opener has said
    something; `respondBy` decides nothing."""

    opener_id: str
    delivery_id: str | None
    description: str | None
    evidence_ids: list[str]
    answered: bool
    overdue: bool
    assigned_at: Moment | None
    decision: str | None
    seller_amount: int | None
    buyer_amount: int | None
    resolution: str | None
    resolved_at: Moment | None
    settlement_id: str | None
    outcome: str | None
    closed_at: Moment | None
    allowed_actions: list[str]

    @classmethod
    def of(cls, file: EscrowFile, dispute: Dispute, roles: Collection[Role], actor_id: str) -> Self:
        """The view for someone in these roles; who may see it was decided before."""
        plain = cls.model_fields.keys() - {"answered", "overdue", "allowed_actions"}
        answered = bool(dispute.posted.keys() & {file.escrow.buyer_id, file.escrow.seller_id} - {dispute.opener_id})
        now = clock.now()
        late = dispute.status in disputes.LIVE and dispute.respond_by <= now
        return cls(
            **{name: getattr(dispute, name) for name in plain},
            answered=answered,
            overdue=late and not answered,
            allowed_actions=disputes.allowed_actions(file, dispute, roles, actor_id, now),
        )


class MessageView(View):
    """`intact`: the text is the one whose hash the audit entry keeps."""

    id: str
    author_id: str
    role: str
    text: str
    evidence_ids: list[str]
    at: Moment
    intact: bool

    @classmethod
    def of(cls, row: DisputeMessage, *, intact: bool = True) -> Self:
        plain = cls.model_fields.keys() - {"intact"}
        return cls(**{name: getattr(row, name) for name in plain}, intact=intact)


class Piece(EvidenceView):
    """`state`: STORED is the file that was named, CHANGED another one, MISSING never came, UNKNOWN could not be asked,
    NONE is a claim without a file. `url` reads it for five minutes."""

    state: str
    url: str | None


class FiledOwner(View):
    who: str
    roblox_id: str | None
    snapshot_id: str | None
    at: Moment | None


class FiledMoney(View):
    amount: int
    gross: int
    deposited: int
    held: int
    released: int
    refunded: int


class FiledDeposit(View):
    amount: int
    late: bool
    at: Moment


class FiledSettlement(View):
    id: str
    kind: str
    status: str
    to_seller: int
    to_buyer: int


class FiledDelivery(View):
    id: str
    status: str
    verification: str | None
    snapshot_id: str | None
    started_at: Moment | None
    delivered_at: Moment | None


class FiledDeadlines(View):
    fund_by: Moment
    deliver_by: Moment | None
    inspect_by: Moment | None


class Filed(View):
    """What was so when the dispute was opened. `owner.who`: BUYER, SELLER, OTHER, NOBODY, or UNKNOWN where Roblox did
    not answer."""

    at: Moment
    status: str
    owner: FiledOwner
    money: FiledMoney
    deposits: list[FiledDeposit]
    settlements: list[FiledSettlement]
    delivery: FiledDelivery
    deadlines: FiledDeadlines


class OwnerSpan(View):
    """Looks in a row on which the asset had one owner."""

    who: str
    owner_id: str | None
    owner_name: str | None
    first_at: Moment
    last_at: Moment
    snapshot_id: str
    looks: int


class SuggestionView(View):
    """RELEASE or REFUND where the facts are clear. An arbiter decides."""

    outcome: str | None
    reasons: list[str]


class Facts(View):
    """`atBuyerAt`: when a fresh look first showed the asset at the buyer. `owners` are those of the newest looks."""

    filed: Filed | None
    contract_id: str
    contract_sha256: str | None
    signatures: list[SignatureView]
    at_buyer_at: Moment | None
    owners: list[OwnerSpan]
    suggestion: SuggestionView


class DisputeFileView(View):
    """The whole file. `intact`: the claim's text is the one that was filed, and the decision the one that was made."""

    dispute: DisputeDetail
    intact: bool
    messages: list[MessageView]
    evidence: list[Piece]
    facts: Facts
    audit: PathView

    @classmethod
    def of(
        cls,
        file: EscrowFile,
        detail: DisputeDetail,
        facts: Dossier,
        look_up: Callable[[Evidence], tuple[str, str | None]],
    ) -> Self:
        """`look_up` gives a piece's state and its link."""
        return cls(
            dispute=detail,
            intact=detail.id not in facts.altered,
            messages=[MessageView.of(row, intact=row.id not in facts.altered) for row in facts.messages],
            evidence=[_piece(row, *look_up(row)) for row in file.evidence],
            facts=_facts(file, detail, facts),
            audit=PathView(
                count=facts.path.entries,
                verified=facts.path.verified,
                items=[EntryView.model_validate(entry) for entry in facts.path.newest],
            ),
        )


def _piece(row: Evidence, state: str, url: str | None) -> Piece:
    return Piece(**EvidenceView.model_validate(row).model_dump(), state=state, url=url)


def _facts(file: EscrowFile, detail: DisputeDetail, facts: Dossier) -> Facts:
    filed = disputes.find(file, detail.id).facts
    return Facts(
        filed=Filed.model_validate(filed) if filed else None,
        contract_id=facts.contract.id,
        contract_sha256=facts.contract.sha256,
        signatures=[SignatureView.model_validate(row) for row in facts.signatures],
        at_buyer_at=file.escrow.at_buyer_at,
        owners=[OwnerSpan.model_validate(row) for row in facts.owners],
        suggestion=SuggestionView.model_validate(facts.suggestion),
    )
