"""Anybody may ask whether a hash is that of a signed contract; nothing else is told."""

import pytest

from bloxtr8 import clock as platform_clock
from bloxtr8.entities import Contract
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions.contracts import OTHER_HASH, sign, void
from tests.wire import Wire

NOTHING = {"valid": False, "signedAt": None}


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def verdict(aws: Platform, sha256: str | None) -> dict[str, object]:
    answer = aws.call("verify_contract", None, {"sha256": sha256})
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_is_valid_once_both_have_signed(aws: Platform, contract: Contract) -> None:
    assert verdict(aws, contract.sha256) == NOTHING
    sign(aws, contract.buyer_id, contract)
    assert verdict(aws, contract.sha256) == NOTHING
    sign(aws, contract.seller_id, contract)

    signed_at = platform_clock.iso(factories.contract_row(contract).executed_at)

    assert verdict(aws, contract.sha256) == {"valid": True, "signedAt": signed_at}


def test_a_void_contract_looks_like_no_contract(aws: Platform, contract: Contract) -> None:
    sign(aws, contract.buyer_id, contract)
    void(aws, contract.seller_id, contract)
    assert verdict(aws, contract.sha256) == verdict(aws, OTHER_HASH) == NOTHING


def test_reads_two_rows_and_writes_nothing(aws: Platform, contract: Contract, wire: Wire) -> None:
    before = aws.rows()
    wire.calls.clear()
    verdict(aws, contract.sha256)
    assert wire.calls == ["GetItem", "GetItem"]
    assert aws.rows() == before


def test_refuses_what_is_no_hash(aws: Platform, contract: Contract) -> None:
    whole = contract.sha256
    for bad in ("", whole[1:], whole.upper(), f"{whole}\n", "\x00" * 64, "x" * 10_000, None, 7, [whole]):
        refused(aws, 400, "VALIDATION_ERROR", "verify_contract", None, {"sha256": bad})
    refused(aws, 400, "VALIDATION_ERROR", "verify_contract", None, {"sha256": whole, "contractId": contract.id})
    refused(aws, 400, "VALIDATION_ERROR", "verify_contract", None, {})
