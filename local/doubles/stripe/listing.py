"""Lists: newest first, filtered, in pages; and the expansion of ids into objects."""

import copy
from collections.abc import Callable
from typing import Any

from local.doubles.stripe.errors import malformed, missing
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Object
from local.doubles.stripe.values import listed
from local.doubles.stripe.world import World

_MAX_PAGE, _MAX_DEPTH = 100, 4


class Lists:
    """Every list of the API works alike: `limit`, `starting_after`, `ending_before`, and filters on fields."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, kind: str, url: str) -> Callable[..., Object]:
        """The handler of a kind's list."""

        def listing(
            *, limit: int = 10, starting_after: str | None = None, ending_before: str | None = None, **filters: Any
        ) -> Object:
            for name in ("charge", "customer", "payment_intent"):
                if name in filters:
                    self._world.get(name, filters[name], name)
            rows = [one for one in self._world.all(kind) if self._mine(one) and _passes(one, filters)]
            return _page(rows[::-1], url, limit, starting_after, ending_before)

        return listing

    def reversals(
        self, transfer_id: str, *, limit: int = 10, starting_after: str | None = None, ending_before: str | None = None
    ) -> Object:
        """GET /v1/transfers/{id}/reversals."""
        kept = self._world.get("transfer", transfer_id)["reversals"]
        return _page(kept["data"], kept["url"], limit, starting_after, ending_before)

    def reversal(self, transfer_id: str, reversal_id: str) -> Object:
        """GET /v1/transfers/{id}/reversals/{reversal}."""
        found = self._world.get("transfer_reversal", reversal_id)
        if found["transfer"] != transfer_id:
            raise missing("transfer_reversal", reversal_id)
        return found

    def expanded(self, answer: Object, paths: list[str]) -> Object:
        """A copy in which the named ids are objects: `latest_charge.balance_transaction`, `data.charge`."""
        result = copy.deepcopy(answer)
        for path in paths:
            steps = path.split(".")
            if len(steps) > _MAX_DEPTH:
                raise malformed(f"You cannot expand more than {_MAX_DEPTH} levels of a property.", param="expand")
            self._expand(result, steps, path)
        return result

    def _expand(self, place: Any, steps: list[str], path: str) -> None:
        if place is None:
            return
        if not steps:
            if not isinstance(place, dict):
                raise malformed(f"This property cannot be expanded ({path}).", param="expand")
            return
        if isinstance(place, list):
            for item in place:
                self._expand(item, steps, path)
            return
        if not isinstance(place, dict) or steps[0] not in place:
            raise malformed(f"This property cannot be expanded ({path}).", param="expand")
        value = place[steps[0]]
        if isinstance(value, str):
            found = self._world.find(value)
            if found is None:
                raise malformed(f"This property cannot be expanded ({path}).", param="expand")
            value = place[steps[0]] = copy.deepcopy(found)
        self._expand(value, steps[1:], path)

    def _mine(self, one: Object) -> bool:
        return self._world.owners.get(one.get("id", ""), PLATFORM) == PLATFORM


def _passes(one: Object, filters: Object) -> bool:
    for name, wanted in filters.items():
        if name == "types":
            if one["type"] not in wanted:
                return False
        elif isinstance(wanted, dict):
            if not _within(one[name], wanted):
                return False
        elif name not in one:
            raise malformed(f"Stripe knows the filter '{name}'; the double does not model it.", "not_modelled", name)
        elif one[name] != wanted:
            return False
    return True


def _within(value: int, bounds: dict[str, int]) -> bool:
    checks = {
        "gt": lambda bound: value > bound,
        "gte": lambda bound: value >= bound,
        "lt": lambda bound: value < bound,
        "lte": lambda bound: value <= bound,
    }
    return all(checks[name](bound) for name, bound in bounds.items())


def _page(rows: list[Object], url: str, limit: int, starting_after: str | None, ending_before: str | None) -> Object:
    if not 1 <= limit <= _MAX_PAGE:
        raise malformed(f"Invalid limit: must be between 1 and {_MAX_PAGE}.", "parameter_invalid_integer", "limit")
    ids = [row["id"] for row in rows]
    for name, cursor in (("starting_after", starting_after), ("ending_before", ending_before)):
        if cursor is not None and cursor not in ids:
            raise missing("object", cursor, name, status=400)
    if ending_before is not None:
        before = rows[: ids.index(ending_before)]
        return listed(url, before[-limit:], len(before) > limit)
    after = rows[ids.index(starting_after) + 1 :] if starting_after is not None else rows
    return listed(url, after[:limit], len(after) > limit)
