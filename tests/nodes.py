"""A node of the chain that says what a test wants, where the real one (local.chain) can't be made to."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from werkzeug.wrappers import Request, Response

from bloxtr8 import config
from bloxtr8.outside import http
from local.chain.contracts import ORACLE as ORACLE
from local.doubles.web import Clock, Double, as_json, utc_now

CHAIN_ID = 84532
TOKEN = "0x036cbd53842c5426634e7929541ec2318f3dcf7e"


@contextlib.contextmanager
def known(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Iterator[None]:
    """The product is told of a node, and asks it without long pauses."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


class NodeDouble(Double):
    """A node that answers each method as the test says: with a result, or with a whole JSON-RPC answer of a function.

    A contract's word is put by its address: `double.words[address] = word`, an int of 32 bytes.
    """

    routes: ClassVar = {"POST /": "ask", "POST /v2/<key>": "ask"}

    def __init__(self, clock: Clock = utc_now) -> None:
        super().__init__(clock)
        self.asked: list[dict[str, Any]] = []
        self.results: dict[str, Any] = {"eth_chainId": hex(CHAIN_ID), "eth_blockNumber": "0x10", "eth_getCode": "0x"}
        self.words: dict[str, int] = {}
        self.odd: dict[str, Callable[[dict[str, Any]], Any]] = {}

    def ask(self, request: Request, key: str = "") -> Response:
        asked: dict[str, Any] = json.loads(request.get_data())
        self.asked.append(asked)
        method = asked["method"]
        if method in self.odd:
            return as_json(self.odd[method](asked))
        return as_json({"jsonrpc": "2.0", "id": asked["id"], "result": self._result(method, asked["params"])})

    def _result(self, method: str, params: list[Any]) -> Any:
        if method == "eth_call" and method not in self.results:
            word = self.words.get(params[0].get("to", ""))
            return "0x" if word is None else "0x" + word.to_bytes(32).hex()
        return self.results[method]
