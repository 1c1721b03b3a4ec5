"""Everything that happens by itself, in every stage of a trade: each status it writes is a row of the platform, each
commit one entry, and the invariants hold. A row of the platform that nothing brings about fails."""

from dataclasses import dataclass, field

import pytest

from tests.lifecycles import happenings, rows
from tests.lifecycles.ground import Ground, Image, Trade
from tests.lifecycles.happenings import AT_STRIPE, HAPPENINGS, Happening
from tests.lifecycles.picture import Picture
from tests.lifecycles.stages import MAIN, STAGES
from tools import template

ELSEWHERE = {  # they change no status of a trade: who comes, who works, what is told, and what differs
    "authorize_request", "grant_staff_role", "await_funding", "dispatch_events", "retry_webhooks", "watch_chain_txs",
    "reconcile_money",
}  # fmt: skip
# what an entry does not show, or no entry has: two moves of one object in one commit, a look that changes no status,
# the store of webhooks; what takes three unlikely things after each other: the last of several holds at an end, or a
# lost part that comes back while it is parked that the seller gives his part back, or being sent, or by a refund that
# comes back
UNSEEN = {
    ("Settlement", "reject_leg", "OPEN", "SYSTEM"),
    ("Settlement", "reinstate_chargeback", "PARKED", "SYSTEM"),
    ("Settlement", "take_back_refund", "OPEN", "SYSTEM"),
    ("Settlement", "take_back_refund", "PARKED", "SYSTEM"),
    ("Escrow", "lift_hold", "CANCELLED", "SYSTEM"),
    ("Leg", "reject_leg", "PLANNED", "SYSTEM"),
    ("Leg", "reject_leg", "UNKNOWN", "SYSTEM"),
    ("Listing", "lose_asset", "INACTIVE", "SYSTEM"),
    ("Listing", "verify_listing", "INACTIVE", "SYSTEM"),
    ("Listing", "verify_listing", "RESERVED", "SYSTEM"),
    ("WebhookEvent", "fail_webhook_event", "FAILED", "SYSTEM"),
    ("WebhookEvent", "fail_webhook_event", "RECEIVED", "SYSTEM"),
    ("WebhookEvent", "process_webhook_event", "FAILED", "SYSTEM"),
    ("WebhookEvent", "process_webhook_event", "RECEIVED", "SYSTEM"),
}


@dataclass
class Watch:
    """What happened: what is wrong with it, and the rows that were seen."""

    ground: Ground
    wrong: list[str] = field(default_factory=list)
    seen: set[rows.Row] = field(default_factory=set)

    def over(self, name: str) -> None:
        """Everything that can happen in a stage."""
        trade, image = self.ground.build(STAGES[name])
        self._judge(name, Picture({}), image.picture)
        for what, happening in HAPPENINGS.items():
            self._happen(f"{name}, {what}", happening, trade, image)
        if happenings.is_held_by_card(image.picture):
            another = self.ground.build(STAGES[name])
            for what, happening in AT_STRIPE.items():
                self._happen(f"{name}, {what}", happening, *another)

    def _happen(self, what: str, happening: Happening, trade: Trade, image: Image) -> None:
        before, there = image.picture, image.rows
        self.ground.transfer(trade, trade.owner)
        for _ in happening(self.ground, trade, before):
            if not self.ground.untouched(there):
                after = self.ground.picture()
                self._judge(what, before, after)
                before, there = after, self.ground.rows()
        self.ground.back_to(image)

    def _judge(self, what: str, before: Picture, after: Picture) -> None:
        self.wrong += [f"{what}: {fault}" for fault in rows.written(before, after)]
        self.seen |= rows.system_rows(after.entries())


def test_what_happens_by_itself_is_rows(ground: Ground) -> None:
    watch = Watch(ground)
    for name in MAIN:
        watch.over(name)
    assert watch.wrong == []
    assert rows.rows(people=False) - watch.seen == UNSEEN


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STAGES.keys() - MAIN.keys()))
def test_in_every_variant_what_happens_by_itself_is_rows(ground: Ground, name: str) -> None:
    watch = Watch(ground)
    watch.over(name)
    assert watch.wrong == []


def test_every_function_of_the_platform_is_one_that_happens() -> None:
    written = template.load(template.PATH.read_text())
    alone = {function.action for function in template.functions(written) if not function.routes}
    assert alone == happenings.FUNCTIONS | ELSEWHERE
