"""POST /offers/{offer_id}/withdraw: the side that proposed it takes it back; the chain is over (M28)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import offers
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Reason
from bloxtr8.views.offer import OfferView

app = http_app()


class WithdrawOffer(Body):
    reason: Reason | None = None


@app.post("/offers/<offer_id>/withdraw", summary="Withdraw an offer", tags=["offers"])
def withdraw_offer(offer_id: str, actor: CurrentActor, body: WithdrawOffer | None = None) -> OfferView:
    bargain = reads.bargain(offer_id, actor)
    role = offers.role_of(bargain.offer, actor)
    offers.end("withdraw_offer", bargain, role, body.reason if body else None, clock.now())
    actor.expects(bargain.offer)

    def answer() -> OfferView:
        return OfferView.of(bargain, actor)

    return table.commit(
        bargain.root, bargain.offer, action="withdraw_offer", actor=actor, checks=[bargain.listing], answer=answer
    )


lambda_handler = entrypoint(app)
