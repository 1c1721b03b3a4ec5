"""GET /listings/{listing_id}: one listing, the latest look at its asset, and who sells. Public, more to its owner."""

from bloxtr8 import table
from bloxtr8.domain import listings
from bloxtr8.entities import Deals, Listing, User
from bloxtr8.lambdas import MaybeActor, entrypoint, http_app
from bloxtr8.views.listing import ListingDetail

app = http_app()


@app.get("/listings/<listing_id>", summary="One listing", tags=["listings"])
def get_listing(listing_id: str, actor: MaybeActor) -> ListingDetail:
    listing = table.get(Listing, id=listings.known(listing_id))
    listings.role_of(listing, actor)
    seller, deals, caller = table.load(
        table.ref(User, id=listing.seller_id),
        table.ref(Deals, user_id=listing.seller_id),
        table.ref(User, id=actor.id if actor else listing.seller_id),
    )
    role = listings.role_of(listing, actor, caller.platform_roles if actor and caller else frozenset())
    return ListingDetail.with_seller(listing, role, seller, deals)


lambda_handler = entrypoint(app)
