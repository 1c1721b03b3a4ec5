"""How risky a wallet is: the lists of the chain and a paid provider, up, down and odd; UNKNOWN is never LOW."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Request, Response

from bloxtr8 import clock as clock_module
from bloxtr8 import config
from bloxtr8.outside import screening
from bloxtr8.outside.screening import Risk
from local.chain.chain import Chain
from local.doubles.web import Double, as_json, serve
from tests.checks import everything_logged
from tests.emulator import Clock
from tests.nodes import ORACLE, TOKEN, NodeDouble, known

WALLET = "0x" + "ab" * 20
KEY = "a-key-that-costs-money"
BOTH = ["Chainalysis sanctions oracle", "USDC deny-list"]
WORDS = {"clean": 0, "listed": 1, "odd": 2, "silent": None}


class Provider(Double):
    """Chainalysis' Address Screening: an address has a risk once it is registered."""

    routes: ClassVar = {
        "POST /api/risk/v2/entities": "register",
        "GET /api/risk/v2/entities/<address>": "read",
    }

    def __init__(self) -> None:
        super().__init__()
        self.answer: dict[str, Any] = {}
        self.registered: set[str] = set()
        self.tokens: set[str | None] = set()

    def register(self, request: Request) -> Response:
        self.tokens.add(request.headers.get("Token"))
        self.registered.add(json.loads(request.get_data())["address"])
        return as_json({"address": WALLET}, 201)

    def read(self, request: Request, address: str) -> Response:
        self.tokens.add(request.headers.get("Token"))
        if address not in self.registered:
            return as_json({"message": "not registered"}, 404)
        return as_json({"address": address, "risk": "Low", "status": "COMPLETE", "triggers": []} | self.answer)


def screen(address: str) -> dict[str, Any]:
    """What is kept of a screening."""
    return screening.screen(address).evidence


