"""POST /escrows/{escrow_id}/evidence: a place to upload a file, bound to the sha256 the party names."""

from typing import Annotated

from pydantic import Field

from bloxtr8 import clock, ids, reads, table
from bloxtr8.documents import store
from bloxtr8.domain import escrow_moves
from bloxtr8.entities import Evidence, PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason, Sha256, View, Word

app = http_app()


class AddEvidence(Body):
    sha256: Sha256
    content_type: Word
    size_bytes: Annotated[int, Field(strict=True, ge=1)]
    note: Reason


class Upload(View):
    """PUT the file to `url` with exactly these headers."""

    evidence_id: str
    url: str
    headers: dict[str, str]


@app.post("/escrows/<escrow_id>/evidence", status_code=201, summary="File evidence", tags=["escrows"])
def add_evidence(escrow_id: str, body: AddEvidence, actor: CurrentActor) -> Upload:
    file, (role,) = reads.escrow_seen(escrow_id, actor, PlatformRole.ARBITER)
    actor.expects(file.escrow)
    escrow_moves.check_file(body.content_type, body.size_bytes)
    escrow_moves.check("add_evidence", file, role, clock.now())
    evidence = Evidence(escrow_id=escrow_id, id=ids.new("evd"), user_id=actor.id, at=clock.now(), **body.model_dump())
    url, headers = store.presign_evidence(
        store.evidence_key(escrow_id, evidence.id), body.sha256, body.content_type, body.size_bytes
    )
    table.commit(file.escrow, evidence, action="add_evidence", actor=actor.acting_as(role))
    return Upload(evidence_id=evidence.id, url=url, headers=headers)


lambda_handler = entrypoint(app)
