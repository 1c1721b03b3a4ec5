"""Plain moto still does it wrong. Where a test fails here moto has learned it: drop that correction and its trial."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.moto_trials import TRIALS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """What comes out of every trial on moto as it is, in a process where nothing was corrected."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.local.moto_trials", *TRIALS],
        capture_output=True, cwd=ROOT, check=True, text=True, timeout=120,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", TRIALS)
def test_plain_moto_gets_it_wrong(name: str, plain: dict[str, Any]) -> None:
    assert plain[name] != json.loads(json.dumps(TRIALS[name][1]))


@pytest.mark.parametrize("name", ["moto", "aws-sam-cli"])
def test_what_is_corrected_is_pinned_and_installed_as_pinned(name: str) -> None:
    pins = re.findall(rf"^{name}(?:\[[^\]]*\])?==(\S+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    assert pins == [importlib.metadata.version(name)]


def test_internals_are_imported_in_one_place_each() -> None:
    places: dict[str, set[str]] = {"moto": set(), "samcli": set()}
    for path in (ROOT / "local").rglob("*.py"):
        for name in re.findall(r"^\s*(?:from|import) (moto|samcli)\b", path.read_text(), re.MULTILINE):
            places[name].add(path.relative_to(ROOT / "local").parts[0])
    assert places == {"moto": {"motofix"}, "samcli": {"gateway.py"}}
