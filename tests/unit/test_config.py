"""Settings come from the environment on first use; secrets from Secrets Manager, seldom, and never from a setting."""

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields

import pytest

from bloxtr8 import config, errors
from bloxtr8.aws_json import NoAnswer, Refused
from bloxtr8.config import Settings, settings
from tests import emulator
from tests.checks import everything_logged
from tests.emulator import Platform
from tests.wire import Wire


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test reads the environment anew, and leaves nothing of it behind."""
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_setting_is_its_name_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "elsewhere")
    monkeypatch.setenv("OFFER_SECONDS", "60")
    monkeypatch.setenv("SELLER_FEE_BPS", "0")
    assert (settings().table_name, settings().offer_seconds, settings().seller_fee_bps) == ("elsewhere", 60, 0)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), ("yes", True), ("false", False), ("", False)]
)
def test_live_mode_is_off_unless_it_is_said(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("STRIPE_LIVEMODE", text)
    assert settings().stripe_livemode is value


def test_a_number_that_is_none_is_an_error_not_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIMUM_CENTS", "0.5")
    with pytest.raises(ValueError, match=r"0\.5"):
        settings()


def test_it_is_read_once_and_never_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = settings()
    monkeypatch.setenv("TABLE_NAME", "elsewhere")
    assert settings() is first
    with pytest.raises(FrozenInstanceError):
        first.table_name = "x"  # type: ignore[misc]


def test_the_defaults_are_the_decisions() -> None:
    hour, day = 3600, 24 * 3600
    default = Settings()
    assert (default.buyer_fee_bps, default.seller_fee_bps, default.minimum_cents) == (0, 290, 50)  # D21
    assert (default.card_limit_cents, default.t1_deal_cents, default.t1_rolling_cents) == (
        1_000_000,
        1_000_000,
        2_500_000,
    )
    assert default.t2_deal_cents == 1_000_000_000  # D5, D16
    windows = (default.offer_seconds, default.offer_minimum_seconds, default.offer_maximum_seconds)
    assert windows == (7 * day, hour, 30 * day)  # D11
    assert (default.sign_seconds, default.fund_seconds, default.respond_seconds) == (72 * hour, 72 * hour, 72 * hour)
    assert (default.sign_link_seconds, default.oauth_state_seconds) == (15 * 60, 10 * 60)
    assert (default.owner_unknown_seconds, default.owner_unknown_dispute_seconds) == (day, 7 * day)  # D12, D13
    assert (default.webhook_attempts, default.card_windows_days, default.max_hold_days) == (10, 60, 80)


def test_no_setting_is_a_secret() -> None:
    names = {field.name for field in fields(Settings)}
    assert not [name for name in names if name.endswith(("key", "token", "password")) or name == "secret"]


def test_a_secret_is_asked_for_once_in_a_while(aws: Platform, wire: Wire) -> None:
    for _ in range(3):
        assert config.secret("stripe") == emulator.SECRETS["stripe"]
    assert wire.calls == ["GetSecretValue"]
    assert config.SECRET_AGE_SECONDS <= 300


def test_a_secret_that_was_rolled_is_seen_when_its_age_is_over(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.secret("stripe")["webhookSecrets"] == ["whsec_local"]
    emulator.client("secretsmanager").put_secret_value(
        SecretId="bloxtr8/local/stripe", SecretString=json.dumps({"webhookSecrets": ["whsec_new"]})
    )
    assert config.secret("stripe")["webhookSecrets"] == ["whsec_local"]
    emulator._forget_parameters()
    assert config.secret("stripe")["webhookSecrets"] == ["whsec_new"]


class Later:
    """Secrets Manager, and the clock on the wall, as a test sets them."""

    def __init__(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment, self.value, self.asked = 1_800_000_000.0, {"key": "old"}, 0
        self.error: Exception | None = None
        monkeypatch.setattr(config.time, "time", lambda: self.moment)
        wire.instead("GetSecretValue", self._answer)

    def _answer(self, _: dict[str, object]) -> dict[str, str]:
        self.asked += 1
        if self.error:
            raise self.error
        return {"SecretString": json.dumps(self.value)}


@pytest.fixture
def later(aws: Platform, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Later:
    return Later(wire, monkeypatch)


BUSY = Refused("GetSecretValue", "ThrottlingException", "slow down")


@pytest.mark.parametrize("error", [NoAnswer("GetSecretValue: ReadTimeoutError"), BUSY], ids=["silent", "busy"])
def test_while_nobody_tells_a_secret_the_old_one_is_used_for_an_hour(later: Later, error: Exception) -> None:
    config.secret("tokens")
    later.moment += config.SECRET_AGE_SECONDS
    later.error = error
    with everything_logged() as lines:
        assert config.secret("tokens") == {"key": "old"}
        assert config.secret("tokens") == {"key": "old"}
    assert later.asked == 2  # the second of these two did not wait for another failure
    (line,) = lines
    assert "'secret': 'tokens', 'seconds': 300" in line
    assert "'key'" not in line

    later.moment += config.SECRET_OUTAGE_SECONDS - config.SECRET_AGE_SECONDS
    with pytest.raises(type(error)):
        config.secret("tokens")

    later.error, later.value = None, {"key": "new"}
    assert config.secret("tokens") == {"key": "new"}


def test_after_an_outage_the_new_secret_is_seen_within_seconds(later: Later) -> None:
    config.secret("tokens")
    later.moment += config.SECRET_AGE_SECONDS
    later.error = BUSY
    config.secret("tokens")
    later.error, later.value = None, {"key": "new"}
    later.moment += config.SECRET_RETRY_SECONDS
    assert config.secret("tokens") == {"key": "new"}


def test_a_secret_that_was_taken_away_is_used_no_more(later: Later) -> None:
    config.secret("tokens")
    later.moment += config.SECRET_AGE_SECONDS
    for code in ("ResourceNotFoundException", "AccessDeniedException"):
        later.error = Refused("GetSecretValue", code, "no")
        with pytest.raises(Refused, match=code):
            config.secret("tokens")
    later.error = BUSY  # an outage brings it back to nobody
    with pytest.raises(Refused, match="ThrottlingException"):
        config.secret("tokens")


def test_without_an_earlier_one_an_outage_is_an_error(later: Later) -> None:
    later.error = BUSY
    with pytest.raises(Refused, match="ThrottlingException"):
        config.secret("tokens")


def test_a_clock_that_was_set_back_keeps_no_secret(later: Later) -> None:
    config.secret("tokens")
    later.value = {"key": "new"}
    later.moment -= 3600
    assert config.secret("tokens") == {"key": "new"}


def test_a_secret_that_is_no_object_or_not_there_is_an_error(aws: Platform) -> None:
    emulator.client("secretsmanager").create_secret(Name="bloxtr8/local/list", SecretString="[1]")
    with pytest.raises(TypeError, match="list"):
        config.secret("list")
    with pytest.raises(Refused, match="ResourceNotFoundException"):
        config.secret("none")


@pytest.mark.parametrize(
    ("stage", "chain", "listed", "allowed"),
    [
        ("prod", 8453, "8453", True),
        ("prod", 8453, "84532", False),
        ("prod", 8453, "", False),
        ("prod", 8453, "84532, 8453", True),
        ("dev", 84532, "84532", True),
        ("dev", 845, "84532", False),
        ("local", 31337, "31337", True),
        ("local", 31337, "84532", False),
        ("prod", 31337, "31337", False),
        ("dev", 31337, "31337,84532", False),
    ],
)
def test_only_a_listed_chain_is_used_and_a_machines_own_only_there(
    monkeypatch: pytest.MonkeyPatch, stage: str, chain: int, listed: str, allowed: bool
) -> None:
    monkeypatch.setenv("STAGE", stage)
    monkeypatch.setenv("CHAIN_ID", str(chain))
    monkeypatch.setenv("CHAIN_IDS", listed)
    monkeypatch.setenv("CHAIN_RPC_URL", "http://127.0.0.1:1")
    if allowed:
        assert (config.chain_id(), config.rpc_url()) == (chain, "http://127.0.0.1:1")
        return
    for ask in (config.chain_id, config.rpc_url):
        with pytest.raises(errors.Unavailable):
            ask()


def test_base_itself_is_off_until_the_operator_lists_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.chain_id() == 84532
    settings.cache_clear()
    monkeypatch.setenv("CHAIN_ID", "8453")
    with pytest.raises(errors.Unavailable):
        config.chain_id()


def test_earlier_contracts_of_this_chain_are_honoured_beside_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now, before, first, other = ("0x" + digit * 40 for digit in "A12c")
    assert config.escrow_contracts() == ()
    monkeypatch.setenv("ESCROW_CONTRACT", now)
    monkeypatch.setenv("EARLIER_CONTRACTS", f"84532:{before}, 8453:{other} 84532:{first}")
    settings.cache_clear()
    assert config.escrow_contracts() == (now.lower(), before, first)
    monkeypatch.setenv("CHAIN_ID", "8453")
    settings.cache_clear()
    assert config.escrow_contracts() == (now.lower(), other)


def test_the_node_is_where_the_secret_says_unless_a_setting_says_so(
    aws: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.Unavailable):
        config.rpc_url()
    emulator.client("secretsmanager").put_secret_value(
        SecretId="bloxtr8/local/chain", SecretString=json.dumps({"rpcUrl": "https://node.example/key"})
    )
    emulator._forget_parameters()
    assert config.rpc_url() == "https://node.example/key"
    monkeypatch.setenv("CHAIN_RPC_URL", "http://127.0.0.1:8545")
    settings.cache_clear()
    assert config.rpc_url() == "http://127.0.0.1:8545"
