"""Mistakes made on purpose, each of one kind that the laws have to notice. By the law that notices it."""

import inspect
import itertools
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bloxtr8 import (
    asset_watch,
    audit,
    clock,
    deadlines,
    hand_refunds,
    money,
    ownership,
    sagas,
    settling,
    table,
    webhooks,
)
from bloxtr8.domain import (
    agreements,
    contracts,
    deals,
    escrows,
    kyc,
    ledger,
    manual_payments,
    milestones,
    offers,
    opening,
    owed,
    plans,
    reconciliations,
    refused_payouts,
    resuming,
    set_aside,
    settlements,
)
from bloxtr8.entities import Settlement, User
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


def _what_left_the_buyer_never_was_his(patch: Patch) -> None:
    patch.setattr(deadlines, "_left_the_buyer", lambda *_: False)


def _nobody_asks_roblox_before_the_end(patch: Patch) -> None:
    patch.setattr(ownership, "before_end", lambda *_: [])


def _in_a_dispute_no_payout_is_stopped(patch: Patch) -> None:
    _rewrite(patch, asset_watch._tell, "watches.payout_guarded(file) is not None", "False")


def _what_is_released_unproven_is_never_handed_over(patch: Patch) -> None:
    words = "escrow.delivered_at = file.escrow.delivered_at or file.escrow.at_buyer_at"
    _rewrite(patch, milestones.release_early, words, "escrow.delivered_at = file.escrow.delivered_at")


def _what_the_buyer_got_ends_the_watch(patch: Patch) -> None:
    patch.setattr(refused_payouts, "sellers_unmoved", refused_payouts.unmoved)


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


def _a_request_moves_money(patch: Patch) -> None:
    plain = sagas.react

    def react(row: Any, actor: Any, **options: Any) -> bool:
        if isinstance(row, Settlement) and row.status == "OPEN":
            settling.send_leg(row.escrow_id, row.id, actor)
        return plain(row, actor, **options)

    patch.setattr(sagas, "react", react)


def _a_listing_keeps_the_offer_that_fell_through(patch: Patch) -> None:
    _rewrite(patch, deals.fall_through, "    listing.reserved_offer_id = None\n", "")


def _a_guard_of_nothing_stays(patch: Patch) -> None:
    patch.setattr(deals.Around, "freed", lambda _: [])


def _a_second_chain_of_offers(patch: Patch) -> None:
    patch.setattr(offers, "supersede", lambda *_: [])


def _one_signature_is_enough(patch: Patch) -> None:
    _rewrite(patch, contracts.sign, "contract.signed_by == {contract.buyer_id, contract.seller_id}", "True")


def _a_contract_is_signed_unread(patch: Patch) -> None:
    patch.setattr(contracts, "check_hash", lambda *_: None)


def _terms_are_accepted_unread(patch: Patch) -> None:
    _rewrite(patch, agreements.check_acceptable, "if seen_hash != ", "if not seen_hash and seen_hash != ")


def _another_contract_is_kept(patch: Patch) -> None:
    _rewrite(patch, contracts.sign, "sha256=contract.sha256", "sha256=contract.sha256[::-1]")


def _a_settlement_that_the_escrow_still_names(patch: Patch) -> None:
    words = "escrow.settlement_id, escrow.ended_at = None, now"
    _rewrite(patch, settlements.close, words, "escrow.ended_at = now")


def _a_milestone_loses_a_cent(patch: Patch) -> None:
    _rewrite(patch, opening._milestone, 'amount=part["amountCents"]', 'amount=part["amountCents"] - 1')


def _an_end_that_no_move_leads_to(patch: Patch) -> None:
    words = "escrow.settlement_id, escrow.ended_at = None, now"
    _rewrite(patch, settlements.close, words, f"{words}\n    escrow.status = EscrowStatus.CANCELLED")


def _a_version_is_left_out(patch: Patch) -> None:
    _rewrite(patch, table.remember, "row.version += 1", "row.version += 2")


def _a_line_is_written_again(patch: Patch) -> None:
    _rewrite(patch, settling._write, "lookup, *lines, ", "lookup, *lines, *file.ledger[:1], ")


def _a_line_without_its_leg(patch: Patch) -> None:
    _rewrite(patch, settlements.confirm, "leg_id=leg.id", "leg_id=None")


def _the_first_payment_is_every_legs(patch: Patch) -> None:
    plain, first = stripe.StripeRail.find, dict[str, Any]()

    def find(rail: Any, order: Any) -> Any:
        found = plain(rail, order)
        done = found is not None and found.status == "CONFIRMED"
        return first.setdefault(f"{order.escrow_id} {order.kind}", found) if done else found

    patch.setattr(stripe.StripeRail, "find", find)
    patch.setattr(settling, "lookups", SimpleNamespace(of=lambda file, _: file.escrow))


