"""What COMPLIANCE sees of an escrow: what was found, what was decided about it, and what can be decided now."""

import datetime as dt
from collections.abc import Collection
from typing import Any, Self

from bloxtr8.domain import compliance, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import DecisionStatus, Hold, HoldDecision
from bloxtr8.shapes import Moment, View


class FindingView(View):
    """Why a hold stands, or why a return is parked. By card `wallet` and what follows it is None: `cause` names the
    review, the warning or the refund at the provider. `amount` is in cents, of the deposit or the payout that `cause`
    names; `at` is when the wallet was screened, `silentSince` since when no source has answered about it.
    Of a rollback the last three: whose the asset was seen to be, from when on, and when the buyer was first seen with
    it."""

    hold: str
    cause: str
    wallet: str | None
    amount: int | None
    risk: str | None
    source: str | None
    version: str | None
    at: str | None
    silent_since: str | None
    owner: str | None
    owner_since: str | None
    at_buyer_at: str | None


class SenderView(View):
    """Who sent a deposit, and what was found about the wallet."""

    ref: str
    amount: int
    late: bool
    quarantined: bool
    sender: str | None
    screening: dict[str, Any] | None
    at: Moment


class PersonView(View):
    id: str
    reason: str
    at: str


class DecisionView(View):
    """OPEN while the second person is awaited, until `expiresAt`; DROPPED where something else was decided first."""

    id: str
    hold: str
    decision: str
    status: str
    people: list[PersonView]
    covers: list[str]
    created_at: Moment
    expires_at: Moment
    decided_at: Moment | None

    @classmethod
    def of(cls, row: HoldDecision) -> Self:
        return cls(
            id=row.id,
            hold=str(row.hold),
            decision=str(row.decision),
            status=str(row.status),
            people=[PersonView(**person) for person in row.people],
            covers=sorted(row.covers),
            created_at=row.created_at,
            expires_at=row.expires_at,
            decided_at=row.decided_at,
        )


class OptionView(View):
    hold: str
    decision: str


class ComplianceView(View):
    """`neededVotes`: how many different people have to agree."""

    findings: list[FindingView]
    deposits: list[SenderView]
    decisions: list[DecisionView]
    options: list[OptionView]
    needed_votes: int

    @classmethod
    def of(cls, file: EscrowFile, now: dt.datetime) -> Self:
        return cls(
            findings=[
                _finding(hold, cause, facts)
                for hold in (Hold.SANCTIONS, Hold.RISK_REVIEW)
                for cause, facts in compliance.standing(file, hold, now).items()
            ],
            deposits=[SenderView.model_validate(row) for row in file.deposits],
            decisions=[DecisionView.of(row) for row in file.decisions],
            options=[OptionView(hold=str(o.hold), decision=str(o.decision)) for o in compliance.options(file, now)],
            needed_votes=compliance.needed(file.escrow),
        )


def _finding(hold: Hold, cause: str, facts: dict[str, Any]) -> FindingView:
    names = ("wallet", "amount", "risk", "source", "version", "at")
    known = {name: facts.get(name) for name in names}
    return FindingView(
        hold=str(hold),
        cause=cause,
        silent_since=facts.get(wallet_risk.SILENT),
        owner=facts.get("owner"),
        owner_since=facts.get("ownerSince"),
        at_buyer_at=facts.get("atBuyerAt"),
        **known,
    )


class HoldDecided(View):
    """202: `votes` of `neededVotes` agree; `decided` where that is enough, and then it is being carried out."""

    decision_id: str
    votes: int
    needed_votes: int
    decided: bool
    status: str
    holds: list[str]
    settlement_id: str | None
    expires_at: Moment | None

    @classmethod
    def of(cls, file: EscrowFile, row: HoldDecision, eligible: Collection[str]) -> Self:
        decided = row.status is DecisionStatus.DECIDED
        return cls(
            decision_id=row.id,
            votes=compliance.votes(row, eligible),
            needed_votes=compliance.needed(file.escrow),
            decided=decided,
            status=str(file.escrow.status),
            holds=sorted(file.escrow.holds),
            settlement_id=file.escrow.settlement_id,
            expires_at=None if decided else row.expires_at,
        )
