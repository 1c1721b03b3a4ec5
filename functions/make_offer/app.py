"""POST /listings/{listing_id}/offers: a buyer opens a chain of offers (M25, M29)."""

from bloxtr8 import clock, reads, table
from bloxtr8.domain import bargaining, listings, offers
from bloxtr8.domain.bargaining import Proposal
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import Chain, Currency, Deals, Listing, User
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import Body, Cents, Conditions, Deadline, Milestones, Version
from bloxtr8.views.offer import OfferView

app = http_app()


class MakeOffer(Body):
    amount: Cents
    currency: Currency
    conditions: Conditions | None = None
    expires_at: Deadline | None = None
    milestones: Milestones | None = None
    expected_listing_version: Version | None = None


@app.post("/listings/<listing_id>/offers", status_code=201, summary="Make an offer", tags=["offers"])
def make_offer(listing_id: str, body: MakeOffer, actor: CurrentActor) -> OfferView:
    found, chain, buyer, deals = table.load(
        table.ref(Listing, id=listings.known(listing_id)),
        table.ref(Chain, listing_id=listing_id, buyer_id=actor.id),
        table.ref(User, id=actor.id),
        table.ref(Deals, user_id=actor.id),
    )
    now = clock.now()
    listing = bargaining.check_offerable(found, actor.id, body.expected_listing_version)
    bargaining.check_amount(body.amount, listing, body.currency)
    bargaining.check_proposer(buyer, deals, body.amount, now)
    ended = offers.supersede(reads.chain(chain.root_id), listing, now) if chain else []

    asked = Proposal(body.amount, body.conditions, body.expires_at, body.milestones)
    offer = offers.make(listing, buyer.id, asked, body.currency, now)
    chain = offers.point(chain, offer)

    def answer() -> OfferView:
        return OfferView.of(Bargain([offer], offer, listing), actor)

    return table.commit(offer, chain, *ended, action="make_offer", actor=actor, checks=[listing, buyer], answer=answer)


lambda_handler = entrypoint(app)
