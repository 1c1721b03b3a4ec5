"""`python -m onchain.mutants`: what each test is for. Every mutant of the contracts must make the forge tests fail.

A mutant is the contracts with one exact text replaced. One whose text is not there exactly once, that does not compile,
or that compiles to the same bytes is an error of this list; one that no test notices is a missing test.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.chain.node import ROOT
from onchain.forge import compile_each, forge
from onchain.mutations import MUTANTS, Mutant

ARTIFACT = ROOT / "layers" / "shared" / "bloxtr8" / "rails" / "usdc" / "artifact.json"
SCRATCH = ROOT / ".local" / "mutants"  # forge reads inside the repository only
SOURCES = ("Escrow.sol", "EscrowVault.sol")
TESTS = ("test", "--no-match-contract", "Invariants")  # which find them too, and take longer
FAILED = re.compile(r"^\[FAIL.*\] (\w+)\(", re.MULTILINE)


class NotAMutant(Exception):
    """The replacement itself is wrong."""


def mutate(mutant: Mutant, folder: Path) -> None:
    """The contracts, with the mutant's text replaced, in a new `folder`. Raises NotAMutant."""
    folder.mkdir()
    for name in SOURCES:
        shutil.copy(ROOT / "onchain" / name, folder / name)
    path = folder / mutant.file
    text = path.read_text()
    for old, new in mutant.replaced:
        if text.count(old) != 1:
            raise NotAMutant(f"{mutant.name}: {text.count(old)} times in {mutant.file}: {old}")
        text = text.replace(old, new)
    path.write_text(text)


def killers(folder: Path) -> list[str]:
    """The tests that fail for the mutant in `folder`. Raises NotAMutant."""
    artifact = folder / "artifact.json"
    if artifact.read_bytes() == ARTIFACT.read_bytes():
        raise NotAMutant(f"{folder} compiles to the same bytes")
    answer = forge(
        *TESTS,
        ESCROW_ARTIFACT=str(artifact),
        FOUNDRY_FUZZ_RUNS="64",
        FOUNDRY_FUZZ_FAILURE_PERSIST_DIR=str(folder / "fuzz"),
    )
    failed = sorted(set(FAILED.findall(answer.stdout)))  # forge says each twice
    if (answer.returncode == 0) == bool(failed):
        raise NotAMutant(f"{folder}: forge neither passed nor failed a test:\n{answer.stdout}")
    return failed


def main(names: Sequence[str]) -> int:
    """Every mutant, or those whose names begin so; 1 where one lives."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name.startswith(tuple(names))]
    whole = forge(*TESTS)
    if whole.returncode != 0 or not chosen:
        print(f"{whole.stdout}\nThe contracts themselves fail, or no mutant has that name.")
        return 1
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch, ThreadPoolExecutor(2) as pool:
        folders = [Path(scratch) / str(number) for number, _ in enumerate(chosen)]
        for mutant, folder in zip(chosen, folders, strict=True):
            mutate(mutant, folder)
        list(pool.map(compile_each, (folders[::2], folders[1::2])))
        found = list(pool.map(killers, folders))
    width = max(len(mutant.name) for mutant in chosen)
    for mutant, tests in zip(chosen, found, strict=True):
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        print(f"{mutant.name:{width}}  {tests[0] + more if tests else 'LIVES'}")
    lives = found.count([])
    print(f"{len(chosen)} mutants, {len(chosen) - lives} caught by a test, {lives} alive")
    return 1 if lives else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
