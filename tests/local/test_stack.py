"""A stack has its process to itself while it runs, and leaves it as it was."""

import json
import os
import sys
from pathlib import Path

import pytest
from moto import mock_aws

from local.stack import Stack
from tests.local.conftest import HOUSE, stored


def test_a_stopped_stack_leaves_the_process_as_it_was() -> None:
    before = dict(os.environ), list(sys.path), sys.stdout
    with Stack(HOUSE, parameters={"Greeting": "hi"}) as stack:
        assert os.environ["GREETING"] == "hi"
        assert json.loads(stack.invoke("greet")["body"])["GREETING"] == "hi"
        folder = stack.clock.file.parent
    assert (dict(os.environ), list(sys.path), sys.stdout) == before
    assert "smallhouse" not in sys.modules
    assert not folder.exists()


def test_a_second_stack_or_a_mock_beside_it_is_refused_and_the_next_one_is_empty() -> None:
    with Stack(HOUSE) as stack:
        with pytest.raises(RuntimeError, match="a stack runs in this process"):
            Stack(HOUSE).start()
        with pytest.raises(RuntimeError, match="a stack runs in this process"), mock_aws():
            pass
        stack.invoke("misbehave", {"remember": "first", "token": "t"})
        assert stored(stack, "TOKEN#first") == {"PK": "TOKEN#first", "SK": "META", "seen": "1", "token": "t"}
    with Stack(HOUSE) as stack:
        assert stored(stack, "TOKEN#first") is None
        stack.invoke("misbehave", {"remember": "first", "token": "t"})
        assert stored(stack, "TOKEN#first")["seen"] == "1"  # type: ignore[index]


def test_a_stack_beside_a_mock_is_refused() -> None:
    with mock_aws(), pytest.raises(RuntimeError, match="mock_aws is active"):
        Stack(HOUSE).start()


def test_a_stack_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text(
        HOUSE.read_text().replace("functions/", f"{HOUSE.parent}/functions/").replace("!Ref Bus", "!Ref Nobody")
    )
    before = dict(os.environ), list(sys.path), sys.stdout
    with pytest.raises(Exception, match="Nobody"):
        Stack(broken, folder=tmp_path).start()
    assert (dict(os.environ), list(sys.path), sys.stdout) == before
    assert not (tmp_path / "stack.json").exists()
    with mock_aws():
        pass


def test_addresses_are_in_stack_json_while_it_runs(tmp_path: Path) -> None:
    with Stack(HOUSE, folder=tmp_path) as stack:
        assert json.loads((tmp_path / "stack.json").read_text()) == stack.addresses
        stack.invoke("greet")
    assert not (tmp_path / "stack.json").exists()
    assert "greeting on standard output" in (tmp_path / "logs/greet.log").read_text()
