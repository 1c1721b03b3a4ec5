"""What a vault is bound to, and how its units become cents (D5, D25; rail-usdc.md)."""

import datetime as dt
from collections.abc import Iterator

import pytest

from bloxtr8 import addresses, config
from bloxtr8.domain import vaults
from bloxtr8.entities import Currency, RailName
from bloxtr8.errors import Unavailable, Unprocessable

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
DAY = 86_400
BUYER, SELLER = "0x" + "b0" * 20, "0x" + "5e" * 20
OPEN = {"USDC_ADDRESS": "0x" + "CC" * 20, "ESCROW_CONTRACT": "0x" + "ec" * 20, "FEE_ADDRESS": "0x" + "fe" * 20}
WINDOWS = {"signSeconds": 3 * DAY, "fundSeconds": 3 * DAY, "deliverSeconds": 7 * DAY, "inspectSeconds": 7 * DAY}


@pytest.fixture(autouse=True)
def _configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in OPEN.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


@pytest.mark.parametrize(
    ("amount", "currency", "rail"),
    [
        (50, Currency.USDC, RailName.USDC_BASE),
        (1_000_000, Currency.USD, RailName.STRIPE),
        (1_000_001, Currency.USD, RailName.USDC_BASE),
        (1_000_001, Currency.USDC, RailName.USDC_BASE),
    ],
)
def test_usdc_goes_over_base_and_so_do_dollars_no_card_may_pay(amount: int, currency: Currency, rail: RailName) -> None:
    assert vaults.rail_of(amount, currency) is rail


def test_the_terms_are_those_the_chain_hashes() -> None:
    terms = vaults.terms(
        "esc_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", buyer=BUYER, seller=SELLER.upper().replace("X", "x"), gross=10_100,
        max_fee_bps=390, windows=WINDOWS, accepted_at=NOW,
    )  # fmt: skip
    assert terms == {
        "chainId": 84532,
        "escrowContract": OPEN["ESCROW_CONTRACT"],
        "escrowId": addresses.escrow_key("esc_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"),
        "token": OPEN["USDC_ADDRESS"].lower(),
        "buyer": BUYER,
        "seller": SELLER,
        "feeReceiver": OPEN["FEE_ADDRESS"],
        "amount": 101_000_000,
        "reclaimAfter": int(NOW.timestamp()) + (3 + 3 + 7 + 7 + 120) * DAY,
        "maxFeeBps": 390,
    }
    assert vaults.postpone_at(terms) == NOW + dt.timedelta(days=20 + 90)


def test_an_escrows_key_is_the_keccak_of_its_id() -> None:
    # keccak256("") and of "hello", as every chain has them
    assert addresses.escrow_key("") == "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert addresses.escrow_key("hello") == "0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8"


@pytest.mark.parametrize("missing", sorted(OPEN))
def test_a_deployment_without_its_addresses_offers_no_usdc(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(missing, "")
    config.settings.cache_clear()
    with pytest.raises(Unprocessable) as refusal:
        vaults.check_offered(100)
    assert refusal.value.code == "NOT_AVAILABLE_YET"


@pytest.mark.parametrize("name", sorted(OPEN))
@pytest.mark.parametrize(
    "wrong", ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "0x12"]
)  # EIP-55's own, its last letter as D
def test_a_deployment_with_a_mistyped_address_offers_no_usdc(
    name: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, wrong)
    config.settings.cache_clear()
    with pytest.raises(Unavailable, match="not set up"):
        vaults.check_offered(100)


@pytest.mark.parametrize("listed", ["", "8453", "845", "184532"])
def test_a_chain_that_is_not_listed_offers_no_usdc(listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAIN_IDS", listed)
    config.settings.cache_clear()
    assert not vaults.is_open()


def test_the_cap_is_on_what_the_vault_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUYER_FEE_BPS", "100")
    monkeypatch.setenv("USDC_CAP_CENTS", "101000")
    config.settings.cache_clear()
    vaults.check_offered(100_000)
    with pytest.raises(Unprocessable) as refusal:
        vaults.check_offered(100_001)
    assert refusal.value.code == "AMOUNT_ABOVE_CAP"
