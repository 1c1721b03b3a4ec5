"""`make chaos`: at least 2,000 trades in worlds of their own, two at a time. One that breaks a law is shown, and how to
play it again."""

import argparse
import sys
import time

from tests.chaos import report, workers
from tests.chaos.play import TRADES

MOST_SHOWN = 3


def main() -> int:
    """Play, and say whether all is as it should be."""
    asked = _asked()
    numbers = [asked.world] if asked.world is not None else range(-(-asked.trades // asked.each))
    total, broken, begun = report.Total(), 0, time.monotonic()
    for found in workers.played([(asked.seed, number, asked.each) for number in numbers], asked.workers):
        if isinstance(found, str):
            broken += 1
            if broken <= MOST_SHOWN:
                print(f"\r{'':78}\r{found}\n", flush=True)
        else:
            total.add(found)
        _progress(total, broken, len(numbers) * asked.each, begun)
    print()
    if asked.report:
        print("\n".join(report.lines(total)))
    missed = [] if asked.world is not None or broken else total.missed
    for site, fault in missed:
        print(f"never hit: {site} × {fault}")
    print(_verdict(total, broken, len(missed), time.monotonic() - begun))
    return 1 if broken or missed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trades", type=int, default=2_040, help="played; of a hundred one or two are never begun")
    parser.add_argument("--each", type=int, default=TRADES, help="trades of a world")
    parser.add_argument("--world", type=int, help="this world alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


def _progress(total: report.Total, broken: int, trades: int, begun: float) -> None:
    done = total.played
    pairs = len(report.wanted())
    told = f"{done}/{trades} trades, {pairs - len(total.missed)}/{pairs} pairs, {broken} worlds broken"
    if sys.stdout.isatty() or done == trades:
        print(f"\r{told}, {time.monotonic() - begun:.0f} s ", end="", flush=True)


def _verdict(total: report.Total, broken: int, missed: int, seconds: float) -> str:
    if broken or missed:
        return f"Not as it should be: {broken} worlds broke a law, {missed} pairs were never hit ({seconds:.0f} s)."
    return f"All is as it should be: {total.trades} trades ended, no cent is missing ({seconds:.0f} s)."


if __name__ == "__main__":
    sys.exit(main())
