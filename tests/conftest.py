"""Tests run on the corrected emulator, with nothing real in reach; the doubles answer on loopback."""

import datetime as dt
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers/shared")]
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    STAGE="local",
    TABLE_NAME="bloxtr8-local",
    CONTRACTS_BUCKET="bloxtr8-local-contracts",
    EVIDENCE_BUCKET="bloxtr8-local-evidence",
    SECRET_PREFIX="bloxtr8/local",
    EVENT_BUS="bloxtr8-local",
    POWERTOOLS_SERVICE_NAME="bloxtr8",
    POWERTOOLS_METRICS_NAMESPACE="Bloxtr8",
    POWERTOOLS_LOG_LEVEL="CRITICAL",
)

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from moto import mock_aws  # noqa: E402

from bloxtr8.aws_json import Answer, Service  # noqa: E402
from local.doubles.stripe.double import StripeDouble  # noqa: E402
from local.doubles.web import serve  # noqa: E402
from local.motofix import direct  # noqa: E402
from tests import doubles, emulator  # noqa: E402
from tests.emulator import Clock, Platform  # noqa: E402
from tests.wire import Wire  # noqa: E402

if TYPE_CHECKING:
    from local.chain.chain import Chain
    from tests.nodes import NodeDouble

MOMENT = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)

# A busy machine makes no rule wrong; a check that decides a landing tries the same examples each time.
settings.register_profile("tests", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _nothing_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AWS itself would be asked, moto is, or nobody."""
    post = Service.post

    def posted(service: Service, headers: Mapping[str, str], body: bytes, operation: str) -> Answer:
        if not service.url.endswith(".amazonaws.com"):
            return post(service, headers, body, operation)
        found = direct.answer(f"{service.url}/", headers, body)
        assert found is not None, f"{operation} outside of mock_aws"
        return Answer(*found)

    monkeypatch.setattr(Service, "post", posted)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The platform's clock, standing still at a known moment until a test moves it."""
    from bloxtr8 import clock as module

    moved = Clock(MOMENT)
    monkeypatch.setattr(module, "now", moved.now)
    return moved


@pytest.fixture(scope="session")
def roblox_stage() -> Iterator[tuple[doubles.Stage, str]]:
    """Where Roblox answers in this session, and its address."""
    stage = doubles.Stage()
    with serve(stage, poll_seconds=0.5) as base:
        yield stage, base


@pytest.fixture
def roblox(
    clock: Clock, roblox_stage: tuple[doubles.Stage, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[doubles.Roblox]:
    """Roblox as this test sets it up: empty at first, all its hosts at one address."""
    from bloxtr8 import config
    from bloxtr8.outside import http

    stage, base = roblox_stage
    stage.double = double = doubles.Roblox(doubles.still(clock))
    for name in ("ROBLOX_API_BASE", "ROBLOX_GROUPS_BASE", "ROBLOX_GAMES_BASE"):
        monkeypatch.setenv(name, base)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    doubles.shorten(monkeypatch, base, double)
    config.settings.cache_clear()
    yield double
    config.settings.cache_clear()


@pytest.fixture(scope="session")
def discord_stage() -> Iterator[tuple[doubles.Stage, str]]:
    """Where Discord answers in this session, and its address."""
    stage = doubles.Stage()
    with serve(stage, poll_seconds=0.5) as base:
        yield stage, base


@pytest.fixture
def discord(
    clock: Clock, discord_stage: tuple[doubles.Stage, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[doubles.Discord]:
    """Discord as this test sets it up: nobody is known at first."""
    from bloxtr8 import config

    stage, base = discord_stage
    stage.double = double = doubles.Discord(doubles.still(clock))
    monkeypatch.setenv("DISCORD_API_BASE", base)
    doubles.shorten(monkeypatch, base, double)
    config.settings.cache_clear()
    yield double
    config.settings.cache_clear()


@pytest.fixture
def node(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator["NodeDouble"]:
    """A node that says what the test wants; it knows a token and an oracle which list nobody."""
    from tests import nodes

    double = nodes.NodeDouble(doubles.still(clock))
    double.words |= {nodes.ORACLE: 0, nodes.TOKEN: 0}
    with (
        serve(double.wsgi) as base,
        nodes.known(monkeypatch, CHAIN_RPC_URL=base, USDC_ADDRESS=nodes.TOKEN, SANCTIONS_ORACLE=nodes.ORACLE),
    ):
        doubles.shorten(monkeypatch, base, double)
        yield double


@pytest.fixture
def stripe(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeDouble]:
    """Stripe as this test sets it up, behind the product's own client. After every test no cent is made or lost."""
    from bloxtr8.rails import stripe_client

    double = StripeDouble(lambda: aws.clock.moment, opening_balance=1_000_000)
    client = stripe_client.build("sk_test_local", http_client=double.http_client())
    monkeypatch.setattr(stripe_client, "client", lambda: client)
    yield double
    assert double.ledger_sum() == 0


@pytest.fixture
def aws(clock: Clock, roblox: doubles.Roblox) -> Iterator[Platform]:
    """An empty platform on the emulator: the table, the buckets, the secrets and the machines of the template."""
    from tests import factories

    with mock_aws():
        platform = emulator.build(clock)
        factories.stand_on(platform, roblox)
        yield platform


@pytest.fixture(scope="session")
def anvil() -> Iterator["Chain"]:
    """The chain of this session, with everything deployed; its time begins where `clock` stands."""
    from local.chain.chain import Chain

    with Chain(timestamp=int(MOMENT.timestamp())) as started:
        yield started


@pytest.fixture
def chain(aws: Platform, anvil: "Chain", monkeypatch: pytest.MonkeyPatch) -> Iterator["Chain"]:
    """The chain as at its start, and the product set up for it: a key in KMS signs, and its account may settle."""
    from bloxtr8 import config
    from local.chain import settings

    anvil.reset()
    kms = emulator.client("kms")
    key_id = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    anvil.allow_operator(settings.address_of(kms.get_public_key(KeyId=key_id)["PublicKey"]))
    for name, value in settings.environment(anvil, key_id).items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    yield anvil
    config.settings.cache_clear()


@pytest.fixture
def wire(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The line between the platform and AWS, from here on in the test."""
    return Wire(monkeypatch)
