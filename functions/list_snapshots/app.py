"""GET /listings/{listing_id}/snapshots: every look at a listing's asset, newest first (M19)."""

from bloxtr8 import paging, table
from bloxtr8.domain import listings
from bloxtr8.entities import Listing, Snapshot
from bloxtr8.lambdas import MaybeActor, entrypoint, http_app
from bloxtr8.views.listing import SnapshotView

app = http_app()


@app.get("/listings/<listing_id>/snapshots", summary="Looks at a listing's asset", tags=["listings"])
def list_snapshots(
    listing_id: str, actor: MaybeActor, limit: paging.Limit = 20, cursor: paging.Cursor = None
) -> paging.Listed[SnapshotView]:
    scope = f"list_snapshots {listings.known(listing_id)}"
    start = paging.opened(cursor, scope)
    listings.role_of(table.get(Listing, id=listing_id), actor)
    found = table.page(Snapshot, None, f"LISTING#{listing_id}", prefix="SNAP#", limit=limit, start=start)
    return paging.listed(found, SnapshotView.of, scope)


lambda_handler = entrypoint(app)
