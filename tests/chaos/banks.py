"""The buyers' banks and Stripe's guard: whatever they began they decide in the end."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.world import World

HOUR, DAY = 3600.0, 86_400.0
VERDICTS = {"needs_response": ("won", "lost"), "warning_needs_response": ("warning_closed", "escalate")}


class Banks:
    """Each dispute and review gets a day on which it is decided, as soon as it is seen."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._planned: set[str] = set()
        self.verdicts: dict[str, str] = {}  # by charge: what a trade's fate says
        self.appealed = set[str]()  # charges of which what was lost is won after all

    def look(self) -> None:
        """Plan the end of what is new."""
        made = self._world.outside.stripe._world
        for dispute in made.all("dispute"):
            self._plan(dispute, self._dispute_ends)
        for review in made.all("review"):
            self._plan(review, self._review_ends)

    def _plan(self, thing: dict[str, Any], end: Any) -> None:
        if thing["id"] not in self._planned:
            self._planned.add(thing["id"])
            days = self._world.random.choice((0.05, 1, 3, 8))
            self._world.later(
                self._world.random.uniform(0.2, 1) * days * DAY, f"bank {thing['id']}", lambda: end(thing)
            )

    def _dispute_ends(self, dispute: dict[str, Any]) -> None:
        verdict = self.verdicts.get(dispute["charge"], "")
        allowed = VERDICTS.get(dispute["status"])
        if allowed is None:
            return
        chosen = verdict if verdict in allowed else self._world.random.choice(allowed)
        self._world.tell(f"  {dispute['id']} {chosen}")
        double = self._world.outside.stripe
        if chosen == "escalate":
            double.escalate_dispute(dispute["id"])
            self._planned.discard(dispute["id"])
        else:
            double.close_dispute(dispute["id"], chosen)
        if chosen == "lost" and dispute["charge"] in self.appealed:
            days = self._world.random.choice((1, 3, 6))
            self._world.later(days * DAY, f"bank {dispute['id']} again", lambda: self._gives_back(dispute))

    def _gives_back(self, dispute: dict[str, Any]) -> None:
        """The day's reconciliation brings what no webhook did."""
        self._world.outside.stripe.reinstate_dispute(dispute["id"])
        self._world.later(26 * HOUR, "a day later", lambda: self._world.jobs.want("reconcile_money"))

    def _review_ends(self, review: dict[str, Any]) -> None:
        if review["open"]:
            self._world.outside.stripe.end_review(
                review["id"], self._world.random.choice(("approved", "refunded_as_fraud"))
            )
