"""Addresses on chain: kept in lower case, shown with their checksum, refused where one letter is wrong."""

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import addresses

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda data: "0x" + data.hex())
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("shown", EIP_55)
def test_the_examples_of_eip_55(shown: str) -> None:
    assert addresses.checksum(shown.lower()) == shown
    assert addresses.parse(shown) == shown.lower()


@given(address=ADDRESSES)
def test_what_is_shown_is_read_again(address: str) -> None:
    shown = addresses.checksum(address)
    assert shown == to_checksum_address(address)
    assert addresses.parse(shown) == addresses.parse(address) == address
    assert addresses.parse("0x" + address[2:].upper()) == address


@given(address=ADDRESSES, place=st.integers(2, 41))
def test_one_letter_in_the_wrong_case_is_refused(address: str, place: int) -> None:
    shown = addresses.checksum(address)
    wrong = shown[:place] + shown[place].swapcase() + shown[place + 1 :]
    if wrong == shown or wrong[2:] in {wrong[2:].lower(), wrong[2:].upper()}:
        assert addresses.parse(wrong) == address
    else:
        with pytest.raises(ValueError, match="checksum"):
            addresses.parse(wrong)


@pytest.mark.parametrize(
    "text",
    ["", "0x", "52908400098527886E0F7030069857D2E4169EE7", "0X" + "a" * 40, "0x" + "a" * 39, "0x" + "a" * 41]
    + ["0x" + "g" * 40, "0x" + "a" * 40 + "\n", " 0x" + "a" * 40, "vitalik.eth", "0x" + "٣" * 40],
)
def test_another_form_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        addresses.parse(text)


def test_the_hash_is_keccak_and_not_sha3() -> None:
    assert addresses.keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
