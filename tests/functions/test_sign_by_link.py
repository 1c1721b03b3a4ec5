"""Whoever holds a link signs with it, once, for the party that made it; it is spent by the first use (M35)."""

import pytest

from bloxtr8 import table
from bloxtr8.entities import Contract, SignMethod, SignToken, User
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.contracts import (
    BAD_CONSENTS,
    FREE,
    OTHER_HASH,
    consent,
    deal,
    escrow,
    forge,
    kept,
    link,
    sign,
    sign_by_link,
    void,
)
from tests.functions.listings import user_changed
from tests.functions.offers import same_but
from tests.wire import Wire

ROUNDS = 3


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def tokens(aws: Platform) -> int:
    """How many links could still be used."""
    return sum(row["type"]["S"] == SignToken.__name__ for row in aws.rows())


def test_signs_for_the_party_that_made_it(aws: Platform, contract: Contract) -> None:
    token = link(aws, contract.buyer_id, contract)
    before = aws.rows()

    answer = sign_by_link(aws, token, contract)

    assert (answer.status, answer.body["contractId"], answer.body["escrowId"]) == (201, contract.id, None)
    assert same_but(before, aws.rows()) == {"Contract", "Signature", "AuditEntry"}
    signature = kept(contract)[1]
    assert (signature.user_id, signature.side, signature.method) == (contract.buyer_id, "BUYER", SignMethod.LINK)
    assert signature.address_hash
    assert signature.agent_hash
    entry = aws.audit(contract.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("sign_by_link", contract.buyer_id, "BUYER")
    assert entry.details == {"sha256": contract.sha256, "method": "LINK"}
    assert tokens(aws) == 0


def test_as_the_second_signature_it_opens_the_escrow(aws: Platform, contract: Contract) -> None:
    sign(aws, contract.buyer_id, contract)
    answer = sign_by_link(aws, link(aws, contract.seller_id, contract), contract)
    assert (answer.status, answer.body["escrowId"]) == (201, f"esc_{contract.ulid}")
    assert escrow(contract) is not None


def test_asks_the_table_three_times(aws: Platform, contract: Contract, wire: Wire) -> None:
    token = link(aws, contract.buyer_id, contract)
    wire.calls.clear()
    sign_by_link(aws, token, contract)
    assert wire.round_trips() == 3


def test_works_once(aws: Platform, contract: Contract) -> None:
    token = link(aws, contract.buyer_id, contract)
    sign_by_link(aws, token, contract)
    refused(aws, 401, "TOKEN_INVALID", "sign_by_link", None, consent(contract, token=token))


def test_is_spent_by_a_wrong_hash_too(aws: Platform, contract: Contract) -> None:
    token = link(aws, contract.buyer_id, contract)

    answer = sign_by_link(aws, token, contract, sha256=OTHER_HASH)

    assert (answer.status, answer.code) == (409, "HASH_MISMATCH")
    refused(aws, 401, "TOKEN_INVALID", "sign_by_link", None, consent(contract, token=token))
    assert kept(contract)[1:] == []


def test_is_spent_by_every_other_refusal(aws: Platform, contract: Contract, clock: Clock) -> None:
    def spent(one: Contract, token: str, status: int, code: str) -> None:
        answer = sign_by_link(aws, token, one)
        assert (answer.status, answer.code) == (status, code)
        refused(aws, 401, "TOKEN_INVALID", "sign_by_link", None, consent(one, token=token))
        assert kept(one)[1:] == []

    banned, dead, forged = (factories.contract() for _ in range(3))
    tokens_of = [link(aws, one.buyer_id, one) for one in (banned, dead, forged)]
    user_changed(table.get(User, id=banned.buyer_id), banned=True)
    void(aws, dead.seller_id, dead)
    forge(forged)
    spent(banned, tokens_of[0], 403, "BANNED")
    spent(dead, tokens_of[1], 409, "CONTRACT_VOID")
    spent(forged, tokens_of[2], 409, "CONTRACT_TAMPERED")
    clock.moment = contract.sign_by
    clock.advance(minutes=-1)
    late = link(aws, contract.buyer_id, contract)
    clock.advance(minutes=1)
    spent(contract, late, 410, "SIGN_WINDOW_CLOSED")


def test_a_second_link_of_a_party_that_signed_is_no_second_signature(aws: Platform, contract: Contract) -> None:
    first, second = (link(aws, contract.buyer_id, contract) for _ in range(2))
    sign_by_link(aws, first, contract)
    answer = sign_by_link(aws, second, contract)
    assert (answer.status, answer.code) == (409, "ALREADY_SIGNED")
    assert len(kept(contract)) == 2


def test_a_link_is_for_its_own_contract(aws: Platform, contract: Contract) -> None:
    other = factories.contract()
    token = link(aws, contract.buyer_id, contract)
    answer = sign_by_link(aws, token, other)
    assert (answer.status, answer.code) == (409, "HASH_MISMATCH")
    assert kept(other)[1:] == kept(contract)[1:] == []


def test_is_over_after_a_quarter_of_an_hour(aws: Platform, contract: Contract, clock: Clock) -> None:
    token = link(aws, contract.buyer_id, contract)
    clock.advance(minutes=15)
    answer = sign_by_link(aws, token, contract)
    assert (answer.status, answer.code) == (410, "EXPIRED")
    assert kept(contract)[1:] == []


def test_an_unknown_token_is_none(aws: Platform, contract: Contract) -> None:
    link(aws, contract.buyer_id, contract)
    for unknown in ("x", "A" * 43, "A" * 2048):
        refused(aws, 401, "TOKEN_INVALID", "sign_by_link", None, consent(contract, token=unknown))
    assert tokens(aws) == 1


def test_a_bad_request_spends_nothing(aws: Platform, contract: Contract) -> None:
    token = link(aws, contract.buyer_id, contract)
    tokenless = [{"token": bad} for bad in (..., None, "", 7, "A" * 2049, "\x00" * 43, "é" * 43, "\ud800" * 43)]
    for change in (*BAD_CONSENTS, *tokenless):
        body = consent(contract, **{"token": token} | change)
        refused(aws, 400, "VALIDATION_ERROR", "sign_by_link", None, body)
    assert sign_by_link(aws, token, contract).status == 201


def test_one_link_at_once_twice_signs_once(aws: Platform) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()
        token = link(aws, contract.buyer_id, contract)

        answers = together(*[lambda one=contract, token=token: sign_by_link(aws, token, one)] * 2)

        assert sorted(one.status for one in answers) == [201, 401]
        assert len(kept(contract)) == 2


def test_two_last_links_at_once_open_one_escrow_and_neither_is_lost(aws: Platform) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()
        mine, yours = (link(aws, one, contract) for one in (contract.buyer_id, contract.seller_id))

        answers = together(
            lambda one=contract, token=mine: sign_by_link(aws, token, one),
            lambda one=contract, token=yours: sign_by_link(aws, token, one),
        )

        assert [one.status for one in answers] == [201, 201]
        assert sorted(one.body["escrowId"] or "" for one in answers) == ["", f"esc_{contract.ulid}"]


def test_what_loses_every_race_asks_for_a_new_link(aws: Platform, contract: Contract, wire: Wire) -> None:
    buyer = table.get(User, id=contract.buyer_id)

    def change_again() -> None:
        user_changed(table.get(User, id=buyer.id), email="nora@example.com")
        wire.before("GetObject", change_again)

    token = link(aws, buyer, contract)
    wire.before("GetObject", change_again)

    answer = sign_by_link(aws, token, contract)

    assert (answer.status, answer.code) == (409, "CONFLICT")
    assert kept(contract)[1:] == []


def test_a_void_in_between_wins(aws: Platform, contract: Contract, wire: Wire) -> None:
    token = link(aws, contract.buyer_id, contract)
    wire.before("GetObject", lambda: void(aws, contract.seller_id, contract))
    answer = sign_by_link(aws, token, contract)
    assert (answer.status, answer.code) == (409, "CONTRACT_VOID")
    assert deal(contract) == FREE
