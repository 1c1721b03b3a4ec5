"""`make bench`: what a call costs in time, in round trips and in money. Prints results.md and writes it. Fails where
the tour (benchmarks/tour) never calls a function: every one is to be measured."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks import cold, cost, report, runtime, trips, warm
from benchmarks.record import record

RESULTS = Path(__file__).with_name("results.md")
COUNTED = ("make_offer", "confirm_delivery", "get_escrow")


def main() -> int:
    """Record, measure, write. The numbers are read, not tested: 1 only where a function has none."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes of each function")
    parser.add_argument("--only", nargs="*", help="these functions instead of all")
    parser.add_argument("--no-instructions", action="store_true", help="CPU time alone, without valgrind")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    started = time.monotonic()

    def tell(step: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {step}", file=sys.stderr)

    tell("the runtime requirements")
    runtime.prepare()
    recording = record(tell)
    bench = cold.Bench(recording)
    asked = options.only or runtime.actions()
    names = [name for name in bench.calls if name.removesuffix(cold.ON_CHAIN) in asked]
    uncalled = sorted(set(asked) - set(bench.calls))
    costs = bench.costs([cold.PLAIN, cold.PLAIN_TRIMMED, *names], options.rounds, tell)
    counted = [name for name in COUNTED if name in names]
    if options.no_instructions or not bench.count(costs, [cold.PLAIN, *counted], tell):
        counted = []
    traded = [] if options.only else sorted({call.action for call in recording.calls if call.trade == cost.TRADE})
    measured = warm.measure(bench, [name for name in {*warm.COMPARED, *traded} if name in bench.calls], tell)
    text = report.render(
        costs=costs,
        uncalled=uncalled,
        counted=counted,
        warm={name: measured[name] for name in warm.COMPARED if name in measured},
        trips=trips.count(recording),
        tasks=trips.tasks(recording),
        bill=[] if options.only else cost.bill(recording, {name: one.call_ms for name, one in measured.items()}),
        command=" ".join(["make bench", *(["ARGS='" + " ".join(sys.argv[1:]) + "'"] if sys.argv[1:] else [])]),
    )
    options.output.write_text(text)
    print(text)
    return 1 if uncalled else 0


if __name__ == "__main__":
    sys.exit(main())
