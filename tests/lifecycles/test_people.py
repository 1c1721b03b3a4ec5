"""Every action of people, in every stage of a trade, by everybody: either its row, whole, or a refusal that wrote
nothing; and the views allow what the actions do. The stages and the actions are data: a row that nothing tries fails.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.emulator import Answer
from tests.lifecycles import calls, rows
from tests.lifecycles.ground import Ground, Image, Trade
from tests.lifecycles.stages import RARE, STAGES

ROBLOX_DECIDES = {"activate_listing": "seller", "accept_offer": "seller", "mark_delivered": "buyer"}  # met on trying
NEVER = {  # rows that hold for an action as a whole; a guard says whose deadline it is, and when a payout is parked
    ("Escrow", "extend_deadline", "AWAIT_FUNDS", "BUYER"),
    ("Escrow", "extend_deadline", "DELIVERED", "BUYER"),
    ("Escrow", "resume_settlement", "AWAIT_FUNDS", "PADMIN"),
}
REFUSALS = {403, 404, 409, 410, 422}


def tried(
    ground: Ground, trade: Trade, image: Image, action: str, who: str
) -> Iterator[tuple[Answer, set[rows.Row], list[str]]]:
    """Every way in which `who` could ask for the action: the answer, the rows it was, and what is wrong."""
    for body in calls.bodies(action, trade, image.picture, who):
        answer = calls.ask(ground.aws, action, trade, image.picture, who, body)
        if ground.untouched(image) and answer.status >= 300:
            yield answer, set(), [] if answer.status in REFUSALS else [f"{answer.status} {answer.body}"]
            continue
        after = ground.picture()
        if answer.status >= 300:
            wrong = [] if after.lasting() == image.picture.lasting() else [f"{answer.status} {answer.code} and wrote"]
            yield answer, set(), wrong
        else:
            found, no_row = rows.made(action, trade, who, image.picture, after)
            yield answer, found, [*no_row, *rows.written(image.picture, after)]
        ground.back_to(image)


@dataclass
class Walk:
    """Every action in every stage: what is wrong, and the rows that were seen.

    Not `everybody`: where a row fits, all whom it lets and one other by turns; where none does, one by turns, once for
    each set of statuses.
    """

    ground: Ground
    everybody: bool
    wrong: list[str] = field(default_factory=list)
    seen: set[rows.Row] = field(default_factory=set)
    asked: int = 0
    stands: set[tuple[Any, ...]] = field(default_factory=set)

    def through(self, name: str, stage: Callable[[Ground], Trade]) -> None:
        trade, image = self.ground.build(stage)
        views: dict[tuple[str, str], set[str] | None] = {}
        for action in calls.ACTIONS:
            for who in self._who(trade, image, action):
                done = self._done(name, trade, image, action, who)
                if action not in rows.MOVES or ROBLOX_DECIDES.get(action, trade.owner) != trade.owner:
                    continue
                place = who, calls.view_of(action)
                if place not in views:
                    views[place] = calls.allowed(self.ground.aws, trade, image.picture, *place)
                    self.ground.back_to(image)
                view = views[place]
                if view is not None and done != (action in view):
                    self.wrong.append(f"{name}: {who} {'may not and did' if done else 'may and can not'} {action}")
        self.stands.add(rows.stand(image.picture))

    def _who(self, trade: Trade, image: Image, action: str) -> list[str]:
        if self.everybody:
            return list(trade.people)
        fitting = rows.having_part(action, trade, image.picture, now=True)
        if rows.stand(image.picture) in self.stands:
            return sorted(fitting)
        others = sorted(trade.people.keys() - fitting)
        if not fitting:
            others = sorted(rows.having_part(action, trade, image.picture, now=False)) or others
        return [*sorted(fitting), others[self.asked % len(others)]]

    def _done(self, name: str, trade: Trade, image: Image, action: str, who: str) -> bool:
        """Whether he can."""
        self.asked += 1
        done = False
        for answer, found, faults in tried(self.ground, trade, image, action, who):
            self.seen |= found
            self.wrong += [f"{name}: {who} {action}: {fault}" for fault in faults]
            done = done or answer.status < 300
        return done


def test_every_action_is_its_row_or_nothing(ground: Ground) -> None:
    walk = Walk(ground, everybody=False)
    for name, stage in STAGES.items():
        walk.through(name, stage)
    assert walk.wrong == []
    assert {row for row in rows.rows(people=True) - walk.seen if row[1] in calls.ACTIONS} == NEVER


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES | RARE)
def test_whoever_asks_it_is_its_row_or_nothing(ground: Ground, name: str) -> None:
    walk = Walk(ground, everybody=True)
    walk.through(name, (STAGES | RARE)[name])
    assert walk.wrong == []
