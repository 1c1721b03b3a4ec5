"""How the buyer pays in USDC: address, network and amount as text, as EIP-681 and as a QR code; nothing is written."""

from typing import Any

import pytest
import segno

from bloxtr8 import addresses
from bloxtr8.entities import Escrow
from bloxtr8.rails.base import FundingStatus
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions import escrows
from tests.functions.chain import UNITS, FakeChain, Wallets, chain, screened, wallets

__all__ = ["chain", "wallets"]


@pytest.fixture
def escrow(aws: Platform, chain: FakeChain) -> Escrow:
    return chains.payable()


def ask(aws: Platform, escrow: Escrow) -> dict[str, Any]:
    answer = aws.call("start_payment", escrow.buyer_id, escrow_id=escrow.id)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_tells_the_same_each_time_and_writes_nothing(aws: Platform, escrow: Escrow) -> None:
    before = aws.rows()
    body = ask(aws, escrow)
    vault, token = addresses.checksum(str(chains.vault_row(escrow).external_id)), addresses.checksum(chains.TOKEN)
    uri = f"ethereum:{token}@{chains.CHAIN}/transfer?address={vault}&uint256={escrow.gross * UNITS}"
    qr = body.pop("qr")
    assert body == {
        "rail": "USDC_BASE",
        "chainId": chains.CHAIN,
        "network": "Base Sepolia",
        "token": token,
        "depositAddr": vault,
        "amount": escrow.gross,
        "totalUnits": escrow.gross * UNITS,
        "paidUnits": 0,
        "amountUnits": escrow.gross * UNITS,
        "amountText": "1000.00 USDC",
        "currency": "USDC",
        "uri": uri,
        "finality": "finalized",
        "expiresAt": body["expiresAt"],
    }
    assert qr.startswith("data:image/svg+xml")
    assert ask(aws, escrow) == body | {"qr": qr}
    assert aws.rows() == before


@pytest.mark.parametrize(
    ("paid", "missing", "shown"),
    [
        (400_000_000, 600_000_000, "600.00 USDC"),
        (999_990_000, 10_000, "0.01 USDC"),
        (12_345, 999_987_655, "999.987655 USDC"),
        (10_001, 999_989_999, "999.989999 USDC"),
        (999_999_999, 1, "0.000001 USDC"),
    ],
)
def test_after_a_part_only_what_is_missing_is_asked_for(
    aws: Platform, chain: FakeChain, escrow: Escrow, paid: int, missing: int, shown: str
) -> None:
    chain.pay(escrow, paid)
    screened(aws, escrow)
    body = ask(aws, escrow)
    assert (body["totalUnits"], body["paidUnits"], body["amountUnits"]) == (escrow.gross * UNITS, paid, missing)
    assert (body["amount"], body["amountText"]) == (escrow.gross, shown)
    assert body["uri"].endswith(f"&uint256={missing}")
    assert body["qr"] == segno.make_qr(body["uri"], error="m").svg_data_uri(scale=4)
    assert ask(aws, escrow) == body


def test_what_was_set_aside_is_missing_still(aws: Platform, chain: FakeChain, wallets: Wallets, escrow: Escrow) -> None:
    wallets.risks[chains.STRANGER] = "HIGH"
    chain.pay(escrow, 990_000, chains.STRANGER)
    chain.pay(escrow, 999_010_000)
    screened(aws, escrow)
    body = ask(aws, escrow)
    assert (body["paidUnits"], body["amountUnits"]) == (999_010_000, 990_000)
    chain.status = FundingStatus.PAID  # the rest has arrived, and is not recorded yet
    refused(aws, 409, "ALREADY_PAID", "start_payment", escrow.buyer_id, escrow_id=escrow.id)


@pytest.mark.parametrize("units", [1_000_000_000, 1_000_000_001])
def test_nobody_is_asked_to_pay_what_has_arrived(aws: Platform, chain: FakeChain, escrow: Escrow, units: int) -> None:
    assert "start_payment" in escrows.seen(aws, escrow, escrow.buyer_id)["allowedActions"]
    chain.pay(escrow, units)
    screened(aws, escrow)  # and the machine holds it a moment later
    refused(aws, 409, "ALREADY_PAID", "start_payment", escrow.buyer_id, escrow_id=escrow.id)
    assert "start_payment" not in escrows.seen(aws, escrow, escrow.buyer_id)["allowedActions"]


def test_nobody_is_asked_to_pay_what_is_final_and_not_recorded_yet(
    aws: Platform, chain: FakeChain, escrow: Escrow
) -> None:
    chain.status = FundingStatus.PAID
    before = aws.rows()
    refused(aws, 409, "ALREADY_PAID", "start_payment", escrow.buyer_id, escrow_id=escrow.id)
    assert aws.rows() == before


def test_nobody_pays_for_a_seller_whom_the_token_refuses(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    chain.unready = {chains.sides(escrow)[1]}
    refused(aws, 422, "PAYOUT_NOT_READY", "start_payment", escrow.buyer_id, escrow_id=escrow.id)
    chain.unready = {chains.sides(escrow)[0]}
    assert ask(aws, escrow)["amountUnits"] == escrow.gross * UNITS


def test_until_the_vault_is_known_it_opens(aws: Platform, chain: FakeChain) -> None:
    escrow = chains.executed()
    answer = aws.call("start_payment", escrow.buyer_id, escrow_id=escrow.id)
    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (202, {"status": "RAIL_OPENING"}, "2")


@pytest.mark.parametrize(
    ("risk", "status", "code"),
    [("SANCTIONED", 422, "PAYOUT_NOT_READY"), ("HIGH", 422, "PAYOUT_NOT_READY"), ("UNKNOWN", 502, "UPSTREAM_FAILED")],
)
def test_nobody_pays_for_a_seller_who_cannot_be_paid(
    aws: Platform, wallets: Wallets, escrow: Escrow, risk: str, status: int, code: str
) -> None:
    wallets.risks[chains.sides(escrow)[1]] = risk
    refused(aws, status, code, "start_payment", escrow.buyer_id, escrow_id=escrow.id)


def test_the_time_to_pay_ends(aws: Platform, escrow: Escrow) -> None:
    aws.clock.advance(hours=72)
    refused(aws, 410, "FUNDING_EXPIRED", "start_payment", escrow.buyer_id, escrow_id=escrow.id)


def test_the_seller_does_not_pay(aws: Platform, escrow: Escrow) -> None:
    refused(aws, 403, "FORBIDDEN", "start_payment", escrow.seller_id, escrow_id=escrow.id)


def test_both_sides_see_the_vault_and_what_came(aws: Platform, chain: FakeChain, escrow: Escrow) -> None:
    ref = chain.pay(escrow, 12_345)
    screened(aws, escrow)
    told = [escrows.seen(aws, escrow, user)["railData"] for user in (escrow.buyer_id, escrow.seller_id)]
    assert told[0] == told[1]
    vault = addresses.checksum(str(chains.vault_row(escrow).external_id))
    assert (told[0]["depositAddr"], told[0]["receivedUnits"]) == (vault, 12_345)
    assert [(row["ref"], row["units"], row["amount"]) for row in told[0]["deposits"]] == [(ref, 12_345, 1)]


def test_the_picture_is_a_qr_code_of_the_text(aws: Platform, escrow: Escrow) -> None:
    body = ask(aws, escrow)
    assert body["qr"] == segno.make_qr(body["uri"], error="m").svg_data_uri(scale=4)
