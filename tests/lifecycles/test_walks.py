"""Random walks through a trade: anybody asks for anything, and anything happens, one after the other. After each step
what was written is rows, whole; a refusal wrote nothing; C1 to C7, C11, I1 to I5 and I7 hold."""

from contextlib import suppress
from typing import Any, ClassVar

import pytest
import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bloxtr8.entities import Contract, Escrow, Offer
from tests import factories
from tests.lifecycles import calls, rows
from tests.lifecycles.ground import STAFF, Ground, Rows, Trade
from tests.lifecycles.happenings import AT_STRIPE, HAPPENINGS
from tests.lifecycles.picture import Picture
from tests.lifecycles.stages import MAIN

PEOPLE = ("buyer", "seller", "buyer", "seller", "stranger", *STAFF)  # the parties twice as often
ALL = HAPPENINGS | AT_STRIPE
WALKS, STEPS = 150, 25


class Walk(RuleBasedStateMachine):
    """One trade, from one of the stages on."""

    ground: ClassVar[Ground]
    trade: Trade
    picture: Picture
    there: Rows

    @initialize(stage=st.sampled_from(sorted(MAIN)))
    def begins(self, stage: str) -> None:
        self.trade, image = self.ground.build(MAIN[stage])
        self.picture, self.there = image.picture, image.rows

    @rule(who=st.sampled_from(PEOPLE), action=st.sampled_from(calls.ACTIONS), pick=st.integers(0, 6))
    def somebody_asks(self, who: str, action: str, pick: int) -> None:
        bodies = [*calls.bodies(action, self.trade, self.picture, who)]
        self._notice()  # a link that was made for it
        key = str(len(self.picture.items))
        body: Any = bodies[pick % len(bodies)]
        answer = calls.ask(self.ground.aws, action, self.trade, self.picture, who, body, key)
        if answer.status >= 300:
            assert answer.status < 500 or answer.status == 502, answer.body
            assert self.ground.picture().lasting() == self.picture.lasting(), (answer.body, "and wrote")
        else:
            found, wrong = rows.made(action, self.trade, who, self.picture, self.ground.picture())
            assert wrong == []
        self._notice()

    @rule()
    def the_buyer_pays(self) -> None:
        for escrow in self.picture.rows(Escrow):
            with suppress(stripe.StripeError, ValueError):  # no place to pay yet, or no more
                factories.pay(escrow)

    @rule(what=st.sampled_from(sorted(ALL)))
    def it_happens(self, what: str) -> None:
        with suppress(stripe.StripeError):  # what is impossible at Stripe now
            for _ in ALL[what](self.ground, self.trade, self.picture):
                self._notice()
        self.ground.stripe.clear_faults()
        self.ground.chain.after.clear()
        self.ground.chain.faults.clear()
        self.ground.roblox.up()
        self._notice()

    @rule(owner=st.sampled_from(["buyer", "seller", "stranger", None]))
    def the_asset_is_handed_over(self, owner: str | None) -> None:
        self.ground.transfer(self.trade, owner)

    @rule(minutes=st.sampled_from([2, 60, 24 * 60, 6 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.ground.aws.clock.advance(minutes=minutes)

    def _notice(self) -> None:
        """Judge what was written since the last time."""
        if self.ground.untouched(self.there):
            return
        after = self.ground.picture()
        assert list(rows.written(self.picture, after)) == []
        self.picture, self.there = after, self.ground.rows()
        self.trade.offer_id = next((row.id for row in reversed(after.rows(Offer))), None)
        self.trade.ulid = next((row.ulid for row in reversed(after.rows(Contract))), None)


@pytest.mark.slow
def test_wherever_a_walk_leads_it_is_rows(ground: Ground) -> None:
    Walk.ground = ground
    how = settings(
        max_examples=WALKS, stateful_step_count=STEPS, derandomize=True, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Walk, settings=how)
