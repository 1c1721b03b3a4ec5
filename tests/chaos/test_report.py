"""What `make chaos REPORT=1` prints, and when it fails: of outcomes that were made up, no world is played."""

import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from bloxtr8.rails import stripe_client
from local.doubles.stripe.double import StripeDouble
from tests.chaos import __main__ as command
from tests.chaos import laws, report, workers
from tests.chaos.play import NEVER, Outcome
from tests.emulator import Platform
from tests.functions import chargebacks, escrows

UNLUCKY = ("stripe.transfers.create", "done, the answer lost")


def outcome(number: int, *, without: tuple[str, str] | None = None, difference: int = 0) -> Outcome:
    """A world of three trades, and one that nobody began, in which every pair was hit twice, but for one."""
    hit = Counter({pair: 2 for pair in report.wanted() if pair != without})
    ends = Counter({("STRIPE", "RELEASED"): 2, ("USDC_BASE", "SPLIT"): 1, ("STRIPE", NEVER): 1})
    cents = Counter({"in": 1_000_000, "held": 5, "out": 999_995 - difference, "differences": difference})
    return Outcome(1, number, "", 300, ends, hit, cents)


def ran(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *found: Outcome | str, report: bool = True
) -> tuple[int, str]:
    """The command's exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["chaos", "--trades", str(4 * len(found)), "--each", "4", *["--report"] * report])
    monkeypatch.setattr(workers, "played", lambda worlds, _: iter(found[: len(worlds)]))
    return command.main(), capsys.readouterr().out


def test_the_report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = ran(monkeypatch, capsys, outcome(0), outcome(1))
    pairs = len(report.wanted())
    lost = sum(4 for site, kind in report.wanted() if kind == "lost" and site.startswith(report.WAYS_OF))
    for line in (
        "6 trades in 2 worlds, 600 steps",
        "        4  STRIPE RELEASED",
        "        2  STRIPE NEVER_BEGUN",
        "        2  USDC_BASE SPLIT",
        f"  {lost:>7,}  lost, on the way",
        "       28  stripe.transfers.create",
        f"Pairs covered: {pairs} of {pairs}",
        "Cents in 2,000,000, held 10, out 1,999,990, differences 0",
    ):
        assert line in told.splitlines(), told
    assert "All is as it should be: 6 trades ended, no cent is missing" in told
    assert code == 0


def test_the_differences_are_what_the_providers_have_otherwise(aws: Platform, stripe: StripeDouble) -> None:
    escrow = chargebacks.released(aws, stripe)
    client = stripe_client.client()
    world: Any = SimpleNamespace(
        escrows=lambda: [escrows.row(escrow)], file=escrows.file, outside=SimpleNamespace(plain_stripe=client)
    )
    before = laws.cents(world)
    assert (before["in"], before["out"], before["differences"]) == (escrow.gross, escrow.gross, 0)
    (leg,) = (leg for leg in escrows.file(escrow).legs if leg.pays == "SELLER")

    client.v1.transfers.reversals.create(str(leg.external_id), {"amount": 40_000})

    assert laws.cents(world) == before | Counter(differences=40_000)


def test_each_fault_is_counted_once_by_its_kind() -> None:
    total = report.Total()
    total.add(outcome(0))
    lines = report.lines(total)
    begin, end = lines.index("Faults injected"), lines.index("Faults by place")
    counted = [int(line.split()[0].replace(",", "")) for line in lines[begin + 1 : end - 1]]
    assert sum(counted) == 2 * len(report.wanted()) == sum(outcome(0).hit.values())


def test_a_pair_that_nothing_hit_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ran(monkeypatch, capsys, outcome(0, without=UNLUCKY), outcome(1, without=UNLUCKY), report=False)
    assert code == 1
    assert "never hit: stripe.transfers.create × done, the answer lost" in told.splitlines()
    assert "Not as it should be: 0 worlds broke a law, 1 pairs were never hit" in told
    assert "Pairs covered" not in told


def test_a_pair_that_one_world_hit_is_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, capsys, outcome(0, without=UNLUCKY), outcome(1))[0] == 0


def test_a_broken_law_fails_the_run_and_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ran(monkeypatch, capsys, outcome(0), "i1_: a cent is missing\nmake chaos SEED=1 WORLD=1 EACH=3")
    assert code == 1
    assert "i1_: a cent is missing\nmake chaos SEED=1 WORLD=1 EACH=3" in told
    assert "never hit:" not in told  # a world that broke hit what it may have been to hit
    assert "Not as it should be: 1 worlds broke a law, 0 pairs were never hit" in told
