"""POST /escrows/{escrow_id}/disputes/{dispute_id}/messages: a party or an arbiter says something, for good (M62)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import dispute_opening, disputes
from bloxtr8.entities import PlatformRole
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, EvidenceIds, Message
from bloxtr8.views.dispute import MessageView

app = http_app()


class PostDisputeMessage(Body):
    text: Message
    evidence_ids: EvidenceIds | None = None


@app.post(
    "/escrows/<escrow_id>/disputes/<dispute_id>/messages", status_code=201, summary="Say something", tags=["escrows"]
)
def post_dispute_message(escrow_id: str, dispute_id: str, body: PostDisputeMessage, actor: CurrentActor) -> MessageView:
    file, (role,) = reads.escrow_seen(escrow_id, actor, PlatformRole.ARBITER)
    dispute = disputes.find(file, dispute_id)
    actor.expects(dispute)
    now = clock.now()
    disputes.check("post_dispute_message", file, dispute, role, actor.id, now)
    dispute_opening.check_evidence(file, body.evidence_ids or ())
    message = disputes.post(dispute, role, actor.id, body.text, body.evidence_ids or (), now)
    return table.commit(
        file.escrow,
        dispute,
        message,
        action="post_dispute_message",
        actor=actor.acting_as(role),
        details={"textSha256": disputes.digest(body.text)},
        answer=lambda: MessageView.of(message),
    )


lambda_handler = entrypoint(app)
