"""POST /listings/{listing_id}/snapshots: look at the asset on Roblox again. Two looks without proof end its offers."""

from bloxtr8 import assets, clock, table
from bloxtr8.domain import listings
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import AssetGuard, Listing, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.listing import SnapshotView

app = http_app()


@app.post("/listings/<listing_id>/snapshots", status_code=201, summary="Verify a listing again", tags=["listings"])
def verify_listing(listing_id: str, actor: CurrentActor) -> SnapshotView:
    place = table.ref(Listing, id=listings.known(listing_id))
    listing, caller = table.load(place, table.ref(User, id=actor.id))
    role = listings.role_of(listing, actor, caller.platform_roles)
    listings.check_move("verify_listing", listing, role)
    actor.expects(listing)
    listings.check_rate(listing, clock.now())
    seller = caller if role is Role.OWNER else table.get(User, id=listing.seller_id)

    look = assets.look_again(listing, seller.roblox_id)
    freed: list[AssetGuard] = []
    kept = [look]
    if listings.see(listing, look, clock.now()):
        freed = assets.guard_of(listing)
        listings.lose(listing)
    elif told := assets.told_before(look):
        look.id, kept = told.id, []
        listing.snapshot = listings.facts(look)
    return table.commit(
        listing,
        *kept,
        action="verify_listing",
        actor=actor,
        deletes=freed,
        answer=lambda: SnapshotView.of(look),
    )


lambda_handler = entrypoint(app)
