"""GET /escrows/{escrow_id}/disputes/{dispute_id}: everything an arbiter decides on; both parties see the same (M62)."""

from bloxtr8 import disputing, reads
from bloxtr8.documents import store
from bloxtr8.domain import disputes
from bloxtr8.entities import Evidence, PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.dispute import DisputeDetail, DisputeFileView

app = http_app()


@app.get("/escrows/<escrow_id>/disputes/<dispute_id>", summary="A dispute", tags=["escrows"])
def get_dispute(escrow_id: str, dispute_id: str, actor: CurrentActor) -> DisputeFileView:
    file, roles = reads.escrow_seen(escrow_id, actor, PlatformRole.ARBITER)
    dispute = disputes.find(file, dispute_id)
    detail = DisputeDetail.of(file, dispute, roles, actor.id)
    return DisputeFileView.of(file, detail, disputing.gather(file, dispute), _look_up)


def _look_up(piece: Evidence) -> tuple[str, str | None]:
    """A piece's state at S3, and a link where it is the file that was named. There are thirty files at the most."""
    if piece.sha256 is None or piece.size_bytes is None:
        return "NONE", None
    key, kind = store.evidence_key(piece.escrow_id, piece.sha256), str(piece.content_type)
    state = store.evidence_state(key, piece.sha256, piece.size_bytes)
    return state, store.presign_evidence_file(key, piece.id, kind) if state == "STORED" else None


lambda_handler = entrypoint(app)
