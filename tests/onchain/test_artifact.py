"""What is committed is what the sources compile to, byte for byte."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTIFACT = ROOT / "layers" / "shared" / "bloxtr8" / "rails" / "usdc" / "artifact.json"


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "onchain/build.mjs", "--check"], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def artifact() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(ARTIFACT.read_text())
    return read


def test_the_committed_artifact_is_what_the_sources_compile_to() -> None:
    answer = check(ROOT)

    assert answer.returncode == 0, answer.stderr


def test_one_changed_number_in_a_source_is_found(tmp_path: Path) -> None:
    committed = ARTIFACT.relative_to(ROOT)
    (tmp_path / committed).parent.mkdir(parents=True)
    shutil.copy(ARTIFACT, tmp_path / committed)
    shutil.copytree(ROOT / "onchain", tmp_path / "onchain", ignore=shutil.ignore_patterns("test"))
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    source = tmp_path / "onchain" / "Escrow.sol"
    text = source.read_text()
    assert "POSTPONEMENT = 90 days" in text
    source.write_text(text.replace("POSTPONEMENT = 90 days", "POSTPONEMENT = 91 days"))

    answer = check(tmp_path)

    assert answer.returncode == 1
    assert "artifact.json is not what the sources compile to" in answer.stderr


def test_it_says_what_it_was_compiled_with(artifact: dict[str, Any]) -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert artifact["compiler"].startswith(lock["node_modules/solc"]["version"] + "+")
    assert artifact["settings"]["evmVersion"] == "cancun"
    assert artifact["settings"]["metadata"] == {"bytecodeHash": "none"}


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
