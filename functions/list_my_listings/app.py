"""GET /me/listings: the caller's own listings, newest first; `status` filters within the page."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bloxtr8 import paging, table
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Listing, ListingStatus
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.listing import ListingView

app = http_app()


@app.get("/me/listings", summary="The caller's listings", tags=["listings"])
def list_my_listings(
    actor: CurrentActor,
    status: Annotated[ListingStatus | None, Query()] = None,
    limit: paging.Limit = 20,
    cursor: paging.Cursor = None,
) -> paging.Listed[ListingView]:
    scope = f"list_my_listings {actor.id} {status}"
    start = paging.opened(cursor, scope)
    found = table.page(Listing, "gsi1", f"USER#{actor.id}#LISTING", limit=limit, start=start)
    wanted = [listing for listing in found.items if status in {None, listing.status}]
    return paging.listed(found._replace(items=wanted), _own, scope)


def _own(listing: Listing) -> ListingView:
    return ListingView.of(listing, Role.OWNER)


lambda_handler = entrypoint(app)
