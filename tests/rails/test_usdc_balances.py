"""What lies in many vaults, asked of a real node in one request; what is no whole answer is none."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bloxtr8 import config
from bloxtr8.errors import Unavailable, UpstreamFailed
from bloxtr8.outside import http
from bloxtr8.outside.http import Answer, Talk
from bloxtr8.rails.usdc import balances
from local.chain.chain import Chain

VAULTS = [f"0x{number:040x}" for number in range(0xA000, 0xA032)]  # a page of them
BUYER = "0x" + "b1" * 20


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """The product is told something else about the chain."""

    def tell(**settings: object) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name, str(value))
        config.settings.cache_clear()

    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    yield tell
    config.settings.cache_clear()


def test_a_page_of_vaults_is_one_request(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.mint(BUYER, 3_000_001)
    chain.transfer(BUYER, VAULTS[7], 3_000_000)
    chain.transfer(BUYER, VAULTS[49], 1)
    asked: list[int] = []
    real = Talk.post_json

    def counted(talk: Talk, url: str, value: Any, headers: Any = None) -> Answer:
        asked.append(len(value))
        return real(talk, url, value, headers)

    monkeypatch.setattr(Talk, "post_json", counted)

    found = balances.at_finality(VAULTS)

    assert {vault: units for vault, units in found.items() if units} == {VAULTS[7]: 3_000_000, VAULTS[49]: 1}
    assert list(found) == VAULTS
    assert asked == [51]


def test_what_is_not_final_is_not_there(chain: Chain, told: Callable[..., None]) -> None:
    told(CHAIN_FINALITY="finalized")
    chain.mint(BUYER, 500)
    chain.mine(8)
    chain.transfer(BUYER, VAULTS[0], 500)

    assert balances.at_finality(VAULTS[:1]) == {VAULTS[0]: 0}
    chain.mine(8)
    assert balances.at_finality(VAULTS[:1]) == {VAULTS[0]: 500}


def test_another_token_counts_for_nothing(chain: Chain) -> None:
    bridged = chain.other_token()
    chain.mint(VAULTS[1], 700, bridged)

    assert balances.at_finality(VAULTS[:2]) == {VAULTS[0]: 0, VAULTS[1]: 0}


def test_the_ether_of_accounts(chain: Chain) -> None:
    chain.fund(BUYER, 12_345)
    assert balances.ether([BUYER, VAULTS[0]]) == {BUYER: 12_345, VAULTS[0]: 0}


@pytest.mark.parametrize(
    "settings",
    [
        {"CHAIN_ID": "8453", "CHAIN_IDS": "8453"},
        {"USDC_ADDRESS": "0x" + "77" * 20},
        {"CHAIN_FINALITY": "never"},
        {"CHAIN_RPC_URL": "http://127.0.0.1:1/v2/a-key"},
    ],
    ids=["another chain", "no token", "no such tag", "no node"],
)
def test_a_node_that_can_not_be_asked_says_nothing(
    chain: Chain, told: Callable[..., None], settings: dict[str, str]
) -> None:
    told(**settings)
    with pytest.raises(UpstreamFailed):
        balances.at_finality(VAULTS[:2])


def test_a_chain_that_is_not_listed_is_not_asked(chain: Chain, told: Callable[..., None]) -> None:
    told(CHAIN_ID="8453")
    with pytest.raises(Unavailable):
        balances.at_finality(VAULTS[:2])


def test_what_is_no_whole_answer_is_none(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    whole = [{"id": 0, "result": hex(chain.id)}, {"id": 1, "result": "0x" + "0" * 63 + "5"}]
    bodies: dict[str, Any] = {
        "an error for all": {"error": {"code": -32600}},
        "an error for one": [whole[0], {"id": 1, "error": {"code": 3}}],
        "one is missing": whole[:1],
        "no ids": [{"result": "0x1"}] * 2,
        "a word too short": [whole[0], {"id": 1, "result": "0x5"}],
        "no code there": [whole[0], {"id": 1, "result": "0x"}],
        "no hex": [whole[0], {"id": 1, "result": "0x" + "g" * 64}],
        "no text": [whole[0], {"id": 1, "result": 5}],
        "another chain": [{"id": 0, "result": "0x1"}, whole[1]],
        "null": None,
    }
    for name, body in bodies.items():
        with subtests.test(name):
            said = Answer(200, json.dumps(body).encode())
            monkeypatch.setattr(Talk, "post_json", lambda *_, said=said: said)
            with pytest.raises(UpstreamFailed):
                balances.at_finality(VAULTS[:1])
    said = Answer(200, json.dumps(whole[::-1]).encode())
    monkeypatch.setattr(Talk, "post_json", lambda *_: said)
    assert balances.at_finality(VAULTS[:1]) == {VAULTS[0]: 5}
