"""Mistakes made on purpose, each of one kind that the laws have to notice. By the law that notices it."""

import inspect
import itertools
from typing import Any

import pytest

from bloxtr8 import audit, clock, hand_refunds, sagas, settling, table
from bloxtr8.domain import escrows, kyc, ledger, resuming, settlements
from bloxtr8.entities import User
from bloxtr8.rails import base, stripe

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


def _no_limit_of_holding(patch: Patch) -> None:
    patch.setattr(escrows, "is_over_limit", lambda *_: False)


def _what_was_refunded_by_hand_is_not_booked(patch: Patch) -> None:
    patch.setattr(hand_refunds, "_is_booked", lambda *_: False)


def _no_answer_is_kept(patch: Patch) -> None:
    patch.setattr(table, "_idempotency", lambda *_: [])


def _an_audit_entry_that_covers_nothing(patch: Patch) -> None:
    plain = audit.append

    def append(root: Any, *args: Any, **options: Any) -> Any:
        entry = plain(root, *args, **options)
        root.audit_head = ""
        return entry

    patch.setattr(audit, "append", append)


def _no_hold_stops_anything(patch: Patch) -> None:
    for module in (settlements, resuming):
        patch.setattr(module, "may_send", lambda *_: True)


def _what_was_sent_is_sent_again_on_hold(patch: Patch) -> None:
    _rewrite(patch, settling.send_leg, "asked = held or ", "asked = ")


def _no_ban_stops_anything(patch: Patch) -> None:
    patch.setattr(kyc, "check_not_banned", lambda *_: None)


def _a_ban_stops_who_would_finish(patch: Patch) -> None:
    plain = escrows.party

    def party(escrow: Any, actor: Any) -> Any:
        kyc.check_not_banned(table.get(User, id=actor.id), clock.now())
        return plain(escrow, actor)

    patch.setattr(escrows, "party", party)


def _rewrite(patch: Patch, plain: Any, words: str, others: str) -> None:
    """Let a function be what its source would be with other words in it."""
    source = inspect.getsource(plain)
    assert source.count(words) == 1, (plain, words)
    module, made = inspect.getmodule(plain), dict[str, Any]()
    exec(source.replace(words, others), vars(module), made)
    patch.setattr(module, plain.__name__, made[plain.__name__])


MISTAKES = (
    (_a_line_left_out, "i1_"),
    (_another_key_each_time, "i6_"),
    (_a_release_that_is_never_found, "every_trade_ended"),
    (_no_next_run, "every_trade_ended"),
    (_every_deadline_has_passed, "c8_"),
    (_no_limit_of_holding, "no_card_is_held_too_long_unheard"),
    (_what_was_refunded_by_hand_is_not_booked, "i6_"),
    (_no_answer_is_kept, "one key"),
    (_an_audit_entry_that_covers_nothing, "c7_"),
    (_no_hold_stops_anything, "section 4"),
    (_what_was_sent_is_sent_again_on_hold, "section 4"),
    (_no_ban_stops_anything, "C10"),
    (_a_ban_stops_who_would_finish, "C10"),
)
