"""Which row an event of Stripe points at."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloxtr8.rails import stripe_client, stripe_events
from bloxtr8.rails.stripe_events import Hint, HintKind, interpret

ESCROW = "esc_01JDCZ0000000000000000000A"
SETTLEMENT = "stl_01JDCZ0000000000000000000B"
OURS = {"protectedPayment": ESCROW, "opId": f"{SETTLEMENT}:3:2"}


def event(kind: str, thing: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"object": thing}, **more}


def test_the_metadata_names_are_those_the_rail_writes() -> None:
    assert (stripe_events.PAYMENT, stripe_events.OPERATION) == (stripe_client.PAYMENT, stripe_client.OPERATION)


def test_stripe_never_reads_the_word_escrow() -> None:
    assert "escrow" not in (stripe_client.PAYMENT + stripe_client.OPERATION + stripe_client.USER).lower()


@pytest.mark.parametrize("move", ["succeeded", "processing", "payment_failed", "requires_action", "canceled"])
def test_a_payment_points_at_its_escrow(move: str) -> None:
    hint = interpret(event(f"payment_intent.{move}", {"id": "pi_1", "metadata": {"protectedPayment": ESCROW}}))
    assert hint == Hint(kind=HintKind.FUNDING, object_id="pi_1", escrow_id=ESCROW)


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed"])
def test_a_refund_points_at_its_leg(kind: str) -> None:
    hint = interpret(event(kind, {"id": "re_1", "payment_intent": "pi_1", "metadata": OURS}))
    assert (hint.kind, hint.leg_id, hint.attempt) == (HintKind.LEG, f"{SETTLEMENT}-03", 2)
    assert (hint.object_id, hint.funding_id, hint.escrow_id) == ("re_1", "pi_1", ESCROW)
    assert hint.settlement_id == SETTLEMENT


def test_a_transfer_points_at_its_leg() -> None:
    hint = interpret(event("transfer.created", {"id": "tr_1", "transfer_group": ESCROW, "metadata": OURS}))
    assert (hint.kind, hint.leg_id, hint.object_id) == (HintKind.LEG, f"{SETTLEMENT}-03", "tr_1")


def test_a_reversal_points_at_the_leg_that_ordered_it_not_at_the_transfer() -> None:
    newest = {"id": "trr_2", "metadata": OURS | {"opId": f"{SETTLEMENT}:4:1"}}
    transfer = {"id": "tr_1", "metadata": OURS, "reversals": {"data": [newest, {"id": "trr_1", "metadata": {}}]}}
    assert interpret(event("transfer.reversed", transfer)).leg_id == f"{SETTLEMENT}-04"


def test_a_reversal_in_the_dashboard_is_stray() -> None:
    transfer = {
        "id": "tr_1",
        "transfer_group": ESCROW,
        "metadata": OURS,
        "reversals": {"data": [{"id": "trr_1", "metadata": {}}]},
    }
    hint = interpret(event("transfer.reversed", transfer))
    assert (hint.kind, hint.object_id, hint.escrow_id) == (HintKind.STRAY, "tr_1", ESCROW)


@pytest.mark.parametrize(
    "metadata",
    [{}, None, {"protectedPayment": ESCROW}, OURS | {"opId": "stl_1:1:1"}, OURS | {"opId": f"{SETTLEMENT}:3:2 "}],
)
def test_a_refund_that_nobody_ordered_is_stray(metadata: dict[str, str] | None) -> None:
    hint = interpret(event("refund.created", {"id": "re_1", "payment_intent": "pi_1", "metadata": metadata}))
    assert (hint.kind, hint.object_id, hint.funding_id, hint.leg_id) == (HintKind.STRAY, "re_1", "pi_1", None)


@pytest.mark.parametrize(
    ("kind", "thing", "asked"),
    [
        ("radar.early_fraud_warning.created", {"id": "issfr_1", "charge": "ch_1"}, HintKind.WARNING),
        ("review.opened", {"id": "prv_1", "payment_intent": "pi_1"}, HintKind.REVIEW),
        ("review.closed", {"id": "prv_1", "closed_reason": "approved", "open": False}, HintKind.REVIEW),
        ("charge.dispute.created", {"id": "du_1", "payment_intent": "pi_1", "status": "lost"}, HintKind.CHARGEBACK),
        ("charge.dispute.updated", {"id": "du_1", "charge": "ch_1"}, HintKind.CHARGEBACK),
        ("charge.dispute.funds_withdrawn", {"id": "du_1"}, HintKind.CHARGEBACK),
        ("charge.dispute.funds_reinstated", {"id": "du_1"}, HintKind.CHARGEBACK),
        ("charge.dispute.closed", {"id": "du_1"}, HintKind.CHARGEBACK),
        ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 5}, HintKind.REFUNDED),
    ],
)
def test_a_doubt_points_at_the_object_that_says_what_it_is_about(
    kind: str, thing: dict[str, Any], asked: HintKind
) -> None:
    assert interpret(event(kind, thing)) == Hint(kind=asked, object_id=thing["id"])
    assert interpret(event(kind, thing, account="acct_seller")).kind is HintKind.IGNORED
    assert interpret(event(kind, {"object": "nameless"})).kind is HintKind.IGNORED


def test_an_account_points_at_itself() -> None:
    updated = interpret(event("account.updated", {"id": "acct_1"}, account="acct_1"))
    capability = interpret(event("capability.updated", {"id": "transfers", "account": "acct_1"}))
    assert updated == capability == Hint(kind=HintKind.ACCOUNT, account_id="acct_1")


@pytest.mark.parametrize(
    "kind", ["payment_intent.succeeded", "refund.updated", "transfer.created", "transfer.reversed"]
)
def test_what_happens_inside_a_sellers_account_is_not_ours(kind: str) -> None:
    thing = {"id": "x_1", "metadata": OURS}
    assert interpret(event(kind, thing, account="acct_seller")).kind is HintKind.IGNORED


@pytest.mark.parametrize("kind", ["payment_intent.created", "customer.created", "balance.available", "", "né"])
def test_other_events_are_ignored(kind: str) -> None:
    assert interpret(event(kind, {"id": "x_1", "metadata": OURS})).kind is HintKind.IGNORED


def test_a_payment_of_another_product_is_ignored() -> None:
    assert interpret(event("payment_intent.succeeded", {"id": "pi_1", "metadata": {}})).kind is HintKind.IGNORED


ODD = st.sampled_from([None, True, 7, "", "x", [], {}, [[]], [{}], [None], {"data": []}, {"data": [7]}])
FIELDS = st.sampled_from(["id", "metadata", "reversals", "account", "payment_intent", "transfer_group"])
MARKED = st.sampled_from([OURS, {"opId": 7}, {"data": [{"metadata": OURS}]}, {"data": [{"metadata": []}]}])


@settings(deadline=None)
@given(kind=st.sampled_from(sorted(stripe_events.READERS)), thing=st.dictionaries(FIELDS, ODD | MARKED))
def test_never_raises_and_names_a_leg_only_as_a_whole(kind: str, thing: dict[str, Any]) -> None:
    hint = interpret(event(kind, thing))
    whole = (hint.settlement_id, hint.leg, hint.attempt, hint.leg_id)
    assert all(part is not None for part in whole) is (hint.kind is HintKind.LEG)
    assert hint.kind is not HintKind.LEG or hint.escrow_id


THINGS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["pi_1", "", 7, None]),
        "object": st.just("x"),
        "account": st.sampled_from(["acct_1", None, {"id": "acct_1"}]),
        "payment_intent": st.sampled_from(["pi_1", None, {"id": "pi_1"}]),
        "transfer_group": st.sampled_from([ESCROW, None]),
        "metadata": st.sampled_from([OURS, {}, None, [], {"protectedPayment": 7}, OURS | {"name": "Ada"}]),
        "reversals": st.sampled_from(
            [None, [], {"data": []}, {"data": ["x"]}, {"data": [{"id": "trr_1", "metadata": OURS}, {"id": "trr_0"}]}]
        ),
        "client_secret": st.just("pi_1_secret"),
        "email": st.just("Ada@example.com"),
    },
)


@given(st.sampled_from([*stripe_events.READERS, "other.event"]), THINGS, st.sampled_from([None, "acct_9"]))
def test_what_the_table_keeps_says_the_same_and_nothing_of_a_person(
    kind: str, thing: dict[str, Any], account: str | None
) -> None:
    whole = event(kind, thing, id="evt_1", livemode=False, created=1, account=account, request={"email": "Ada"})

    kept = stripe_events.essentials(whole)

    assert interpret(kept) == interpret(whole)
    assert stripe_events.essentials(kept) == kept
    assert not [word for word in ("Ada", "secret") if word in repr(kept)]
    assert (kept["id"], kept["livemode"]) == ("evt_1", False)
