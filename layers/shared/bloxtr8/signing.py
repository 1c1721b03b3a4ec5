"""Signing, however the party came: the stored document is read again before anything is written (M33, M34)."""

from bloxtr8 import clock, reads, table
from bloxtr8.actors import Actor
from bloxtr8.documents import store
from bloxtr8.domain import contracts
from bloxtr8.entities import SignMethod, User
from bloxtr8.views.contract import SignedView


def sign(contract_id: str, action: str, *, sha256: str, method: SignMethod, actor: Actor) -> SignedView:
    """Sign as `actor`. Raises NotFound for an outsider, and what api.md names for sign_contract.

    Two last signatures at once: one transaction wins, the other is run again and finds the contract executed.
    """
    file = reads.contract(contract_id)
    role, now = contracts.party(file.contract, actor), clock.now()
    contracts.check_signing(file, action, role, actor, now)
    contracts.check_hash(file.contract, sha256)
    store.verify(sha256)
    user = table.get(User, id=actor.id)
    rows = contracts.sign(file, action, user=user, role=role, actor=actor, method=method, now=now)
    return table.commit(
        file.contract,
        *rows,
        action=action,
        actor=actor,
        checks=[user],
        details={"sha256": sha256, "method": str(method)},
        answer=lambda: SignedView.of(file.contract, now),
    )