@pytest.fixture
def provider(node: NodeDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider is configured, beside a node whose lists are clean."""
    double = Provider()
    monkeypatch.setattr(config, "secret", {"chain": {"screeningKey": KEY}}.__getitem__)
    with (
        serve(double.wsgi) as base,
        known(monkeypatch, SCREENING_PROVIDER="chainalysis", SCREENING_API_BASE=base),
    ):
        yield double


def test_clean_on_every_list_is_low_and_says_who_said_so(node: NodeDouble, clock: Clock) -> None:
    assert screen(WALLET) == {
        "risk": "LOW",
        "source": "sanctions only",
        "version": "block 16 of chain 84532",
        "at": clock_module.iso(clock.moment),
        "lists": BOTH,
    }
    asked = [ask["params"][0] for ask in node.asked if ask["method"] == "eth_call"]
    assert [(ask["to"], ask["data"]) for ask in asked] == [
        (ORACLE, "0xdf592f7d" + "00" * 12 + "ab" * 20),
        (TOKEN, "0xfe575a87" + "00" * 12 + "ab" * 20),
    ]


def test_the_lists_of_a_real_chain(chain: Chain) -> None:
    sanctioned, denied = "0x" + "5a" * 20, "0x" + "de" * 20
    chain.sanction(sanctioned)
    chain.deny(denied)
    assert screen(WALLET)["risk"] == "LOW"
    assert (screen(sanctioned)["risk"], screen(sanctioned)["source"]) == ("SANCTIONED", BOTH[0])
    assert (screen(denied)["risk"], screen(denied)["source"]) == ("SANCTIONED", BOTH[1])


@pytest.mark.parametrize(("oracle", "token"), list(itertools.product(WORDS, WORDS)))
def test_one_list_is_enough_to_condemn_and_all_are_needed_to_clear(node: NodeDouble, oracle: str, token: str) -> None:
    node.words |= {ORACLE: WORDS[oracle], TOKEN: WORDS[token]}
    found = screen(WALLET)
    if "listed" in {oracle, token}:
        assert found["risk"] == "SANCTIONED"
        assert found["source"] == ", ".join(
            name for name, word in zip(BOTH, (oracle, token), strict=True) if word == "listed"
        )
    else:
        assert found["risk"] == ("LOW" if oracle == token == "clean" else "UNKNOWN")


@pytest.mark.parametrize("answer", ["0x" + "00" * 31, "0x" + "00" * 33, "0x" + "00" * 64, "0x01" + "00" * 31, "0x"])
def test_an_answer_of_another_length_or_value_is_none(node: NodeDouble, answer: str) -> None:
    node.results["eth_call"] = answer
    assert screen(WALLET)["risk"] == "UNKNOWN"


def test_a_list_that_reverts_gives_no_answer(node: NodeDouble) -> None:
    node.odd["eth_call"] = lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": 3, "message": ""}}
    assert screen(WALLET)["risk"] == "UNKNOWN"


@pytest.mark.parametrize("status", [429, 500])
def test_a_node_that_is_down_makes_it_unknown(node: NodeDouble, status: int) -> None:
    node.faults.put("/", status=status, times=None, headers={"Retry-After": "60"})
    found = screen(WALLET)
    assert (found["risk"], found["lists"]) == ("UNKNOWN", BOTH)


def test_a_node_of_another_chain_makes_it_unknown(node: NodeDouble) -> None:
    node.results["eth_chainId"] = "0x1"
    assert screen(WALLET)["risk"] == "UNKNOWN"


@pytest.mark.parametrize("setting", [{"CHAIN_IDS": "1"}, {"CHAIN_RPC_URL": ""}])
def test_a_chain_that_is_not_set_up_makes_it_unknown(
    node: NodeDouble, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    monkeypatch.setattr(config, "secret", {"chain": {}}.__getitem__)
    with known(monkeypatch, **setting):
        assert screen(WALLET)["risk"] == "UNKNOWN"


def test_no_list_at_all_is_unknown(node: NodeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    with known(monkeypatch, SANCTIONS_ORACLE="", USDC_ADDRESS=""):
        found = screen(WALLET)
    assert (found["risk"], found["source"], found["lists"]) == ("UNKNOWN", "", [])
    assert node.asked == []


@pytest.mark.parametrize(("setting", "left"), [("SANCTIONS_ORACLE", BOTH[1]), ("USDC_ADDRESS", BOTH[0])])
def test_a_list_that_is_not_there_on_this_chain_is_not_asked(
    node: NodeDouble, monkeypatch: pytest.MonkeyPatch, setting: str, left: str
) -> None:
    with known(monkeypatch, **{setting: ""}):
        found = screen(WALLET)
    assert (found["risk"], found["lists"]) == ("LOW", [left])


# --- the paid provider

SAID = {"Low": "LOW", "Medium": "MEDIUM", "High": "HIGH", "Severe": "HIGH"}


@pytest.mark.parametrize("said", SAID)
def test_the_provider_grades_what_the_lists_leave(provider: Provider, said: str) -> None:
    provider.answer["risk"] = said
    found = screen(WALLET)
    assert (found["risk"], found["source"]) == (SAID[said], "chainalysis")
    assert found["version"] == "block 16 of chain 84532, Chainalysis risk/v2"
    assert found["lists"] == [*BOTH, "chainalysis"]
    assert provider.tokens == {KEY}


@pytest.mark.parametrize(
    "known_as",
    [
        {"addressIdentifications": [{"name": "SDN", "category": "sanctions"}]},
        {"addressIdentifications": [{"category": "scam"}, {"category": "Sanctioned Entity"}]},
        {"cluster": {"name": "SDN", "category": "sanctions"}},
        {"cluster": {"category": "sanctions"}, "status": "IN_PROGRESS", "risk": None},
    ],
)
def test_who_the_provider_knows_as_sanctioned_is(provider: Provider, known_as: dict[str, Any]) -> None:
    provider.answer = {"risk": "Severe"} | known_as
    assert screen(WALLET)["risk"] == "SANCTIONED"


@pytest.mark.parametrize(
    "answer",
    [
        {"risk": None},
        {"risk": "low"},
        {"risk": "None"},
        {"risk": ["Low"]},
        {"status": "IN_PROGRESS"},
        {"status": None},
        {"address": "0x" + "cd" * 20},
        {"addressIdentifications": {"category": "sanctions"}},
        {"cluster": "sanctions"},
    ],
)
def test_an_odd_answer_of_the_provider_is_none(provider: Provider, answer: dict[str, Any]) -> None:
    provider.answer = answer
    found = screen(WALLET)
    assert (found["risk"], found["source"]) == ("UNKNOWN", "chainalysis")


@pytest.mark.parametrize("path", ["entities$", "entities/"])
@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 500}, {"drop": True}, {"body": "no"}])
def test_a_provider_that_is_down_makes_it_unknown(provider: Provider, path: str, fault: dict[str, Any]) -> None:
    provider.faults.put(path, times=None, **fault)
    assert screen(WALLET)["risk"] == "UNKNOWN"


def test_a_list_condemns_whatever_the_provider_says(provider: Provider, node: NodeDouble) -> None:
    node.words[TOKEN] = 1
    assert screen(WALLET)["risk"] == "SANCTIONED"
    provider.faults.put("entities", status=500, times=None)
    assert screen(WALLET)["risk"] == "SANCTIONED"


def test_a_good_grade_makes_up_for_no_silent_list(provider: Provider, node: NodeDouble) -> None:
    del node.words[ORACLE]
    assert screen(WALLET)["risk"] == "UNKNOWN"


def test_a_grade_without_any_list_is_unknown(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    with known(monkeypatch, SANCTIONS_ORACLE="", USDC_ADDRESS=""):
        assert screen(WALLET)["risk"] == "UNKNOWN"


@pytest.mark.parametrize("secret", [{}, {"screeningKey": ""}, {"screeningKey": 1}])
def test_a_provider_without_a_key_makes_it_unknown(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, secret: dict[str, Any]
) -> None:
    monkeypatch.setattr(config, "secret", {"chain": secret}.__getitem__)
    assert screen(WALLET)["risk"] == "UNKNOWN"
    assert provider.calls == []


def test_a_provider_that_nobody_knows_makes_it_unknown(node: NodeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    with known(monkeypatch, SCREENING_PROVIDER="somebody"):
        found = screen(WALLET)
    assert (found["risk"], found["source"]) == ("UNKNOWN", "somebody")


def test_neither_key_nor_wallet_is_logged(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    provider.faults.put("entities/", status=500, times=None)
    with everything_logged() as lines:
        screen(WALLET)
    told = caplog.text + "".join(lines)
    assert "chainalysis" in told
    assert not [secret for secret in (KEY, WALLET) if secret in told]


NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@given(risk=st.sampled_from(Risk), age=st.integers(-10, 200_000))
def test_a_screening_is_good_for_a_day_if_it_said_something(risk: Risk, age: int) -> None:
    evidence = {"risk": str(risk), "at": clock_module.iso(NOW - dt.timedelta(seconds=age))}
    assert screening.is_fresh(evidence, NOW) is (risk is not Risk.UNKNOWN and age < 86_400)


def test_no_screening_is_not_fresh() -> None:
    assert not screening.is_fresh(None, NOW)
