"""The rules of a contract, under any order of signatures, steps back and time (states.md, section 3)."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8.actors import Actor
from bloxtr8.domain import contracts
from bloxtr8.domain.lifecycle import PARTIES, Role
from bloxtr8.domain.transitions import CONTRACT
from bloxtr8.entities import Contract, ContractStatus, Escrow, Signature, SignMethod
from bloxtr8.errors import Conflict, DomainError, NotFound
from tests.documents.samples import terms

ACCEPTED = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
WINDOW = 72 * 3600
SHA256 = "ab" * 32
ACTORS = {Role.BUYER: Actor("usr_b"), Role.SELLER: Actor("usr_s")}
MOVES = ("store_contract_pdf", "buyer signs", "seller signs", "void_contract", "expire_contract")


def made() -> Contract:
    contract = Contract(
        id="con_01JD3X9Z7QAAAAAAAAAAAAAAAA",
        offer_id="off_01JD3X8Y6PAAAAAAAAAAAAAAAA",
        listing_id="lst_01JD3X7W5NAAAAAAAAAAAAAAAA",
        buyer_id="usr_b",
        seller_id="usr_s",
        terms=terms(),
        sign_by=ACCEPTED + dt.timedelta(seconds=WINDOW),
        created_at=ACCEPTED,
    )
    contracts.plan_look(contract, ACCEPTED)
    return contract


def move(contract: Contract, name: str, now: dt.datetime) -> list[Any]:
    """Make one move as its function does; the rows it made."""
    if name == "store_contract_pdf":
        contracts.store_pdf(contract, SHA256, 1, now)
    elif name.endswith("signs"):
        role = Role[name.split()[0].upper()]
        return contracts.sign(contract, "sign_contract", role=role, actor=ACTORS[role], method=SignMethod.API, now=now)
    else:
        role = Role.SYSTEM if name == "expire_contract" else Role.BUYER
        contracts.void(contract, name, role, "reason", now)
    return []


@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, WINDOW // 10)), max_size=15))
def test_two_signatures_and_nothing_else_open_one_escrow(steps: list[tuple[str, int]]) -> None:
    contract, now = made(), ACCEPTED
    rows: list[Any] = []
    for name, seconds in steps:
        now += dt.timedelta(seconds=seconds)
        before = (contract.status, contract.signed_by, contract.next_look)
        try:
            rows += move(contract, name, now)
        except DomainError:
            assert (contract.status, contract.signed_by, contract.next_look) == before  # a refusal changes nothing
            continue
        assert before[0] not in CONTRACT.ends
    signatures = [row for row in rows if isinstance(row, Signature)]
    opened = [row for row in rows if isinstance(row, Escrow)]
    executed = contract.status is ContractStatus.EXECUTED
    assert executed == (len(signatures) == 2) == (len(opened) == 1)
    assert {row.user_id for row in signatures} == contract.signed_by
    assert len(signatures) == len(contract.signed_by)
    assert all(row.at < contract.sign_by and row.sha256 == SHA256 for row in signatures)
    assert (contract.next_look is None) == (contract.status in CONTRACT.ends)
    if contract.next_look is not None:
        assert contract.next_look <= contract.sign_by
    for escrow in opened:
        assert (escrow.id, escrow.amount) == (contract.escrow_id, contract.terms["amount"])
        assert escrow.fund_by == contract.executed_at + dt.timedelta(seconds=contract.terms["windows"]["fundSeconds"])


@given(st.lists(st.sampled_from(MOVES), max_size=4), st.integers(0, 2 * WINDOW), st.sampled_from(sorted(PARTIES)))
def test_what_is_allowed_is_what_is_not_refused(steps: list[str], seconds: int, role: Role) -> None:
    contract, now = made(), ACCEPTED + dt.timedelta(seconds=seconds)
    for name in steps:
        try:
            move(contract, name, ACCEPTED)
        except DomainError:
            continue
    allowed = contracts.allowed_actions(contract, role, ACTORS[role], now)

    try:
        contracts.check_signing(contract, "sign_contract", role, ACTORS[role].id, now)
        signable = True
    except DomainError:
        signable = False

    assert ("sign_contract" in allowed) == ("create_sign_link" in allowed) == ("sign_by_link" in allowed) == signable
    assert ("void_contract" in allowed) == (contract.status not in CONTRACT.ends)
    assert "expire_contract" not in allowed


def test_a_role_is_by_the_contract_alone() -> None:
    contract = made()
    assert contracts.role_of(contract, ACTORS[Role.BUYER]) is Role.BUYER
    assert contracts.role_of(contract, ACTORS[Role.SELLER]) is Role.SELLER
    assert contracts.role_of(contract, Actor("job", role="SYSTEM")) is Role.SYSTEM
    with pytest.raises(NotFound):
        contracts.party(contract, Actor("usr_x"))


def test_no_document_is_no_document_to_read() -> None:
    contract = made()
    with pytest.raises(Conflict, match="being made"):
        contracts.check_rendered(contract)
    with pytest.raises(Conflict) as refusal:
        contracts.check_hash(contract, SHA256)
    assert refusal.value.code == "HASH_MISMATCH"
