"""GET /offers/{offer_id}: an offer and the whole bargaining it is part of, to its two parties."""

from bloxtr8 import reads
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.views.offer import OfferDetail

app = http_app()


@app.get("/offers/<offer_id>", summary="One offer and its chain", tags=["offers"])
def get_offer(offer_id: str, actor: CurrentActor) -> OfferDetail:
    return OfferDetail.with_chain(reads.bargain(offer_id, actor), actor)


lambda_handler = entrypoint(app)
