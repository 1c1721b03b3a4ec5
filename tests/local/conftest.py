"""The small house on the local platform."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack

HOUSE = Path(__file__).parent / "house/template.yaml"
ANN = {"Authorization": "Bearer ann"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The small house, once a file: it has moto for itself."""
    with Stack(HOUSE, pace=0.02) as running:
        yield running


@pytest.fixture
def row(stack: Stack) -> Callable[[str], dict[str, Any]]:
    """A row of the house's table by its PK, once it is there."""

    def look(pk: str) -> dict[str, Any]:
        return until(lambda: stored(stack, pk))

    return look


def stored(stack: Stack, pk: str) -> dict[str, Any] | None:
    """A row of the house's table in plain values, or None."""
    found = stack.client("dynamodb").get_item(
        TableName="house-local", Key={"PK": {"S": pk}, "SK": {"S": "META"}}, ConsistentRead=True
    )
    item = found.get("Item")
    return item and {name: next(iter(value.values())) for name, value in item.items()}


def until(look: Callable[[], Any], timeout_seconds: float = 15) -> Any:
    """What `look` finds, once it finds something."""
    ends = time.monotonic() + timeout_seconds
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.01)
    raise TimeoutError("waited in vain")


def pids(text: str) -> set[int]:
    """Processes with `text` in their environment, but this one (Linux)."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if text in (entry / "environ").read_text(errors="replace"):
                    found.add(int(entry.name))
    return found
