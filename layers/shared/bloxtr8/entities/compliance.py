"""What COMPLIANCE decided about a hold, or is about to: a row of the escrow's partition (states.md, decide_hold)."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import EnumAttribute, HasUlid, TimeAttribute
from bloxtr8.entities.escrow import EscrowRow, Hold


class Decision(StrEnum):
    CLEAR = "CLEAR"
    REFUND = "REFUND"
    FREEZE = "FREEZE"
    UNFREEZE = "UNFREEZE"


class DecisionStatus(StrEnum):
    OPEN = "OPEN"  # a second person is awaited, until `expires_at`
    DECIDED = "DECIDED"
    DROPPED = "DROPPED"  # something else was decided about that hold


class HoldDecision(HasUlid, EscrowRow, discriminator="HoldDecision"):
    """A decision with everybody who voted for it, and what it covers: exactly these findings and no later one."""

    id = UnicodeAttribute()
    hold = EnumAttribute(Hold)
    decision = EnumAttribute(Decision)
    status = EnumAttribute(DecisionStatus, default=DecisionStatus.OPEN)
    people: Any = JSONAttribute(default=list)  # [{"id", "reason", "at"}], in the order of their votes
    covers: Any = JSONAttribute(default=dict)  # by cause: {"wallet", "amount", "risk", …}; by card {}
    expires_at = TimeAttribute()
    created_at = TimeAttribute()
    decided_at = TimeAttribute(null=True)
