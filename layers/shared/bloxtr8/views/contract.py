"""The contract as its parties and an arbiter see it."""

import datetime as dt
from typing import Any, Self

from bloxtr8 import clock
from bloxtr8.actors import Actor
from bloxtr8.domain import contracts
from bloxtr8.domain.contracts import ContractFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Contract, ContractStatus
from bloxtr8.shapes import Moment, View


class SignatureView(View):
    user_id: str
    side: str
    sha256: str
    method: str
    at: Moment


class ContractSummary(View):
    """A line of a list."""

    id: str
    offer_id: str
    listing_id: str
    buyer_id: str
    seller_id: str
    status: str
    sha256: str | None
    sign_by: Moment
    escrow_id: str | None
    created_at: Moment
    version: int

    @classmethod
    def summary(cls, contract: Contract) -> Self:
        return cls(**_fields(contract))


class ContractView(ContractSummary):
    """`terms` are what the document says, camelCase, amounts in cents; the seller's payout account is the seller's
    alone."""

    reason: str | None
    terms: dict[str, Any]
    signatures: list[SignatureView]
    allowed_actions: list[str]

    @classmethod
    def of(cls, file: ContractFile, actor: Actor) -> Self:
        """The view for `actor`; who may see it was decided before."""
        contract, role = file.contract, contracts.role_of(file.contract, actor)
        return cls(
            **_fields(contract),
            reason=contract.reason,
            terms=_terms(contract, role),
            signatures=[SignatureView.model_validate(row) for row in file.signatures],
            allowed_actions=contracts.allowed_actions(contract, role, actor, clock.now()),
        )


class SignedView(View):
    """A signature was taken; with the second one there is an escrow."""

    contract_id: str
    status: str
    signed_at: Moment
    escrow_id: str | None

    @classmethod
    def of(cls, contract: Contract, at: dt.datetime) -> Self:
        return cls(contract_id=contract.id, status=str(contract.status), signed_at=at, escrow_id=_escrow_id(contract))


def _fields(contract: Contract) -> dict[str, Any]:
    names = ("id", "offer_id", "listing_id", "buyer_id", "seller_id", "sha256", "sign_by", "created_at", "version")
    plain = {name: getattr(contract, name) for name in names}
    return plain | {"status": str(contract.status), "escrow_id": _escrow_id(contract)}


def _escrow_id(contract: Contract) -> str | None:
    return contract.escrow_id if contract.status is ContractStatus.EXECUTED else None


def _terms(contract: Contract, role: Role) -> dict[str, Any]:
    terms: dict[str, Any] = dict(contract.terms)
    if role is not Role.SELLER:
        terms["seller"] = {key: value for key, value in terms["seller"].items() if key != "payoutAccountId"}
    return terms
