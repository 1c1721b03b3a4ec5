"""Contracts: who may sign what until when, and what ends one (states.md, section 3; D11, D17)."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bloxtr8.actors import Actor
from bloxtr8.domain import kyc
from bloxtr8.domain.escrows import repair_delay
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.opening import open_escrow
from bloxtr8.domain.transitions import CONTRACT
from bloxtr8.entities import Contract, ContractStatus, Entity, Side, Signature, SignMethod, User
from bloxtr8.errors import Conflict, Expired, NotFound


@dataclass(slots=True)
class ContractFile:
    """A contract and its signatures: the rows of its partition."""

    contract: Contract
    signatures: list[Signature]

    @classmethod
    def of(cls, rows: Sequence[Entity]) -> "ContractFile | None":
        """None where there is no contract."""
        contract = next((row for row in rows if isinstance(row, Contract)), None)
        if contract is None:
            return None
        return cls(contract, [row for row in rows if isinstance(row, Signature)])


# --- who -------------------------------------------------------------------------------------------------------------


def role_of(contract: Contract, actor: Actor) -> Role:
    """The actor's part in this contract; OUTSIDER for anybody else."""
    if actor.is_system:
        return Role.SYSTEM
    return {contract.buyer_id: Role.BUYER, contract.seller_id: Role.SELLER}.get(actor.id, Role.OUTSIDER)


def party(contract: Contract, actor: Actor) -> Role:
    """The same for a private object: an outsider learns nothing, NotFound."""
    role = role_of(contract, actor)
    if role is Role.OUTSIDER:
        raise NotFound("There is no such contract.")
    return role


# --- guards ----------------------------------------------------------------------------------------------------------


def check_signing(contract: Contract, action: str, role: Role, user_id: str, now: dt.datetime) -> None:
    """Whether the party may sign now, by the contract alone.

    Raises Conflict CONTRACT_VOID or ALREADY_SIGNED, InvalidState, Expired SIGN_WINDOW_CLOSED.
    """
    if contract.status is ContractStatus.VOID:
        raise Conflict("This contract is void.", "CONTRACT_VOID", currentStatus=str(contract.status))
    if user_id in contract.signed_by:
        raise Conflict("You have signed this.", "ALREADY_SIGNED")
    CONTRACT.check(action, contract, role)
    if contract.sign_by <= now:
        raise Expired("The time to sign has passed.", "SIGN_WINDOW_CLOSED")


def check_signer(contract: Contract, action: str, role: Role, user: User, now: dt.datetime) -> None:
    """The same, and that the party is not banned. Raises Forbidden BANNED."""
    kyc.check_not_banned(user, now)
    check_signing(contract, action, role, user.id, now)


def check_hash(contract: Contract, sha256: str) -> None:
    """A signature names the very bytes the party saw (C12). Raises Conflict HASH_MISMATCH."""
    if contract.sha256 != sha256:
        raise Conflict("This is not the document of this contract.", "HASH_MISMATCH")


def check_rendered(contract: Contract) -> str:
    """The sha256 of the document. Raises Conflict PDF_PENDING while there is none."""
    if contract.sha256 is None:
        raise Conflict("The document is being made.", "PDF_PENDING")
    return str(contract.sha256)


def allowed_actions(contract: Contract, role: Role, actor: Actor, now: dt.datetime) -> list[str]:
    """The moves the actor may make now, by name."""

    def permits(action: str) -> None:
        guard = _GUARDS.get(action)
        if guard is not None:
            guard(contract, action, role, actor.id, now)

    return CONTRACT.allowed(contract, role, permits)


_GUARDS: dict[str, Callable[[Contract, str, Role, str, dt.datetime], None]] = {
    "sign_contract": check_signing,
    "create_sign_link": check_signing,
    "sign_by_link": check_signing,
}


# --- moves -----------------------------------------------------------------------------------------------------------


def store_pdf(contract: Contract, sha256: str, size_bytes: int, now: dt.datetime) -> None:
    """The document exists at its sha256: the parties may sign."""
    CONTRACT.apply("store_contract_pdf", contract, Role.SYSTEM)
    contract.sha256, contract.size_bytes, contract.looks = sha256, size_bytes, 0
    plan_look(contract, now)


def sign(
    contract: Contract, action: str, *, role: Role, actor: Actor, method: SignMethod, now: dt.datetime
) -> list[Entity]:
    """One party's signature. With the second the contract is EXECUTED, and the escrow opens in the same transaction
    (D6).

    Returns the new rows. Raises as check_signing.
    """
    check_signing(contract, action, role, actor.id, now)
    signature = Signature(
        contract_id=contract.id,
        user_id=actor.id,
        side=Side(role),
        sha256=contract.sha256,
        method=method,
        address_hash=actor.address_hash,
        agent_hash=actor.agent_hash,
        at=now,
    )
    contract.signed_by |= {actor.id}
    complete = contract.signed_by == {contract.buyer_id, contract.seller_id}
    CONTRACT.apply(
        action, contract, role, becomes=ContractStatus.EXECUTED if complete else ContractStatus.PENDING_SIGNATURE
    )
    if not complete:
        return [signature]
    contract.executed_at = now
    plan_look(contract, now)
    return [signature, *open_escrow(contract, now)]


def void(contract: Contract, action: str, role: Role, reason: str, now: dt.datetime) -> None:
    """void_contract or expire_contract: before both signed."""
    CONTRACT.apply(action, contract, role)
    contract.reason = reason
    plan_look(contract, now)


def plan_look(contract: Contract, now: dt.datetime) -> None:
    """Set `next_look`: `sign_by`, and before the document exists the next repair; none once it is executed or void."""
    if contract.status is ContractStatus.PENDING_PDF:
        contract.next_look = min(contract.sign_by, now + repair_delay(contract.looks))
    elif contract.status is ContractStatus.PENDING_SIGNATURE:
        contract.next_look = contract.sign_by
    else:
        contract.next_look = None
