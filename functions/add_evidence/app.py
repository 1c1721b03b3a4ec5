"""POST /escrows/{escrow_id}/evidence: a place to upload a file, bound to the sha256 the party names."""

from typing import Annotated

from pydantic import Field

from bloxtr8 import clock, ids, reads, table
from bloxtr8.documents import store
from bloxtr8.domain import escrow_moves
from bloxtr8.domain.escrows import EscrowFile
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
    """PUT the file to `url` with exactly these headers. `url` is null where the very bytes are there already; 412 of
    the PUT says the same."""

    evidence_id: str
    url: str | None
    headers: dict[str, str]


@app.post("/escrows/<escrow_id>/evidence", status_code=201, summary="File evidence", tags=["escrows"])
def add_evidence(escrow_id: str, body: AddEvidence, actor: CurrentActor) -> Upload:
    file, (role,) = reads.escrow_seen(escrow_id, actor, PlatformRole.ARBITER)
    actor.expects(file.escrow)
    escrow_moves.check_file(body.content_type, body.size_bytes)
    escrow_moves.check("add_evidence", file, role, clock.now())
    evidence = Evidence(escrow_id=escrow_id, id=ids.new("evd"), user_id=actor.id, at=clock.now(), **body.model_dump())
    url, headers = _place(file, body)
    table.commit(file.escrow, evidence, action="add_evidence", actor=actor.acting_as(role))
    return Upload(evidence_id=evidence.id, url=url, headers=headers)


def _place(file: EscrowFile, about: AddEvidence) -> tuple[str | None, dict[str, str]]:
    key = store.evidence_key(file.escrow.id, about.sha256)
    filed = any(row.sha256 == about.sha256 for row in file.evidence)
    if filed and store.evidence_state(key, about.sha256, about.size_bytes) == "STORED":
        return None, {}
    return store.presign_evidence(key, about.sha256, about.content_type, about.size_bytes)


lambda_handler = entrypoint(app)
