"""GET /listings: what is for sale, ACTIVE and PUBLIC (M15). Public; a token shows one's own moves.

Newest first (`sort=new`), or cheapest first (`sort=price`, the default where a `priceBand` 0 to 7 is named). A page is
one query of one shelf: `category`, and a band under `sort=new`, filter within the page, so a page may be short or empty
and `nextCursor` still goes on. Without a band `sort=price` walks the bands in order. What is for sale all the while is
shown exactly once, whatever is added meanwhile.
"""

import json
from enum import StrEnum
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bloxtr8 import paging, shelves
from bloxtr8.domain import listings
from bloxtr8.entities import Listing, price_band
from bloxtr8.lambdas import MaybeActor, entrypoint, http_app
from bloxtr8.views.listing import ListingView

app = http_app()


class Sort(StrEnum):
    NEW = "new"
    PRICE = "price"


@app.get("/listings", summary="What is for sale", tags=["listings"])
def search_listings(
    actor: MaybeActor,
    category: Annotated[str | None, Query(max_length=100)] = None,
    band: Annotated[int | None, Query(alias="priceBand", ge=0, le=shelves.LAST_BAND)] = None,
    guild_id: Annotated[str | None, Query(alias="guildId", max_length=64)] = None,
    sort: Annotated[Sort | None, Query()] = None,
    limit: paging.Limit = 20,
    cursor: paging.Cursor = None,
) -> paging.Listed[ListingView]:
    listings.check_available(None, guild_id)
    sort = sort or (Sort.NEW if band is None else Sort.PRICE)
    scope = json.dumps(["search_listings", sort, band, category])
    start = paging.opened(cursor, scope)
    if sort is Sort.PRICE:
        found = shelves.cheapest(band, limit=limit, start=start)
    else:
        found = shelves.newest(limit=limit, start=start)
    wanted = [row for row in found.items if category in {None, row.category} and band in {None, price_band(row.price)}]

    def view(listing: Listing) -> ListingView:
        return ListingView.of(listing, listings.role_of(listing, actor))

    return paging.listed(found._replace(items=wanted), view, scope)


lambda_handler = entrypoint(app)
