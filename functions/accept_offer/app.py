"""POST /offers/{offer_id}/accept: the other side takes the terms it saw; the listing is reserved (M27)."""

from bloxtr8 import assets, clock, doubts, reads, screenings, table
from bloxtr8.domain import agreements, offers
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Sha256
from bloxtr8.views.offer import AcceptedOffer

app = http_app()


class AcceptOffer(Body):
    terms_hash: Sha256


@app.post("/offers/<offer_id>/accept", summary="Accept an offer", tags=["offers"])
def accept_offer(offer_id: str, body: AcceptOffer, actor: CurrentActor) -> AcceptedOffer:
    deal = reads.deal(offer_id, actor)
    bargain = deal.bargain
    role = offers.role_of(bargain.offer, actor)
    agreements.check_acceptable(deal, role, body.terms_hash, clock.now())
    actor.expects(bargain.offer)

    with doubts.told_of(bargain.listing):
        look = assets.look(bargain.listing, deal.seller.roblox_id)
        screened = screenings.refresh(agreements.screened(deal), clock.now())
        contract, rows = agreements.accept(deal, role, body.terms_hash, look, clock.now())

    def answer() -> AcceptedOffer:
        return AcceptedOffer.of(bargain, contract, actor)

    return table.commit(
        bargain.root, *rows, contract, *screened,
        action="accept_offer", actor=actor, details={"termsHash": body.terms_hash},
        checks=[deal.buyer, deal.seller], answer=answer,
    )  # fmt: skip


lambda_handler = entrypoint(app)
