"""GET /me/offers: the caller's offers as buyer or as seller, newest first; `status` filters within the page."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from bloxtr8 import clock, paging, table
from bloxtr8.domain import offers
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Listing, Offer, OfferStatus
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.offer import OfferView

app = http_app()
INDEXES = {"buyer": "gsi1", "seller": "gsi2"}


@app.get("/me/offers", summary="The caller's offers", tags=["offers"])
def list_my_offers(
    actor: CurrentActor,
    role: Annotated[Literal["buyer", "seller"], Query()] = "buyer",
    status: Annotated[OfferStatus | None, Query()] = None,
    limit: paging.Limit = 20,
    cursor: paging.Cursor = None,
) -> paging.Listed[OfferView]:
    scope = f"list_my_offers {actor.id} {role} {status}"
    start = paging.opened(cursor, scope)
    found = table.page(Offer, INDEXES[role], f"USER#{actor.id}#OFFER", limit=limit, start=start)
    rows = table.load(*(table.ref(Listing, id=one) for one in offers.listings_of(found.items)))
    listings = {row.id: row for row in rows}
    now = clock.now()
    wanted = [
        offer for offer in found.items if status in {None, offers.state(offer, listings[offer.listing_id], now).status}
    ]

    def view(offer: Offer) -> OfferView:
        return OfferView.of(Bargain([offer], offer, listings[offer.listing_id]), actor)

    return paging.listed(found._replace(items=wanted), view, scope)


lambda_handler = entrypoint(app)
