"""Signing, however the party came: the stored document is read again before anything is written (M33, M34)."""

from bloxtr8 import clock, reads, screenings, table
from bloxtr8.actors import Actor
from bloxtr8.documents import store
from bloxtr8.domain import contracts, wallet_risk
from bloxtr8.entities import Contract, SignMethod, User
from bloxtr8.views.contract import SignedView


def sign(contract_id: str, action: str, *, sha256: str, method: SignMethod, actor: Actor) -> SignedView:
    """Sign as `actor`. Raises NotFound for an outsider, and what api.md names for sign_contract.

    On chain the signer's wallet must still be clean: raises as `wallet_risk.check_clean`. Two last signatures at once:
    one transaction wins, the other is StaleWrite; run again, it completes the contract.
    """
    contract, user = reads.signing(contract_id, actor)
    role, now = contracts.party(contract, actor), clock.now()
    actor.expects(contract)
    contracts.check_signer(contract, action, role, user, now)
    contracts.check_hash(contract, sha256)
    store.verify(sha256)
    screened = _screen(contract, user)
    rows = contracts.sign(contract, action, role=role, actor=actor, method=method, now=now)
    return table.commit(
        contract,
        *rows,
        *screened,
        action=action,
        actor=actor,
        checks=[user],
        details={"sha256": sha256, "method": str(method)},
        answer=lambda: SignedView.of(contract, now),
    )


def _screen(contract: Contract, user: User) -> list[User]:
    """The signer's wallet, which the vault's terms name; while the deal is open it is the one on the profile (D29)."""
    if "vault" not in contract.terms:
        return []
    screened = screenings.refresh([user], clock.now())
    wallet_risk.check_clean(user, clock.now())
    return screened
