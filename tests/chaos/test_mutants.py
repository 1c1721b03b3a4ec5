"""The harness can fail: each of these mistakes, made on purpose, is noticed within a few worlds."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from bloxtr8 import audit, sagas, table
from bloxtr8.domain import escrows, ledger
from bloxtr8.rails import base, stripe
from tests.chaos.play import Broken, play

pytestmark = pytest.mark.slow
SEED, MOST = 1, 8

type Patch = pytest.MonkeyPatch


def _a_line_left_out(patch: Patch) -> None:
    plain = ledger.book
    patch.setattr(ledger, "book", lambda *args, **options: plain(*args, **options)[:1])


def _another_key_each_time(patch: Patch) -> None:
    """And so another name at Stripe, under which nothing is found again."""
    numbers = itertools.count()
    patch.setattr(base.LegOrder, "operation", property(lambda self: f"{self.settlement_id}:{self.leg}:{next(numbers)}"))
    patch.setattr(stripe.StripeRail, "find", lambda *_: None)


def _a_release_that_is_never_found(patch: Patch) -> None:
    patch.setattr(stripe.StripeRail, "find", lambda *_: None)


def _no_next_run(patch: Patch) -> None:
    patch.setattr(sagas, "_next_settlement_run", lambda *_: False)


def _every_deadline_has_passed(patch: Patch) -> None:
    patch.setattr(escrows, "passed", lambda _, deadline, now: deadline is not None)


def _no_answer_is_kept(patch: Patch) -> None:
    patch.setattr(table, "_idempotency", lambda *_: [])


def _an_audit_entry_that_covers_nothing(patch: Patch) -> None:
    plain = audit.append

    def append(root: Any, *args: Any, **options: Any) -> Any:
        entry = plain(root, *args, **options)
        root.audit_head = ""
        return entry

    patch.setattr(audit, "append", append)


@pytest.mark.parametrize(
    ("mistake", "law"),
    [
        (_a_line_left_out, "i1_"),
        (_another_key_each_time, "i6_"),
        (_a_release_that_is_never_found, "every_trade_ended"),
        (_no_next_run, "every_trade_ended"),
        (_every_deadline_has_passed, "c8_"),
        (_no_answer_is_kept, "under the same key"),
        (_an_audit_entry_that_covers_nothing, "c7_"),
    ],
)
def test_a_mistake_is_noticed(mistake: Callable[[Patch], None], law: str, monkeypatch: Patch) -> None:
    mistake(monkeypatch)
    with pytest.raises(Broken) as told:
        _play_all()
    assert law in str(told.value) or "still busy" in str(told.value)


def _play_all() -> None:
    for number in range(MOST):
        play(SEED, number)
