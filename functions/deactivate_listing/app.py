"""POST /listings/{listing_id}/deactivate: the owner takes it off the shelf; its offers wait and can't be accepted."""

from bloxtr8 import assets, table
from bloxtr8.domain import listings
from bloxtr8.entities import Listing
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.listing import ListingView

app = http_app()


@app.post("/listings/<listing_id>/deactivate", summary="Take a listing off the shelf", tags=["listings"])
def deactivate_listing(listing_id: str, actor: CurrentActor) -> ListingView:
    listing = table.get(Listing, id=listings.known(listing_id))
    role = listings.role_of(listing, actor)
    listings.check_move("deactivate_listing", listing, role)
    actor.expects(listing)
    guard = assets.guard_of(listing)
    listings.deactivate(listing)

    def answer() -> ListingView:
        return ListingView.of(listing, role)

    return table.commit(listing, action="deactivate_listing", actor=actor, deletes=guard, answer=answer)


lambda_handler = entrypoint(app)
