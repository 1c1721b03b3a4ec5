"""The line between the platform and AWS: what was asked over it, and what a test lets get lost on it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError

from bloxtr8.aws_json import NoAnswer, Service

type Act = Callable[[dict[str, Any]], Any]


class Wire:
    """Every call of every AWS client, botocore's and our own, by its operation (`PutObject`, `TransactWriteItems`, …),
    in order. What is lost is lost for good: no client asks again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._instead: dict[str, Act] = {}
        self._once: dict[str, tuple[Act, bool]] = {}
        self._tap(monkeypatch, BaseClient, "_make_api_call", ConnectionClosedError(endpoint_url="https://aws.test"))
        self._tap(monkeypatch, Service, "ask", NoAnswer("Connection closed"))

    def _tap(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, broken: Exception) -> None:
        real = getattr(owner, name)

        def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
            with self._lock:
                self.calls.append(operation)
                act, after = self._once.pop(operation, (None, False))
            if operation in self._instead:
                return self._instead[operation](arguments)
            answer = None
            try:
                if act is not None and not after:
                    act(arguments)
                answer = real(client, operation, arguments)
                if act is not None and after:
                    act(arguments)
            except _Lost:
                raise broken from None
            return answer

        monkeypatch.setattr(owner, name, call)

    def instead(self, operation: str, answer: Act) -> None:
        """AWS is not asked; `answer` is."""
        self._instead[operation] = answer

    def before(self, operation: str, act: Callable[[], Any]) -> None:
        """The next such call comes only after `act`, which may itself call AWS."""
        self._once[operation] = (lambda _: act(), False)

    def lose(self, operation: str, *, done: bool) -> None:
        """The next such call gets no answer: AWS did it, or never heard of it."""
        self._once[operation] = (_lost, done)

    def round_trips(self) -> int:
        """How often DynamoDB was asked."""
        return sum(operation in _TABLE for operation in self.calls)


_TABLE = {"GetItem", "BatchGetItem", "Query", "PutItem", "DeleteItem", "TransactWriteItems"}


class _Lost(Exception):  # noqa: N818  (a sign between two functions of this file)
    pass


def _lost(_: dict[str, Any]) -> None:
    raise _Lost
