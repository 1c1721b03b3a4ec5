"""POST /listings: the caller puts an asset up for sale that Roblox shows to be his (M18, M20).

While Roblox is unreachable the listing is kept INACTIVE (VERIFICATION_PENDING) and holds nothing: activate_listing
proves it later.
"""

from contextlib import suppress

from bloxtr8 import assets, clock, table
from bloxtr8.domain import listings
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import AssetGuard, AssetType, Entity, User, Visibility
from bloxtr8.errors import UpstreamFailed
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Category, Cents, Days, Digits, Summary, Title, Word
from bloxtr8.views.listing import ListingView

app = http_app()


class CreateListing(Body):
    title: Title
    summary: Summary
    price: Cents
    category: Category
    asset_type: AssetType
    asset_id: Digits
    guild_id: Word | None = None
    visibility: Visibility = Visibility.PUBLIC
    delivery_days: Days | None = None
    inspection_days: Days | None = None


@app.post("/listings", status_code=201, summary="List an asset for sale", tags=["listings"])
def create_listing(body: CreateListing, actor: CurrentActor) -> ListingView:
    listings.check_available(body.visibility, body.guild_id)
    listings.check_price(body.price)
    place = table.ref(AssetGuard, asset_type=body.asset_type, asset_id=body.asset_id)
    seller, guard = table.load(table.ref(User, id=actor.id), place)
    listings.check_lister(seller, clock.now())
    holder = assets.holder_of(guard)
    listings.check_free(seller.id, holder)

    listing = listings.draft(seller, clock.now(), **body.model_dump(exclude={"guild_id"}))
    rows: list[Entity] = []
    with suppress(UpstreamFailed):
        look = assets.look(listing, seller.roblox_id)
        rows = listings.activate(listing, look, guard, holder, clock.now())

    def answer() -> ListingView:
        return ListingView.of(listing, Role.OWNER)

    return table.commit(listing, *rows, action="create_listing", actor=actor, checks=[seller], answer=answer)


lambda_handler = entrypoint(app)
