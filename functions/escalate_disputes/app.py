"""Every hour: a dispute that lives for 30 days is marked, and people are alarmed. It is never an outcome (M66)."""

from bloxtr8 import disputing
from bloxtr8.actors import system
from bloxtr8.lambdas import each, schedule

ACTOR = system("escalate_disputes")


def escalate_disputes() -> None:
    """Bounded, and safe twice at once: each is judged again under its version."""
    for page in disputing.late_pages():
        each(page, lambda row: disputing.escalate(row.escrow_id, row.id, ACTOR))


lambda_handler = schedule(escalate_disputes)
