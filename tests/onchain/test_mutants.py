"""The list of mutants: every one of them is one, and one that no test notices is told."""

from pathlib import Path

import pytest

from onchain import mutants
from onchain.mutations import MUTANTS, Mutant

BOUND = "paid > terms.amount"


def test_every_mutants_text_stands_once_in_the_contracts(tmp_path: Path) -> None:
    for number, mutant in enumerate(MUTANTS):
        mutants.mutate(mutant, tmp_path / str(number))

    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.file for mutant in MUTANTS} == set(mutants.SOURCES)


@pytest.mark.parametrize(("old", "times"), [("an older text", 0), ("terms.buyer", 5)])
def test_a_text_that_does_not_stand_once_is_an_error_of_the_list(old: str, times: int, tmp_path: Path) -> None:
    with pytest.raises(mutants.NotAMutant, match=f"{times} times in Escrow.sol: {old}"):
        mutants.mutate(Mutant("a stale one", ((old, ""),)), tmp_path / "stale")


@pytest.mark.slow
def test_a_mutant_that_no_test_notices_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alive = Mutant("the same in other words", ((BOUND, "paid >= uint256(terms.amount) + 1"),))
    dead = Mutant("one unit more", ((BOUND, "paid > uint256(terms.amount) + 1"),))
    monkeypatch.setattr(mutants, "MUTANTS", (alive, dead))

    assert mutants.main([]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "the same in other words  LIVES"
    assert lines[1].startswith("one unit more           ")
    assert "LIVES" not in lines[1]
    assert lines[2] == "2 mutants, 1 caught by a test, 1 alive"
