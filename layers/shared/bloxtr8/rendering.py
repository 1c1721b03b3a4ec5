"""From accepted terms to a stored document (D18)."""

from bloxtr8 import clock, reads, table
from bloxtr8.actors import Actor
from bloxtr8.documents import pdf, store
from bloxtr8.domain import contracts
from bloxtr8.entities import ContractStatus, Lookup


def render(contract_id: str, actor: Actor) -> None:
    """Render, store and re-read the document; only then may the parties sign. A twin that was faster did the same."""
    contract = reads.contract(contract_id).contract
    if contract.status is not ContractStatus.PENDING_PDF:
        return
    stored = store.put(pdf.render(contract.terms))
    contracts.store_pdf(contract, stored.sha256, stored.size, clock.now())
    lookup = Lookup(index="SHA256", value=stored.sha256, target=contract.id)
    table.commit(contract, lookup, action="store_contract_pdf", actor=actor, details={"sha256": stored.sha256})
