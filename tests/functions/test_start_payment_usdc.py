"""How the buyer pays in USDC: address, network and amount as text, as EIP-681 and as a QR code; nothing is written."""

from typing import Any

import pytest

from bloxtr8 import addresses
from bloxtr8.entities import Escrow
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
    import segno

    body = ask(aws, escrow)
    assert body["qr"] == segno.make_qr(body["uri"], error="m").svg_data_uri(scale=4)
