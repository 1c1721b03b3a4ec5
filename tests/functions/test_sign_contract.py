"""Both sign the very same bytes; the second signature opens the escrow in the same transaction (M34, D6)."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from bloxtr8 import table, timelines
from bloxtr8.aws_json import NoAnswer
from bloxtr8.entities import Contract, Delivery, Escrow, Signature, SignMethod, StripeEscrow, User
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.contracts import (
    BAD_CONSENTS,
    BAD_IDS,
    FREE,
    OTHER_HASH,
    STANDS,
    consent,
    deal,
    escrow,
    forge,
    kept,
    lose,
    sign,
    void,
)
from tests.functions.listings import user_changed
from tests.functions.offers import same_but
from tests.wire import Wire

ROUNDS = 3


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def turned_down(aws: Platform, status: int, code: str, contract: Contract, **options: Any) -> dict[str, Any]:
    """The buyer's good signature is refused, and writes nothing."""
    body = consent(contract)
    return refused(aws, status, code, "sign_contract", contract.buyer_id, body, contract_id=contract.id, **options).body


# --- what it does


def test_the_first_signature_is_kept_and_waits_for_the_other(aws: Platform, contract: Contract) -> None:
    before = aws.rows()

    answer = sign(aws, contract.seller_id, contract)

    assert answer.status == 201
    row, signature = kept(contract)
    assert isinstance(row, Contract)
    assert isinstance(signature, Signature)
    assert answer.body == {
        "contractId": contract.id,
        "status": "PENDING_SIGNATURE",
        "signedAt": signature.at.isoformat().replace("+00:00", "Z"),
        "escrowId": None,
    }
    assert same_but(before, aws.rows()) == {"Contract", "Signature", "AuditEntry"}
    assert (row.status, row.signed_by, row.executed_at) == ("PENDING_SIGNATURE", {contract.seller_id}, None)
    assert row.next_look == contract.sign_by
    assert (signature.user_id, signature.side) == (contract.seller_id, "SELLER")
    assert (signature.sha256, signature.method) == (contract.sha256, SignMethod.API)
    assert escrow(contract) is None


def test_address_and_agent_are_kept_as_hashes_only(aws: Platform, contract: Contract) -> None:
    sign(aws, contract.seller_id, contract)

    signature = kept(contract)[1]
    assert signature.address_hash == hashlib.sha256(b"203.0.113.7").hexdigest()
    assert signature.agent_hash == hashlib.sha256(b"pytest").hexdigest()
    assert "203.0.113.7" not in str(aws.rows())


def test_the_second_signature_opens_the_escrow_from_the_frozen_terms(aws: Platform, contract: Contract) -> None:
    sign(aws, contract.buyer_id, contract)
    before = aws.rows()

    answer = sign(aws, contract.seller_id, contract)

    assert (answer.status, answer.body["status"]) == (201, "EXECUTED")
    assert answer.body["escrowId"] == f"esc_{contract.ulid}" == contract.terms["escrowId"]
    assert same_but(before, aws.rows()) == {
        "Contract", "Signature", "Escrow", "StripeEscrow", "Delivery", "AuditEntry",
    }  # fmt: skip
    row, *signatures = kept(contract)
    assert (row.status, row.executed_at, row.next_look) == ("EXECUTED", max(one.at for one in signatures), None)
    opened = table.get(Escrow, ulid=contract.ulid)
    assert (opened.status, opened.contract_id, opened.offer_id) == ("AWAIT_FUNDS", contract.id, contract.offer_id)
    assert (opened.buyer_id, opened.seller_id) == (contract.buyer_id, contract.seller_id)
    assert (opened.amount, opened.gross, opened.held, opened.deposited) == (100_000, 100_000, 0, 0)
    assert opened.payout_account_id == contract.terms["seller"]["payoutAccountId"]
    assert opened.fund_by - row.executed_at == dt.timedelta(hours=72)
    rows = table.partition(f"ESCROW#{contract.ulid}")
    assert sorted(one.entity for one in rows) == ["Delivery", "Escrow", "StripeEscrow"]
    assert [one.status for one in rows if isinstance(one, Delivery)] == ["PENDING"]
    assert [one.external_id for one in rows if isinstance(one, StripeEscrow)] == [None]
    assert deal(contract) == STANDS


