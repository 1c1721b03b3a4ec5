"""Parts of the price, released one by one on either rail: each once, fees without drift, the last ends it (M43)."""

import datetime as dt

import pytest

from bloxtr8.entities import Escrow, Hold, PlatformRole
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import escrows, money, settlements
from tests.functions.chain import FakeChain, chain, wallets
from tests.functions.escrows import around, changed, confirm, file, hidden, paid_out, refund, row, seen, sound
from tests.functions.milestones import (
    House,
    confirmed,
    delivered,
    house,
    milestone,
    of_thirds,
    paid,
    parts,
    release,
    statuses,
)
from tests.functions.offers import same_but
from tests.wire import Wire

__all__ = ["chain", "house", "wallets"]
KEY = {"Idempotency-Key": "k"}
# of 10,000 in thirds, at 290 bps of the seller: buyerFeeBps, each part's (to the seller, to the platform)
WORKED = [
    (0, [(3_237, 96), (3_236, 97), (3_237, 97)]),
    (100, [(3_237, 129), (3_236, 130), (3_237, 131)]),
]


def plans(escrow: Escrow) -> list[tuple[str, int, int, int]]:
    """(kind, to the seller, to the platform, to the buyer) of each settlement, in order."""
    return [(str(p.kind), p.to_seller, p.to_platform, p.to_buyer) for p in file(escrow).settlements]


@pytest.mark.parametrize(("buyer_bps", "shares"), WORKED)
def test_part_by_part_the_seller_is_paid_what_all_at_once_would(
    aws: Platform, house: House, chain: FakeChain, monkeypatch: pytest.MonkeyPatch,
    buyer_bps: int, shares: list[tuple[int, int]],
) -> None:  # fmt: skip
    monkeypatch.setenv("BUYER_FEE_BPS", str(buyer_bps))
    escrow = of_thirds(house)
    gross = 10_000 + buyer_bps
    for n, (seller, platform) in enumerate(shares):
        before = row(escrow)
        now = paid(aws, escrow)
        assert (now.released - before.released, now.fees - before.fees) == (seller, platform)
        assert statuses(escrow)[: n + 1] == ["RELEASED"] * (n + 1)
        assert now.status == ("RELEASED" if n == 2 else "FUNDS_HELD")
        sound(aws, escrow)
    kinds = ["MILESTONE", "MILESTONE", "RELEASE"]
    assert plans(escrow) == [(kind, *share, 0) for kind, share in zip(kinds, shares, strict=True)]
    assert sound(aws, escrow) == {"BUYER": -gross, "SELLER": 9_710, "FEES": 290 + buyer_bps}
    assert around(escrow)["listing"] == "SOLD"
    assert around(escrow)["open"] == [0, 0]
    if house.name == "USDC_BASE":
        assert [order.action for order in chain.sent] == [0, 1, 66]
        assert chain.units(escrow) == 0


