"""POST /offers/{offer_id}/decline: the other side does not want it; the chain is over (M28)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import offers
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.offer import OfferView

app = http_app()


class DeclineOffer(Body):
    reason: Reason | None = None


@app.post("/offers/<offer_id>/decline", summary="Decline an offer", tags=["offers"])
def decline_offer(offer_id: str, actor: CurrentActor, body: DeclineOffer | None = None) -> OfferView:
    bargain = reads.bargain(offer_id, actor)
    role = offers.role_of(bargain.offer, actor)
    offers.end("decline_offer", bargain, role, body.reason if body else None, clock.now())
    actor.expects(bargain.offer)

    def answer() -> OfferView:
        return OfferView.of(bargain, actor)

    return table.commit(
        bargain.root, bargain.offer, action="decline_offer", actor=actor, checks=[bargain.listing], answer=answer
    )


lambda_handler = entrypoint(app)
