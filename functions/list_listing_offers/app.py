"""GET /listings/{listing_id}/offers: all of them to the seller, to anybody else only the own chain; newest first."""

from bloxtr8 import paging, table
from bloxtr8.domain import listings, offers
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Chain, Listing, Offer
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.offer import OfferView

app = http_app()


@app.get("/listings/<listing_id>/offers", summary="The offers for a listing", tags=["offers"])
def list_listing_offers(
    listing_id: str, actor: CurrentActor, limit: paging.Limit = 20, cursor: paging.Cursor = None
) -> paging.Listed[OfferView]:
    own = table.ref(Chain, listing_id=listings.known(listing_id), buyer_id=actor.id)
    listing, chain = table.load(table.ref(Listing, id=listing_id), own)
    index, shelf = offers.shelf_of(listing, chain, actor)
    scope = f"list_listing_offers {actor.id} {shelf}"
    start = paging.opened(cursor, scope)
    found = table.page(Offer, index, shelf, limit=limit, start=start)

    def view(offer: Offer) -> OfferView:
        return OfferView.of(Bargain([offer], offer, listing), actor)

    return paging.listed(found, view, scope)


lambda_handler = entrypoint(app)
