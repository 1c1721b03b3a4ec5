"""How often each action asks DynamoDB, counted from the recording, against the limits of the design."""

import statistics
from dataclasses import dataclass

from benchmarks.record import Call, Recording

MUTATION_LIMIT, MUTATION_MEDIAN = 3, 2
PAGE_LIMIT = 2
WRITES = ("TransactWriteItems", "PutItem", "DeleteItem")
QUERIES, BATCHES = ("Query",), ("BatchGetItem",)
READS = ("GetItem", *QUERIES, *BATCHES)


@dataclass(frozen=True)
class Trips:
    """The round trips of one action at its busiest."""

    action: str
    http: bool
    mutates: bool
    is_page: bool
    reads: int
    queries: int
    batches: int
    writes: int

    @property
    def total(self) -> int:
        return self.reads + self.writes

    @property
    def over(self) -> str:
        """What is over its limit, or nothing. A page: one query and at most one read beside it."""
        if self.is_page:
            return "" if self.queries <= 1 and self.reads <= PAGE_LIMIT else f"{self.reads} reads for a page"
        return f"{self.total} of {MUTATION_LIMIT}" if self.mutates and self.total > MUTATION_LIMIT else ""


def count(recording: Recording) -> list[Trips]:
    """Every HTTP action; a move by a job, a task or the stream is bounded by the rows that it finds."""
    return [_trips(call) for call in recording.firsts().values() if call.status is not None]


def tasks(recording: Recording) -> list[Trips]:
    """The functions that have no HTTP, for the table alone."""
    return [_trips(call) for call in recording.firsts().values() if call.status is None]


def median_of_mutations(trips: list[Trips]) -> float:
    """The middle of those that write."""
    return statistics.median(it.total for it in trips if it.mutates)


def _trips(call: Call) -> Trips:
    writes = call.count(*WRITES)
    return Trips(
        action=call.action,
        http=call.status is not None,
        mutates=writes > 0,
        is_page=call.action.startswith(("list_", "search_")),
        reads=call.count(*READS),
        queries=call.count(*QUERIES),
        batches=call.count(*BATCHES),
        writes=writes,
    )
