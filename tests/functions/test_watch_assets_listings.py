"""watch_assets looks at live listings too: what is lost is for sale no more, an outage loses nothing (M21, M30)."""

from functools import partial

import pytest

from bloxtr8.domain import listings
from bloxtr8.entities import Listing, User
from tests import factories
from tests.checks import together
from tests.doubles import Roblox
from tests.emulator import Platform, template
from tests.functions.listings import guard, looks, row, user_changed
from tests.functions.offers import accept, shown
from tests.functions.webhooks import Machines
from tests.wire import Wire


@pytest.fixture
def seller(aws: Platform) -> User:
    return factories.user()


@pytest.fixture
def listing(seller: User) -> Listing:
    return factories.listing(seller)


def watch(aws: Platform, **later: float) -> None:
    """The rule fires, after this time."""
    aws.clock.advance(**later)
    aws.invoke("watch_assets")


def doubted(listing: Listing) -> dict[str, object]:
    """What EventBridge brings where an acceptance was refused."""
    return {"source": "bloxtr8", "detail-type": "asset_doubted", "detail": {"listingId": listing.id}}


def test_what_is_the_sellers_yet_is_verified_every_six_hours(aws: Platform, listing: Listing, wire: Wire) -> None:
    watch(aws, hours=5)
    assert len(looks(listing)) == 1
    wire.calls.clear()
    watch(aws, hours=1.1)
    assert wire.calls == ["Query", "Query", "BatchGetItem", "TransactWriteItems"]
    kept = row(listing)
    assert (len(looks(listing)), kept.status, kept.offers_epoch) == (2, "ACTIVE", 0)
    assert kept.verified_at == looks(listing)[-1].at
    entry = aws.audit(listing.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("verify_listing", "watch_assets", "SYSTEM")
    watch(aws, minutes=5)
    assert len(looks(listing)) == 2


@pytest.mark.parametrize("change", ["another", "nobody", "locked", "gone", "unlinked"])
def test_two_looks_without_proof_five_minutes_apart_lose_it(
    aws: Platform, seller: User, listing: Listing, roblox: Roblox, change: str
) -> None:
    buyer = factories.user()
    offer = factories.offer(listing, buyer)
    if change == "gone":
        roblox.forget_group(listing.asset_id)
    elif change == "unlinked":
        user_changed(seller, roblox_id=None)
    else:
        changes = {"another": {"owner": factories.user()}, "nobody": {"owner": None}, "locked": {"locked": True}}
        roblox.set_group(listing.asset_id, **changes[change])
    watch(aws, hours=7)
    assert (row(listing).status, row(listing).offers_epoch) == ("ACTIVE", 0)
    watch(aws, minutes=4)
    assert row(listing).status == "ACTIVE"
    watch(aws, minutes=2)

    kept = row(listing)
    assert (kept.status, kept.reason, kept.offers_epoch) == ("INACTIVE", listings.ASSET_LOST, 1)
    assert guard(listing.asset_id) is None
    assert aws.audit(listing.id)[-1].action == "lose_asset"
    assert shown(aws, buyer, offer)[:2] == ("DECLINED", "ASSET_LOST")
    watch(aws, hours=7)
    assert len(looks(listing)) == 3


def test_a_proof_between_the_two_begins_anew(aws: Platform, seller: User, listing: Listing, roblox: Roblox) -> None:
    for owner, later in ((None, 420), (seller, 6), (None, 420), (seller, 6)):
        roblox.set_group(listing.asset_id, owner=owner)
        watch(aws, minutes=later)
    assert row(listing).status == "ACTIVE"


def test_an_outage_loses_nothing_and_is_asked_a_few_times_a_run(aws: Platform, seller: User, roblox: Roblox) -> None:
    many = [factories.listing(seller) for _ in range(5)]
    roblox.down()
    before = len(roblox.calls)
    watch(aws, hours=7)
    asked = {call["path"] for call in roblox.calls[before:] if call["path"].startswith("/cloud/")}
    assert len(asked) == 3
    roblox.up()
    watch(aws, hours=2)
    assert {(row(one).status, len(looks(one))) for one in many} == {("ACTIVE", 2)}


def test_a_refused_acceptance_has_the_asset_looked_at(
    aws: Platform, seller: User, listing: Listing, roblox: Roblox, wire: Wire
) -> None:
    machines = Machines(wire)
    offer = factories.offer(listing, factories.user())
    roblox.set_group(listing.asset_id, owner=factories.user())
    aws.clock.advance(minutes=2)
    before = aws.rows()
    assert accept(aws, seller, offer).code == "ASSET_NOT_OWNED"
    assert aws.rows() == before
    assert machines.published == [("asset_doubted", {"listingId": listing.id})]

    aws.invoke("watch_assets", doubted(listing))
    assert (row(listing).status, len(looks(listing))) == ("ACTIVE", 2)
    aws.invoke("watch_assets", doubted(listing))
    assert len(looks(listing)) == 2  # the next look is five minutes away anyway
    watch(aws, minutes=6)
    assert row(listing).reason == listings.ASSET_LOST


def test_the_refusal_stands_where_nobody_can_be_nudged(
    aws: Platform, seller: User, listing: Listing, roblox: Roblox, wire: Wire
) -> None:
    machines = Machines(wire)
    machines.refusing = 1
    offer = factories.offer(listing, factories.user())
    roblox.set_group(listing.asset_id, owner=None)
    assert accept(aws, seller, offer).code == "ASSET_OWNERLESS"


def test_nudges_look_once_a_minute(aws: Platform, listing: Listing) -> None:
    for _ in range(3):
        aws.invoke("watch_assets", doubted(listing))
    assert len(looks(listing)) == 1
    aws.clock.advance(minutes=2)
    for _ in range(3):
        aws.invoke("watch_assets", doubted(listing))
    assert len(looks(listing)) == 2


def test_the_rules_bring_the_nudge_here_and_the_loss_to_its_offers() -> None:
    functions = template()["Resources"]
    rule = functions["WatchAssetsFunction"]["Properties"]["Events"]["AssetDoubted"]["Properties"]
    assert rule["Pattern"] == {"source": ["bloxtr8"], "detail-type": ["asset_doubted"]}
    ended = functions["CloseStaleOffersFunction"]["Properties"]["Events"]["OffersEnded"]["Properties"]
    assert "lose_asset" in ended["Pattern"]["detail-type"]


def test_of_a_loss_and_an_acceptance_one_wins(aws: Platform, seller: User, listing: Listing, roblox: Roblox) -> None:
    offer = factories.offer(listing, factories.user())
    roblox.set_group(listing.asset_id, owner=None)
    watch(aws, hours=7)
    aws.clock.advance(minutes=6)
    together(partial(aws.invoke, "watch_assets"), partial(accept, aws, seller, offer))
    kept = row(listing)
    assert (kept.status, kept.offers_epoch) == ("INACTIVE", 1)
