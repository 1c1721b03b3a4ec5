"""GET /audit: entries of one root, of one actor, or of some days; one of them must be named, for there are no scans."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bloxtr8 import auditing, table
from bloxtr8.domain import people
from bloxtr8.entities import PlatformRole, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.paging import Cursor, Limit, Listed
from bloxtr8.shapes import Day
from bloxtr8.views.audit import EntryView

app = http_app()


@app.get("/audit", summary="The audit log", tags=["oversight"])
def list_audit(
    actor: CurrentActor,
    entity: Annotated[str | None, Query(max_length=64)] = None,
    user_id: Annotated[str | None, Query(alias="userId", max_length=64)] = None,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Listed[EntryView]:
    people.check_role(table.get(User, id=actor.id), PlatformRole.COMPLIANCE, PlatformRole.PADMIN)
    return auditing.page(actor, entity=entity, user_id=user_id, first=first, last=last, limit=limit, cursor=cursor)


lambda_handler = entrypoint(app)
