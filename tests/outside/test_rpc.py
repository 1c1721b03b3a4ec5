"""The chain's node: answers of the right form alone, a revert told from a failure, and a key that nobody sees."""

from typing import Any

import pytest

from bloxtr8 import config, errors
from bloxtr8.outside.rpc import Node, Reverted
from local.chain.chain import Chain
from tests.checks import everything_logged
from tests.nodes import CHAIN_ID, TOKEN, NodeDouble

WORD = "0x" + "00" * 31 + "01"
KEY = "a-key-that-costs-money"


def test_answers_are_typed(node: NodeDouble) -> None:
    node.results |= {"eth_call": WORD, "eth_getCode": "0x60FF", "eth_blockNumber": "0x1b4"}
    asked = Node()
    assert asked.call_contract(TOKEN, b"\x01\x02") == bytes(31) + b"\x01"
    assert asked.code_at(TOKEN) == b"\x60\xff"
    assert asked.block_number() == 436
    assert asked.rehearse_creation(b"\x5f") == bytes(31) + b"\x01"
    calls = [ask["params"] for ask in node.asked if ask["method"] == "eth_call"]
    assert [(call[0].get("to"), call[0]["data"], call[1]) for call in calls] == [
        (TOKEN, "0x0102", "latest"),
        (None, "0x5f", "latest"),
    ]
    assert {len(call[0]["from"]) for call in calls} == {42}


def test_a_real_node_answers_and_reverts(chain: Chain) -> None:
    asked = Node()
    assert asked.block_number() == chain.height()
    assert asked.call_contract("0x" + "77" * 20, b"") == b""
    assert asked.code_at(chain.usdc)[:1] == b"\x60"
    with pytest.raises(Reverted) as found:
        asked.rehearse_creation(bytes.fromhex("63deadbeef5f526004601cfd"))
    assert found.value.data == bytes.fromhex("deadbeef")
    with pytest.raises(Reverted):
        asked.call_contract(chain.usdc, b"\xff\xff\xff\xff")


def error(**fields: Any) -> Any:
    return lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "error": fields}


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (error(code=3, message="execution reverted", data="0xdeadbeef"), b"\xde\xad\xbe\xef"),
        (error(code=3, message="execution reverted: no"), b""),
        (error(code=-32000, message="execution reverted"), b""),
        (error(code=-32603, message="VM Exception while processing transaction: revert", data={"a": 1}), b""),
    ],
)
def test_a_revert_is_an_answer(node: NodeDouble, answer: Any, data: bytes) -> None:
    node.odd["eth_call"] = answer
    with pytest.raises(Reverted) as found:
        Node().call_contract(TOKEN, b"")
    assert found.value.data == data


ODD = {
    "limit": error(code=-32005, message="limit exceeded"),
    "no code": error(message="execution"),
    "odd revert": error(code=3, message="execution reverted", data="0xf"),
    "error as text": lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "error": "no"},
    "error beside a result": lambda asked: {
        "jsonrpc": "2.0",
        "id": asked["id"],
        "result": WORD,
        "error": {"code": 1, "message": ""},
    },
    "nothing": lambda asked: {"jsonrpc": "2.0", "id": asked["id"]},
    "another id": lambda asked: {"jsonrpc": "2.0", "id": asked["id"] + 1, "result": WORD},
    "another version": lambda asked: {"id": asked["id"], "result": WORD},
    "a list": lambda asked: [{"jsonrpc": "2.0", "id": asked["id"], "result": WORD}],
    "null": lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "result": None},
    "a number": lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "result": 1},
    "half a byte": lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "result": "0x1"},
    "no prefix": lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "result": "00" * 32},
    "no hex": lambda asked: {"jsonrpc": "2.0", "id": asked["id"], "result": "0xzz"},
}


@pytest.mark.parametrize("name", ODD)
def test_anything_else_is_no_answer(node: NodeDouble, name: str) -> None:
    node.odd["eth_call"] = ODD[name]
    with pytest.raises(errors.UpstreamFailed):
        Node().call_contract(TOKEN, b"")


@pytest.mark.parametrize("number", ["1", "0x", "0x01", "0xG", "-0x1", 1, None, "0x" + "f" * 65])
def test_a_number_has_one_form(node: NodeDouble, number: Any) -> None:
    node.results["eth_blockNumber"] = number
    with pytest.raises(errors.UpstreamFailed):
        Node().block_number()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_http_error_is_an_outage(node: NodeDouble, status: int) -> None:
    node.faults.put("/", status=status, times=None, headers={"Retry-After": "60"})
    with pytest.raises(errors.UpstreamFailed):
        Node().block_number()


def test_a_question_is_asked_again(node: NodeDouble) -> None:
    node.faults.put("/", drop=True, times=2)
    assert Node().block_number() == 16


def test_a_node_of_another_chain_is_not_believed(node: NodeDouble) -> None:
    node.results["eth_chainId"] = "0x1"
    asked = Node()
    for ask in (asked.block_number, lambda: asked.code_at(TOKEN), lambda: asked.call_contract(TOKEN, b"")):
        with pytest.raises(errors.UpstreamFailed):
            ask()
    assert {ask["method"] for ask in node.asked} == {"eth_chainId"}


def test_the_chain_is_asked_for_once(node: NodeDouble) -> None:
    for _ in range(3):
        Node().block_number()
    methods = [ask["method"] for ask in node.asked]
    assert methods == ["eth_chainId", *["eth_blockNumber"] * 3]


def test_a_chain_that_is_not_allowed_is_not_asked(node: NodeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAIN_ID", "8453")
    config.settings.cache_clear()
    with pytest.raises(errors.Unavailable):
        Node().block_number()
    assert node.asked == []


def test_the_node_is_the_secrets_where_no_setting_names_one(node: NodeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    url = config.settings().chain_rpc_url
    monkeypatch.setenv("CHAIN_RPC_URL", "")
    config.settings.cache_clear()
    secret: dict[str, Any] = {"rpcUrl": f"{url}/v2/{KEY}"}
    monkeypatch.setattr(config, "secret", {"chain": secret}.__getitem__)
    assert Node().block_number() == 16
    assert {call["path"] for call in node.calls} == {f"/v2/{KEY}"}
    del secret["rpcUrl"]
    with pytest.raises(errors.Unavailable):
        Node().block_number()


@pytest.mark.parametrize("fault", [{"status": 401}, {"drop": True}, {"status": 302}, {"body": "no"}])
def test_the_key_in_the_nodes_address_is_in_no_log_and_no_error(
    node: NodeDouble, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CHAIN_RPC_URL", f"{config.settings().chain_rpc_url}/v2/{KEY}")
    config.settings.cache_clear()
    node.faults.put("/", times=None, **fault)
    caplog.set_level("DEBUG")
    with everything_logged() as lines, pytest.raises(errors.UpstreamFailed) as failed:
        Node().block_number()
    assert KEY not in "".join([*lines, caplog.text, str(failed.value), repr(vars(failed.value))])
    assert "The chain's node" in "".join(lines)
    assert failed.value.__cause__ is None


def test_a_node_that_is_nowhere_is_an_outage_and_its_key_stays_unseen(
    node: NodeDouble, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for url in (f"http://127.0.0.1:1/v2/{KEY}", f"http://[/{KEY}"):
        monkeypatch.setenv("CHAIN_RPC_URL", url)
        config.settings.cache_clear()
        with pytest.raises(errors.UpstreamFailed) as failed:
            Node().block_number()
        assert KEY not in caplog.text + str(failed.value)


def test_the_double_and_the_settings_speak_of_one_chain() -> None:
    assert config.Settings().chain_id == CHAIN_ID
