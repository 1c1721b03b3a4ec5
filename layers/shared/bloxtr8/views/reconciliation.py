"""A day's reconciliation as COMPLIANCE sees it. Amounts in cents."""

from typing import Self

from bloxtr8.entities import Reconciliation
from bloxtr8.shapes import Moment, View


class RailTotalView(View):
    """What lies in the escrows of one rail, as it was when each was looked at."""

    rail: str
    escrows: int
    held: int
    surplus: int


class DifferenceView(View):
    """`booked` by us and `found` at the provider, twice, ten minutes apart. NOT_COMPARED: what is there could not
    be seen for two hours."""

    code: str
    escrow_id: str | None
    booked: int
    found: int


class ReconciliationView(View):
    """`finishedAt` is null while it is under way. `rails` are the escrows in which money lies, `ended` is how many more
    were compared, that ended on this day or the three before. `stripeBalance` is available and pending together, the
    last look; `eventsLost` are events of Stripe that no webhook had brought."""

    date: str
    started_at: Moment
    finished_at: Moment | None
    rails: list[RailTotalView]
    ended: int
    stripe_balance: int | None
    events_seen: int
    events_lost: int
    differences: list[DifferenceView]

    @classmethod
    def of(cls, row: Reconciliation) -> Self:
        looks = list(row.balance.values())
        return cls(
            date=row.day,
            started_at=row.started_at,
            finished_at=row.finished_at,
            rails=[RailTotalView(rail=rail, **total) for rail, total in sorted(row.totals.items())],
            ended=row.ended,
            stripe_balance=sum(looks[-1].values()) if looks else None,
            events_seen=row.events.get("seen", 0),
            events_lost=row.events.get("lost", 0),
            differences=[DifferenceView(escrow_id=one.pop("escrowId"), **one) for one in map(dict, row.differences)],
        )
