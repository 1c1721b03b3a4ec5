"""The deposit address and what is shown of it, computed without a chain (rail-usdc.md, Choice; Facts)."""

import re
from dataclasses import replace

import pytest

from bloxtr8 import addresses, money
from bloxtr8.rails.usdc import vault
from bloxtr8.rails.usdc.vault import Terms

TERMS = Terms(
    chain_id=8453,
    escrow_contract="0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    escrow_id=addresses.escrow_key("esc_01JDCZ0000000000000000000A"),
    token="0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
    buyer="0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
    seller="0xdbf03b407c01e7cd3cbea99509d93f8dddc8c6fb",
    fee_receiver="0xd1220a0cf47c7b9be7a2e6ba89f429762e7b9adb",
    amount=100_000_000,
    reclaim_after=1_900_000_000,
    max_fee_bps=290,
)


def test_the_terms_survive_their_json() -> None:
    assert Terms.from_json(TERMS.to_json()) == TERMS


def test_shown_with_the_checksums_of_eip_55() -> None:
    for shown in (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ):
        assert addresses.checksum(shown.lower()) == shown


@pytest.mark.parametrize("field", ["buyer", "seller", "fee_receiver", "token", "escrow_contract"])
def test_every_address_of_the_terms_moves_the_vault(field: str) -> None:
    assert vault.address(replace(TERMS, **{field: "0x" + "ab" * 20})) != vault.address(TERMS)


@pytest.mark.parametrize("field", ["amount", "reclaim_after", "max_fee_bps"])
def test_every_number_of_the_terms_moves_the_vault(field: str) -> None:
    changed = replace(TERMS, **{field: getattr(TERMS, field) + 1})
    assert vault.address(changed) != vault.address(TERMS)


def test_the_same_terms_have_the_same_address_on_every_chain() -> None:
    assert vault.address(replace(TERMS, chain_id=84532)) == vault.address(TERMS)


def test_a_wallet_reads_network_token_address_and_amount() -> None:
    """EIP-681: the target is the token, the receiver and the amount are the call's."""
    uri = vault.payment_uri(TERMS, vault.address(TERMS), money.units_of(10_000))
    read = re.fullmatch(r"ethereum:(0x[0-9a-fA-F]{40})@(\d+)/transfer\?address=(0x[0-9a-fA-F]{40})&uint256=(\d+)", uri)
    assert read
    assert read.groups() == (
        "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        "8453",
        addresses.checksum(vault.address(TERMS)),
        "100000000",
    )


def test_what_is_below_a_cent_is_not_counted() -> None:
    assert [money.cents_of(units) for units in (0, 9_999, 10_000, 19_999)] == [0, 0, 1, 1]
    assert money.units_of(1) == 10_000
