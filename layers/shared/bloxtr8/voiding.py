"""A contract that dies takes the deal with it: the offer is cancelled, the listing is for sale again (M31, M36)."""

from collections.abc import Callable, Iterator

from bloxtr8 import clock, reads, sagas, table
from bloxtr8.actors import Actor
from bloxtr8.domain import contracts
from bloxtr8.domain.contracts import ContractFile
from bloxtr8.domain.deals import fall_through
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Contract


def void[V](file: ContractFile, action: str, actor: Actor, reason: str, answer: Callable[[], V]) -> V:
    """Commit a contract that was voided, with everything around it."""
    contract = file.contract
    around = reads.around(contract)
    fall_through(around, amount=contract.terms["amount"], accepted_at=contract.created_at, reason="CONTRACT_VOID")
    return table.commit(
        contract,
        *around.saves,
        deletes=around.freed(),
        action=action,
        actor=actor,
        details={"reason": reason},
        answer=answer,
    )


def due_contracts() -> Iterator[list[Contract]]:
    """What is due now, oldest first; each is read again before anything is decided."""
    return table.all_due(Contract, "DUE#CONTRACT")


def look(contract_id: str, actor: Actor) -> None:
    """Look at one contract whose `next_look` has come: expire it, or have its document made again."""
    file = reads.contract(contract_id)
    contract, now = file.contract, clock.now()
    if contract.next_look is None or contract.next_look > now:
        return
    if contract.sign_by <= now:
        contracts.void(contract, "expire_contract", Role.SYSTEM, "SIGN_WINDOW_CLOSED", now)
        void(file, "expire_contract", actor, "SIGN_WINDOW_CLOSED", answer=lambda: None)
        return
    contract.looks += 1
    contracts.plan_look(contract, now)
    table.commit(contract, action="look_again", actor=actor)
    sagas.react(contract, actor)
