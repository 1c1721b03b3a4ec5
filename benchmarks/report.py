"""The results as a page."""

import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence

from benchmarks import cost, trips, warm
from benchmarks.cold import ON_CHAIN, PLAIN, PLAIN_TIMES, PLAIN_TRIMMED, Cost
from benchmarks.cost import Line
from benchmarks.trips import Trips
from benchmarks.warm import Warm
from bloxtr8 import clock

COLD_LIMIT = 0.9
WATCHED = ("stripe", "fpdf", "web3")


def render(
    *,
    costs: Mapping[str, Cost],
    uncalled: Sequence[str],
    counted: Sequence[str],
    warm: Mapping[str, Warm],
    trips: Sequence[Trips],
    tasks: Sequence[Trips],
    bill: Sequence[Line],
    command: str,
) -> str:
    """Everything, as Markdown."""
    parts = [
        "# What a call costs",
        f"`{command}`, {clock.now():%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores of a shared "
        f"{platform.machine()} machine ({sys.platform}). The network is answered from a recording; times are CPU time. "
        "A function that works by card and on chain is measured by card, and once more on chain.",
        _cold(costs),
        f"Not measured, as nothing that is recorded calls them: {', '.join(uncalled)}." if uncalled else "",
        _instructions(costs, counted),
        _heavy(costs),
        _warm(warm),
        _trips(trips, tasks),
        _bill(bill),
        _table(costs),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cold(costs: Mapping[str, Cost]) -> str:
    plain, ours = costs[PLAIN].cold_ms, _ours(costs)
    ratios = [cost.cold_ms / plain for cost in ours.values()]
    median = statistics.median(ratios)
    here = statistics.median(cost.cold_ms / costs[PLAIN_TRIMMED].cold_ms for cost in ours.values())
    rounds = len(costs[PLAIN_TRIMMED].imports)
    return f"""## Cold start

Import and first call in a fresh process with the runtime requirements alone, {rounds} shuffled rounds (the plain
function {PLAIN_TIMES} times in each), against a plain Powertools resolver with validation and one boto3 client of
DynamoDB that makes one batch read and one transaction.

| | |
|---|---|
| plain function, packages as installed, with bytecode | {plain:.0f} ms |
| the same in our layer (trimmed data) | {costs[PLAIN_TRIMMED].cold_ms:.0f} ms |
| median of our {len(ours)} functions | {statistics.median(cost.cold_ms for cost in ours.values()):.0f} ms |
| **median ratio to plain** (target {COLD_LIMIT}) | **{median:.2f}** {_verdict(median, COLD_LIMIT)} |
| lowest and highest ratio | {min(ratios):.2f}, {max(ratios):.2f} |
| median ratio to the same in our layer | {here:.2f} |"""


def _instructions(costs: Mapping[str, Cost], counted: Sequence[str]) -> str:
    if not counted:
        return "Instructions were not counted (no valgrind, or not asked for)."
    plain = costs[PLAIN].instructions
    rows = [
        f"| {name} | {costs[name].instructions / 1e6:.0f} | {costs[name].instructions / plain:.2f} |"
        for name in (PLAIN, *counted)
    ]
    return "\n".join(
        ["Instructions of the same, in millions (callgrind):", "", "| | M | ratio |", "|---|---|---|", *rows]
    )


def _heavy(costs: Mapping[str, Cost]) -> str:
    found = {name: [it for it in WATCHED if it in cost.heavy] for name, cost in sorted(costs.items())}
    rows = [f"- {it}: {', '.join(name for name, has in found.items() if it in has) or 'none'}" for it in WATCHED]
    return "\n".join(["## Who imports what is heavy", "", "By the end of a first call:", "", *rows])


def _warm(measured: Mapping[str, Warm]) -> str:
    if not measured:
        return ""
    rows = [
        f"| {name} | {one.call_ms:.2f} | {one.hand_ms:.2f} | {one.ratio:.2f} {_verdict(one.ratio, warm.LIMIT)} |"
        for name, one in measured.items()
    ]
    head = (
        "The same requests to the table by a bare botocore client are `by hand`: built, signed, sent and parsed by it, "
        "and nothing made of the answers. Ours go without botocore (aws_json.py), and do all that the action does."
    )
    columns = ["| action | ms | by hand | ratio |", "|---|---|---|---|"]
    return "\n".join([f"## Warm calls (target {warm.LIMIT})", "", head, "", *columns, *rows])


def _trips(counted: Sequence[Trips], tasks: Sequence[Trips]) -> str:
    median = trips.median_of_mutations(list(counted)) if any(it.mutates for it in counted) else 0
    over = [f"{it.action} ({it.over})" for it in counted if it.over]
    rows = [_trip(it) for it in (*counted, *tasks)]
    return "\n".join(
        [
            "## Round trips to DynamoDB",
            "",
            f"HTTP mutations: median **{median:g}** (target {trips.MUTATION_MEDIAN}), at most "
            f"{max((it.total for it in counted if it.mutates), default=0)} (limit {trips.MUTATION_LIMIT}). "
            f"Over a limit: {', '.join(over) or 'none'}. Without HTTP (a dash) none applies: jobs go from row to row.",
            "",
            "| action | HTTP | queries | batches | gets | writes | all |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ]
    )


def _trip(it: Trips) -> str:
    kind = "page" if it.is_page else "write" if it.mutates else "read"
    gets = it.reads - it.queries - it.batches
    label = kind if it.http else "-"
    return f"| {it.action} | {label} | {it.queries} | {it.batches} | {gets} | {it.writes} | {it.total} |"


def _bill(bill: Sequence[Line]) -> str:
    if not bill:
        return ""
    price = cost.prices()
    rows = [f"| {it.what} | {it.amount:g} | {it.dollars * 1e6:.1f} |" for it in bill]
    total = sum(it.dollars for it in bill)
    return "\n".join(
        [
            "## What AWS charges for the demo's first trade",
            "",
            f"List prices of {price['region']}, {price['date']} (benchmarks/prices.json, with what is assumed of the "
            "network's part in a duration). A client that polls counts once.",
            "",
            "| | amount | millionths of a dollar |",
            "|---|---|---|",
            *rows,
            f"| **one trade** | | **{total * 1e6:.0f}** (${total:.5f}) |",
        ]
    )


def _table(costs: Mapping[str, Cost]) -> str:
    plain = costs[PLAIN].cold_ms
    rows = []
    for name, it in sorted(costs.items(), key=lambda pair: pair[1].cold_ms):
        parts = f"{statistics.median(it.imports):.0f} | {statistics.median(it.firsts):.0f}"
        rows.append(f"| {name} | {parts} | {it.cold_ms / plain:.2f} |")
    return "\n".join(
        ["## Every function, cold", "", "| | import ms | first call ms | ratio |", "|---|---|---|---|", *rows]
    )


def _ours(costs: Mapping[str, Cost]) -> dict[str, Cost]:
    """Each function once."""
    return {name: it for name, it in sorted(costs.items()) if not name.startswith("(") and not name.endswith(ON_CHAIN)}


def _verdict(value: float, limit: float) -> str:
    return "holds" if value <= limit else "MISSED"