def test_later_profiles_and_settings_change_nothing_that_was_agreed(
    aws: Platform, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = table.get(User, id=contract.seller_id)
    user_changed(seller, payout_account_id="acct_other", roblox_id="999")
    monkeypatch.setenv("FUND_SECONDS", "60")
    monkeypatch.setenv("SELLER_FEE_BPS", "5000")

    opened = factories.executed(contract)

    assert opened.payout_account_id == contract.terms["seller"]["payoutAccountId"] != "acct_other"
    assert (opened.seller_roblox_id, opened.seller_fee_bps) == (contract.terms["seller"]["robloxId"], 290)
    assert opened.fund_by - opened.created_at == dt.timedelta(hours=72)


def test_the_audit_is_one_path_from_the_first_offer_to_the_escrow(aws: Platform, contract: Contract) -> None:
    opened = factories.executed(contract)
    file = {"sha256": OTHER_HASH, "contentType": "image/png", "sizeBytes": 10, "note": "Before"}
    assert aws.call("add_evidence", contract.buyer_id, file, escrow_id=opened.id).status < 300

    chains = [aws.audit(root) for root in (contract.offer_id, contract.id, opened.id)]
    escrow = table.get(Escrow, ulid=opened.ulid)

    assert [one.verified for one in timelines.walk(escrow)] == [True]
    escrow.offer_id = factories.accepted().offer_id
    assert [one.verified for one in timelines.walk(escrow)] == [False]
    rendered, first, second = chains[1]
    assert [one.action for one in chains[1]] == ["store_contract_pdf", "sign_contract", "sign_contract"]
    assert (rendered.parent, opened.parent) == (chains[0][-1].hash, second.hash)
    assert (first.actor, first.role, second.role) == (contract.buyer_id, "BUYER", "SELLER")
    assert (first.details, second.escrow_id) == ({"sha256": contract.sha256, "method": "API"}, opened.id)
    assert [(one["type"], one["from"], one["to"]) for one in second.changes] == [
        ("Contract", "PENDING_SIGNATURE", "EXECUTED")
    ]
    assert [one["type"] for one in second.created] == ["Signature", "Escrow", "StripeEscrow", "Delivery"]


def test_asks_the_table_twice(aws: Platform, contract: Contract, wire: Wire) -> None:
    for party in (contract.buyer_id, contract.seller_id):
        wire.calls.clear()
        sign(aws, party, contract)
        assert wire.round_trips() == 2


# --- what it refuses


def test_refuses_another_documents_hash(aws: Platform, contract: Contract) -> None:
    body = consent(contract, sha256=OTHER_HASH)
    refused(aws, 409, "HASH_MISMATCH", "sign_contract", contract.buyer_id, body, contract_id=contract.id)


def test_refuses_anything_but_the_agreed_words(aws: Platform, contract: Contract) -> None:
    for change in BAD_CONSENTS:
        body = consent(contract, **change)
        refused(aws, 400, "VALIDATION_ERROR", "sign_contract", contract.buyer_id, body, contract_id=contract.id)


@pytest.mark.parametrize("harm", [forge, lose])
def test_refuses_while_the_stored_document_is_not_itself(
    aws: Platform, contract: Contract, harm: Callable[[Contract], None]
) -> None:
    harm(contract)
    turned_down(aws, 409, "CONTRACT_TAMPERED", contract)


def test_an_unreadable_store_is_no_evidence(aws: Platform, contract: Contract, wire: Wire) -> None:
    wire.lose("GetObject", done=False)
    turned_down(aws, 502, "UPSTREAM_FAILED", contract)
    assert sign(aws, contract.buyer_id, contract).status == 201


def test_refuses_from_the_end_of_the_window_on(aws: Platform, contract: Contract, clock: Clock) -> None:
    clock.moment = contract.sign_by - dt.timedelta(microseconds=9)
    assert sign(aws, contract.seller_id, contract).status == 201
    clock.moment = contract.sign_by - dt.timedelta(microseconds=1)
    turned_down(aws, 410, "SIGN_WINDOW_CLOSED", contract)


def test_refuses_the_banned_and_lets_them_again_when_the_ban_ends(
    aws: Platform, contract: Contract, clock: Clock
) -> None:
    buyer = table.get(User, id=contract.buyer_id)
    user_changed(buyer, banned=True, banned_until=clock.now() + dt.timedelta(hours=1))
    turned_down(aws, 403, "BANNED", contract)
    clock.advance(hours=1)
    assert sign(aws, buyer, contract).status == 201


def test_refuses_a_second_signature_of_the_same_party(aws: Platform, contract: Contract) -> None:
    sign(aws, contract.buyer_id, contract)
    turned_down(aws, 409, "ALREADY_SIGNED", contract)
    sign(aws, contract.seller_id, contract)
    turned_down(aws, 409, "ALREADY_SIGNED", contract)


def test_refuses_a_void_contract(aws: Platform, contract: Contract) -> None:
    void(aws, contract.seller_id, contract)
    assert turned_down(aws, 409, "CONTRACT_VOID", contract)["currentStatus"] == "VOID"


def test_refuses_while_there_is_no_document(aws: Platform) -> None:
    waiting = factories.accepted()
    waiting.sha256 = OTHER_HASH
    assert turned_down(aws, 409, "INVALID_STATE", waiting)["currentStatus"] == "PENDING_PDF"


def test_refuses_a_stale_version(aws: Platform, contract: Contract) -> None:
    turned_down(aws, 412, "VERSION_MISMATCH", contract, headers={"If-Match": f'"{contract.version - 1}"'})
    assert sign(aws, contract.buyer_id, contract, headers={"If-Match": f'"{contract.version}"'}).status == 201


def test_outsiders_learn_nothing(aws: Platform, contract: Contract) -> None:
    stranger = factories.user()
    refused(aws, 404, "NOT_FOUND", "sign_contract", stranger, consent(contract), contract_id=contract.id)
    refused(aws, 401, "UNAUTHENTICATED", "sign_contract", None, consent(contract), contract_id=contract.id)


def test_a_wrong_id_is_a_missing_one(aws: Platform, contract: Contract) -> None:
    for wrong in BAD_IDS:
        refused(aws, 404, "NOT_FOUND", "sign_contract", contract.buyer_id, consent(contract), contract_id=wrong)


# --- again, and at once


def test_a_repeated_request_gets_the_same_answer(aws: Platform, contract: Contract) -> None:
    headers = {"Idempotency-Key": "one"}
    sign(aws, contract.seller_id, contract)
    first = sign(aws, contract.buyer_id, contract, headers=headers)
    after = aws.rows()

    again = sign(aws, contract.buyer_id, contract, headers=headers)

    assert (again.status, again.body) == (first.status, first.body)
    assert again.body["escrowId"]
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert aws.rows() == after
    other = consent(contract, sha256=OTHER_HASH)
    refused(
        aws, 422, "IDEMPOTENCY_KEY_REUSED", "sign_contract", contract.buyer_id, other,
        contract_id=contract.id, headers=headers,
    )  # fmt: skip


def test_an_answer_lost_on_the_way_back_is_asked_for_again(aws: Platform, contract: Contract, wire: Wire) -> None:
    headers = {"Idempotency-Key": "one"}
    wire.lose("TransactWriteItems", done=True)
    with pytest.raises(NoAnswer):
        sign(aws, contract.buyer_id, contract, headers=headers)

    again = sign(aws, contract.buyer_id, contract, headers=headers)

    assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert factories.contract_row(contract).signed_by == {contract.buyer_id}


def test_two_last_signatures_open_exactly_one_escrow(aws: Platform) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()

        answers = together(
            lambda one=contract: sign(aws, one.buyer_id, one), lambda one=contract: sign(aws, one.seller_id, one)
        )

        assert [one.status for one in answers] == [201, 201]
        assert sorted(one.body["escrowId"] or "" for one in answers) == ["", f"esc_{contract.ulid}"]
        row, *signatures = kept(contract)
        assert row.status == "EXECUTED"
        assert {one.user_id for one in signatures} == {contract.buyer_id, contract.seller_id}
        assert [one.action for one in aws.audit(contract.id)][1:] == ["sign_contract"] * 2
        assert [one.entity for one in table.partition(f"ESCROW#{contract.ulid}")].count("Escrow") == 1


def test_one_party_twice_at_once_signs_once(aws: Platform) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()

        answers = together(*[lambda one=contract: sign(aws, one.buyer_id, one)] * 2)

        assert sorted(one.status for one in answers) == [201, 409]
        assert [one.code for one in answers if one.status == 409] == ["ALREADY_SIGNED"]
        assert len(kept(contract)) == 2


def test_a_void_in_between_wins(aws: Platform, contract: Contract, wire: Wire) -> None:
    sign(aws, contract.seller_id, contract)
    wire.before("GetObject", lambda: void(aws, contract.seller_id, contract))

    answer = sign(aws, contract.buyer_id, contract)

    assert (answer.status, answer.code) == (409, "CONTRACT_VOID")
    assert escrow(contract) is None
    assert deal(contract) == FREE


def test_an_expiry_in_between_wins(aws: Platform, contract: Contract, wire: Wire, clock: Clock) -> None:
    def expire() -> None:
        clock.moment = contract.sign_by
        aws.invoke("enforce_contract_deadlines")

    sign(aws, contract.seller_id, contract)
    wire.before("GetObject", expire)

    answer = sign(aws, contract.buyer_id, contract)

    assert (answer.status, answer.code) == (409, "CONTRACT_VOID")
    assert escrow(contract) is None


def test_a_ban_in_between_wins(aws: Platform, contract: Contract, wire: Wire) -> None:
    buyer = table.get(User, id=contract.buyer_id)
    wire.before("GetObject", lambda: user_changed(buyer, banned=True))

    answer = sign(aws, buyer, contract)

    assert (answer.status, answer.code) == (403, "BANNED")
    assert kept(contract)[1:] == []


def test_of_a_last_signature_and_a_void_exactly_one_wins(aws: Platform) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()
        sign(aws, contract.seller_id, contract)

        signed, voided = together(
            lambda one=contract: sign(aws, one.buyer_id, one), lambda one=contract: void(aws, one.seller_id, one)
        )

        assert (signed.status, voided.status) in {(201, 409), (409, 200)}
        won = signed.status == 201
        assert factories.contract_row(contract).status == ("EXECUTED" if won else "VOID")
        assert (escrow(contract) is not None) == won
        assert deal(contract) == (STANDS if won else FREE)
