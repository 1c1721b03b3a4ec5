"""PATCH /listings/{listing_id}: the owner changes what is said or asked for; offers keep their own amounts (M23)."""

from typing import Any, Self

from pydantic import model_validator

from bloxtr8 import table
from bloxtr8.domain import listings
from bloxtr8.entities import Listing, Visibility
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Category, Cents, Days, Summary, Title
from bloxtr8.views.listing import ListingView

app = http_app()


class UpdateListing(Body):
    """At least one field, and none of them null."""

    title: Title | None = None
    summary: Summary | None = None
    price: Cents | None = None
    category: Category | None = None
    visibility: Visibility | None = None
    delivery_days: Days | None = None
    inspection_days: Days | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.changes or None in self.changes.values():
            raise ValueError("name at least one field, and none as null")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


@app.patch("/listings/<listing_id>", summary="Change a listing", tags=["listings"])
def update_listing(listing_id: str, body: UpdateListing, actor: CurrentActor) -> ListingView:
    listings.check_available(body.visibility, None)
    listing = table.get(Listing, id=listings.known(listing_id))
    role = listings.role_of(listing, actor)
    listings.check_move("update_listing", listing, role)
    actor.expects(listing)
    details = listings.update(listing, body.changes)

    def answer() -> ListingView:
        return ListingView.of(listing, role)

    return table.commit(listing, action="update_listing", actor=actor, details=details, answer=answer)


lambda_handler = entrypoint(app)
