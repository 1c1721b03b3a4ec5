"""DELETE /listings/{listing_id}: the owner ends it for good, and every offer on it."""

from bloxtr8 import assets, table
from bloxtr8.domain import listings
from bloxtr8.entities import Listing
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.listing import ListingView

app = http_app()


@app.delete("/listings/<listing_id>", summary="Cancel a listing", tags=["listings"])
def cancel_listing(listing_id: str, actor: CurrentActor) -> ListingView:
    listing = table.get(Listing, id=listings.known(listing_id))
    role = listings.role_of(listing, actor)
    listings.check_move("cancel_listing", listing, role)
    actor.expects(listing)
    guard = assets.guard_of(listing)
    listings.cancel(listing)

    def answer() -> ListingView:
        return ListingView.of(listing, role)

    return table.commit(listing, action="cancel_listing", actor=actor, deletes=guard, answer=answer)


lambda_handler = entrypoint(app)
