"""POST /offers/{offer_id}/counter: the other side answers with terms of its own (M26)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import bargaining, offers
from bloxtr8.domain.bargaining import Proposal
from bloxtr8.domain.offers import Bargain
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Cents, Conditions, Deadline, Milestones
from bloxtr8.views.offer import OfferView

app = http_app()


class CounterOffer(Body):
    amount: Cents
    conditions: Conditions | None = None
    expires_at: Deadline | None = None
    milestones: Milestones | None = None


@app.post("/offers/<offer_id>/counter", status_code=201, summary="Counter an offer", tags=["offers"])
def counter_offer(offer_id: str, body: CounterOffer, actor: CurrentActor) -> OfferView:
    deal = reads.deal(offer_id, actor)
    bargain, now = deal.bargain, clock.now()
    role = offers.role_of(bargain.offer, actor)
    asked = Proposal(body.amount, body.conditions, body.expires_at, body.milestones)
    child = offers.counter(bargain, role, asked, now)
    caller, volume = deal.side_of(actor.id)
    bargaining.check_proposer(caller, volume, body.amount, now)
    actor.expects(bargain.offer)

    def answer() -> OfferView:
        return OfferView.of(Bargain([*bargain.chain, child], child, bargain.listing), actor)

    return table.commit(
        bargain.root,
        bargain.offer,
        child,
        action="counter_offer",
        actor=actor,
        checks=[bargain.listing, caller],
        answer=answer,
    )


lambda_handler = entrypoint(app)
