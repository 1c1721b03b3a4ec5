"""POST /listings/{listing_id}/activate: the owner offers it again, if Roblox still shows the asset to be his."""

from bloxtr8 import assets, clock, table
from bloxtr8.domain import listings
from bloxtr8.entities import AssetGuard, Listing, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.listing import ListingView

app = http_app()


@app.post("/listings/<listing_id>/activate", summary="Put a listing back on the shelf", tags=["listings"])
def activate_listing(listing_id: str, actor: CurrentActor) -> ListingView:
    place = table.ref(Listing, id=listings.known(listing_id))
    listing, caller = table.load(place, table.ref(User, id=actor.id))
    role = listings.role_of(listing, actor)
    listings.check_move("activate_listing", listing, role)
    actor.expects(listing)
    listings.check_lister(caller, clock.now())
    guard = table.find(AssetGuard, asset_type=listing.asset_type, asset_id=listing.asset_id)
    holder = assets.holder_of(guard)
    listings.check_free(listing.seller_id, holder)

    look = assets.look(listing, caller.roblox_id)
    rows = listings.activate(listing, look, guard, holder, clock.now())

    def answer() -> ListingView:
        return ListingView.of(listing, role)

    return table.commit(listing, *rows, action="activate_listing", actor=actor, checks=[caller], answer=answer)


lambda_handler = entrypoint(app)