def _a_payment_by_hand_of_which_nothing_is_kept(patch: Patch) -> None:
    words = "row.status, row.ended_at, row.payment_id = ManualPaymentStatus.RECORDED, now, payment_id"
    _rewrite(patch, manual_payments.record, words, "row.payment_id = payment_id")


def _what_was_taken_stays_taken(patch: Patch) -> None:
    """However its loss is made good."""
    patch.setattr(owed, "settle", lambda *_, **__: owed.Settled())


def _nobody_may_pay_what_is_set_aside(patch: Patch) -> None:
    patch.setattr(set_aside, "amount", lambda _: 0)


def _a_cent_of_a_vault_is_not_seen(patch: Patch) -> None:
    plain = reconciliations.of_vault
    patch.setattr(reconciliations, "of_vault", lambda file, units: plain(file, max(units - 10_000, 0)))


def _a_deal_is_counted_as_open_for_ever(patch: Patch) -> None:
    _rewrite(patch, deals.finish, "deals.open = max(0, deals.open - 1)", "pass")


def _an_event_is_never_tried_again(patch: Patch) -> None:
    patch.setattr(webhooks, "due", lambda: [])


def _each_part_rounds_for_itself(patch: Patch) -> None:
    plain = money.settle
    patch.setattr(money, "settle", lambda **of: plain(**(of | {"share_before": 0, "fees_before": 0})))


def _who_is_paid_last_gets_the_fee_too(patch: Patch) -> None:
    gets = "money.Share(escrow.held, 0, 0) if paid_sides(file, old) else _share(escrow, seller_share)"
    _rewrite(patch, plans.start_anew, "_share(escrow, seller_share)", gets)


def _rewrite(patch: Patch, plain: Any, words: str, others: str) -> None:
    """Let a function be what its source would be with other words in it, under every name that modules have for it."""
    source = inspect.getsource(plain)
    assert source.count(words) == 1, (plain, words)
    made = dict[str, Any]()
    exec(source.replace(words, others), vars(inspect.getmodule(plain)), made)
    for module in [found for name, found in sys.modules.items() if name.startswith("bloxtr8.")]:
        for name in [name for name, found in vars(module).items() if found is plain]:
            patch.setattr(module, name, made[plain.__name__])


MISTAKES = (
    (_a_line_left_out, "i1_"),
    (_another_key_each_time, "i6_"),
    (_a_release_that_is_never_found, "every_trade_ended"),
    (_no_next_run, "every_trade_ended"),
    (_every_deadline_has_passed, "c8_"),
    (_what_left_the_buyer_never_was_his, "no_clock_refunds_what_left_the_buyer"),
    (_nobody_asks_roblox_before_the_end, "no_rest_is_returned_unseen"),
    (_in_a_dispute_no_payout_is_stopped, "no_seller_is_paid_for_what_he_has_again"),
    (_what_is_released_unproven_is_never_handed_over, "no_seller_is_paid_for_what_he_has_again"),
    (_what_the_buyer_got_ends_the_watch, "no_seller_is_paid_for_what_he_has_again"),
    (_no_limit_of_holding, "no_card_is_held_too_long_unheard"),
    (_what_was_refunded_by_hand_is_not_booked, "i6_"),
    (_no_answer_is_kept, "one key"),
    (_an_audit_entry_that_covers_nothing, "c7_"),
    (_no_hold_stops_anything, "section 4"),
    (_what_was_sent_is_sent_again_on_hold, "section 4"),
    (_no_ban_stops_anything, "C10"),
    (_a_ban_stops_who_would_finish, "C10"),
    (_a_request_moves_money, "C9"),
    (_a_listing_keeps_the_offer_that_fell_through, "c1_"),
    (_a_guard_of_nothing_stays, "c2_"),
    (_a_second_chain_of_offers, "c3"),
    (_one_signature_is_enough, "c4_"),
    (_a_settlement_that_the_escrow_still_names, "c6_"),
    (_an_end_that_no_move_leads_to, "C11"),
    (_a_version_is_left_out, "C7"),
    (_a_line_is_written_again, "C7"),
    (_a_contract_is_signed_unread, "c12"),
    (_terms_are_accepted_unread, "c12"),
    (_another_contract_is_kept, "c12"),
    (_each_part_rounds_for_itself, "section_10"),
    (_who_is_paid_last_gets_the_fee_too, "section_10"),
    (_a_milestone_loses_a_cent, "i3_"),
    (_a_line_without_its_leg, "i4_"),
    (_the_first_payment_is_every_legs, "i5_"),
    (_a_payment_by_hand_of_which_nothing_is_kept, "i5_"),
    (_what_was_taken_stays_taken, "i1_"),
    (_nobody_may_pay_what_is_set_aside, "i1_"),
    (_a_cent_of_a_vault_is_not_seen, "reconciliation"),
    (_a_deal_is_counted_as_open_for_ever, "nothing_is_left_over"),
    (_an_event_is_never_tried_again, "nothing_is_left_over"),
)