@pytest.mark.parametrize(("buyer_bps", "left"), [(0, 3_334), (100, 3_368)])
def test_the_rest_goes_back_with_its_part_of_the_buyers_fee(
    aws: Platform, stripe: StripeDouble, house: House, chain: FakeChain, monkeypatch: pytest.MonkeyPatch,
    buyer_bps: int, left: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("BUYER_FEE_BPS", str(buyer_bps))
    escrow = of_thirds(house)
    for _ in range(2):
        paid(aws, escrow)
    assert row(escrow).held == left
    assert refund(aws, escrow).status == 202
    end = paid_out(stripe, escrow)
    assert (end.status, end.refunded, end.held, end.seller_share) == ("SPLIT", left, 0, 6_666)
    assert statuses(escrow) == ["RELEASED", "RELEASED", "REFUNDED"]
    assert [str(one.status) for one in file(escrow).deliveries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert sound(aws, escrow) == {"BUYER": left - escrow.gross, "SELLER": 6_473, "FEES": escrow.gross - left - 6_473}
    assert around(escrow)["listing"] == "INACTIVE"  # the group is the seller's still
    if house.name == "USDC_BASE":
        assert [order.action for order in chain.sent] == [0, 1, 65]


def test_what_is_agreed_divides_only_what_is_left(aws: Platform, stripe: StripeDouble, house: House) -> None:
    escrow = of_thirds(house)
    stale = settlements.propose(aws, escrow, 1)
    assert stale.status == 201
    paid(aws, escrow)
    assert [str(one.status) for one in file(escrow).proposals] == ["EXPIRED"]
    refused(
        aws, 410, "PROPOSAL_EXPIRED", "accept_settlement", escrow.seller_id, headers=KEY, escrow_id=escrow.id,
        proposal_id=stale.body["id"],
    )  # fmt: skip
    for body, status in (
        ({"sellerAmount": 3_333, "buyerAmount": 3_335}, 422),
        ({"sellerAmount": 1, "buyerAmount": 6_666}, 201),
    ):
        told = aws.call("propose_settlement", escrow.buyer_id, body | {"reason": "x"}, escrow_id=escrow.id)
        assert told.status == status, told.body
    assert settlements.accept(aws, escrow, told.body["id"]).status == 202
    end = paid_out(stripe, escrow)
    assert (end.status, end.released, end.fees, end.refunded) == ("SPLIT", 3_238, 96, 6_666)
    assert statuses(escrow) == ["RELEASED", "CANCELLED", "CANCELLED"]
    sound(aws, escrow)


def test_is_one_transaction_that_frees_nothing_else(aws: Platform, stripe: StripeDouble, wire: Wire) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(5_000, 5_000))
    path = {"escrow_id": escrow.id, "milestone_id": milestone(escrow, 0).id}
    before = aws.rows()
    wire.calls.clear()

    answer = aws.call("release_milestone", escrow.buyer_id, {"acknowledge": True}, headers=KEY, **path)

    assert (answer.status, wire.round_trips()) == (202, 2)
    kept = file(escrow)
    assert answer.body == {"status": "FUNDS_HELD", "settlementId": kept.escrow.settlement_id}
    changes = {"Escrow", "Milestone", "Delivery", "Settlement", "Leg", "AuditEntry", "Idempotency"}
    assert same_but(before, aws.rows()) == changes
    (plan,) = kept.settlements
    assert (plan.kind, plan.milestone_id, plan.seller_share, plan.buyer_share) == (
        "MILESTONE", kept.milestones[0].id, 5_000, 0,
    )  # fmt: skip
    assert (kept.deliveries[0].status, kept.deliveries[0].confirmed_by) == ("CONFIRMED", "BUYER")
    entry = aws.audit(escrow.id)[-1]
    assert (entry.action, entry.role, entry.details) == (
        "release_milestone", "BUYER", {"milestoneId": kept.milestones[0].id},
    )  # fmt: skip
    again = release(aws, escrow, 0, key="k")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (answer.body, "true")
    other = release(aws, escrow, 0, key="other")
    assert (other.status, other.code, other.body["currentStatus"]) == (409, "INVALID_STATE", "SETTLING")
    assert release(aws, escrow, 1).code == "SETTLEMENT_IN_PROGRESS"
    factories.settle(escrow)
    assert statuses(escrow) == ["RELEASED", "FUNDS_HELD"]
    assert release(aws, escrow, 0, key="other").body["currentStatus"] == "RELEASED"
    money.nothing_happens(aws, "finish_settlement", {"escrowId": escrow.id, "settlementId": plan.id})


def test_is_the_buyers_alone(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(5_000, 5_000))
    path = {"escrow_id": escrow.id, "milestone_id": milestone(escrow, 0).id}
    body = {"acknowledge": True}
    refused(aws, 403, "FORBIDDEN", "release_milestone", escrow.seller_id, body, headers=KEY, **path)
    refused(aws, 400, "IDEMPOTENCY_KEY_REQUIRED", "release_milestone", escrow.buyer_id, body, **path)
    stale = KEY | {"If-Match": '"1"'}
    refused(aws, 412, "VERSION_MISMATCH", "release_milestone", escrow.buyer_id, body, headers=stale, **path)
    for wrong in ({}, {"acknowledge": 1}, {"acknowledge": False}, []):
        refused(aws, 400, "VALIDATION_ERROR", "release_milestone", escrow.buyer_id, wrong, headers=KEY, **path)
    for gone in ("mst_1", "mst_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", escrow.id, "../me"):
        wrong_path = path | {"milestone_id": gone}
        refused(aws, 404, "NOT_FOUND", "release_milestone", escrow.buyer_id, body, headers=KEY, **wrong_path)
    staff = escrows.staff(PlatformRole.PADMIN, PlatformRole.ARBITER)
    for stranger in (factories.user(), staff):
        refused(aws, 404, "NOT_FOUND", "release_milestone", stranger, body, headers=KEY, **path)
    changed(escrow, holds=frozenset({Hold.COMPLIANCE}))
    refused(aws, 409, "ESCROW_ON_HOLD", "release_milestone", escrow.buyer_id, body, headers=KEY, **path)


def test_before_it_is_paid_nothing_is_released(aws: Platform) -> None:
    escrow = factories.executed(amount=10_000, milestones=parts(5_000, 5_000))
    assert statuses(escrow) == ["AWAIT_FUNDS", "AWAIT_FUNDS"]
    assert release(aws, escrow, 0).code == "INVALID_STATE"
    cancelled = aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No."}, escrow_id=escrow.id)
    assert [one["status"] for one in cancelled.body["milestones"]] == ["CANCELLED", "CANCELLED"]


def test_the_buyer_may_release_any_and_whichever_is_left_ends_it(aws: Platform, house: House, chain: FakeChain) -> None:
    escrow = of_thirds(house)
    delivered(aws, escrow)
    for n in (2, 1):
        assert release(aws, escrow, n).status == 202
        assert factories.settle(escrow).status == "FUNDS_HELD"
    assert statuses(escrow) == ["DELIVERED", "RELEASED", "RELEASED"]
    assert confirm(aws, escrow).body["status"] == "SETTLING"
    assert factories.settle(escrow).status == "RELEASED"
    assert [plan[0] for plan in plans(escrow)] == ["MILESTONE", "MILESTONE", "RELEASE"]
    sound(aws, escrow)
    if house.name == "USDC_BASE":
        assert [order.action for order in chain.sent] == [2, 1, 66]


def test_both_sides_see_what_they_may_do(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(4_000, 6_000))

    def told(user: str) -> list[tuple[str, int, bool, str, list[str]]]:
        shown = seen(aws, escrow, user)["milestones"]
        names = ("title", "amountCents", "transfersAsset", "status", "allowedActions")
        return [tuple(one[name] for name in names) for one in shown]  # type: ignore[misc]

    first, second = ("Part 1", 4_000, False), ("Part 2", 6_000, True)
    assert told(escrow.seller_id) == [
        (*first, "FUNDS_HELD", ["start_delivery"]), (*second, "FUNDS_HELD", []),
    ]  # fmt: skip
    assert told(escrow.buyer_id) == [
        (*first, "FUNDS_HELD", ["release_milestone"]), (*second, "FUNDS_HELD", ["release_milestone"]),
    ]  # fmt: skip
    delivered(aws, escrow)
    assert told(escrow.buyer_id)[0] == (
        *first, "DELIVERED", ["confirm_delivery", "reject_delivery", "release_milestone"],
    )  # fmt: skip
    assert told(escrow.seller_id)[0][-1] == []
    assert confirm(aws, escrow).status == 202
    assert told(escrow.buyer_id) == [(*first, "SETTLING", []), (*second, "FUNDS_HELD", ["verify_delivery"])]
    assert told(escrow.seller_id)[1][-1] == ["start_delivery", "verify_delivery"]
    factories.settle(escrow)
    shown = seen(aws, escrow, escrow.seller_id)
    assert [(one["kind"], one["milestoneId"]) for one in shown["settlements"]] == [
        ("MILESTONE", shown["milestones"][0]["id"])
    ]
    assert [one["milestoneId"] for one in shown["deliveries"]] == [one["id"] for one in shown["milestones"]]
    assert shown["milestones"][0]["releasedAt"] is not None


def test_only_what_has_its_turn_is_delivered(aws: Platform, stripe: StripeDouble, roblox: Roblox) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(4_000, 6_000))
    one, two = file(escrow).deliveries
    second = {"milestoneId": str(two.milestone_id)}
    told = refused(aws, 409, "NOT_IN_TURN", "start_delivery", escrow.seller_id, second, escrow_id=escrow.id)
    assert told.body["milestoneId"] == one.milestone_id
    refused(aws, 404, "NOT_FOUND", "start_delivery", escrow.seller_id, {"milestoneId": "mst_1"}, escrow_id=escrow.id)
    path = {"escrow_id": escrow.id, "delivery_id": two.id}
    refused(aws, 409, "NOT_IN_TURN", "mark_delivered", escrow.seller_id, **path)
    refused(aws, 409, "NOT_IN_TURN", "verify_delivery", escrow.seller_id, **path)
    first = {"escrow_id": escrow.id, "delivery_id": one.id}
    refused(aws, 409, "NOTHING_TO_VERIFY", "verify_delivery", escrow.buyer_id, **first)
    refused(aws, 409, "INVALID_STATE", "mark_delivered", escrow.seller_id, **first)  # not started
    roblox.down()  # a part without the asset does not need Roblox
    delivered(aws, escrow)
    kept = file(escrow)
    assert (kept.deliveries[0].verification, kept.deliveries[0].snapshot_id) == ("NOT_APPLICABLE", None)
    assert (kept.escrow.status, kept.escrow.delivered_at) == ("FUNDS_HELD", None)
    assert kept.escrow.inspect_by is not None
    assert confirm(aws, escrow).status == 202
    again = {"Idempotency-Key": "again"}
    refused(aws, 409, "NOT_IN_TURN", "confirm_delivery", escrow.buyer_id, {"acknowledge": True}, headers=again, **first)
    roblox.up()
    delivered(aws, escrow)  # while the first is still being paid
    kept = file(escrow)
    assert (kept.escrow.status, kept.deliveries[1].verification) == ("DELIVERED", "VERIFIED")
    factories.settle(escrow, kept.settlements[0].id)
    assert row(escrow).status == "DELIVERED"
    assert confirm(aws, escrow, "second").status == 202
    assert factories.settle(escrow).status == "RELEASED"


def test_each_part_has_the_whole_time(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(4_000, 6_000))
    aws.clock.advance(days=6)
    for days in (0, 3):
        aws.clock.advance(days=days)
        if days:
            factories.settle(escrow)  # the time goes on when the seller has his money
        else:
            confirmed(aws, escrow)
        left = row(escrow).deliver_by - aws.clock.now()
        assert dt.timedelta(days=7) - left < dt.timedelta(seconds=1)
        assert row(escrow).inspect_by is None


def test_of_the_same_release_at_once_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(4_000, 6_000))
    answers = together(*(lambda key=key: release(aws, escrow, 0, key=key) for key in ("a", "b")))
    assert sorted(answer.status for answer in answers) == [202, 409]
    assert len(file(escrow).settlements) == 1


def test_what_is_hidden_stays_hidden(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.funded(stripe, amount=10_000, milestones=parts(4_000, 6_000))
    hidden(aws, "start_delivery", escrow, escrow.seller_id, {"milestoneId": milestone(escrow, 0).id})
