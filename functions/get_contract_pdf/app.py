"""GET /contracts/{contract_id}/pdf: a short-lived link to the document, whose bytes were just compared with its
hash."""

from bloxtr8 import reads
from bloxtr8.documents import store
from bloxtr8.domain import contracts
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import View

app = http_app()
LINK_SECONDS = 300


class Document(View):
    url: str
    expires_in: int
    sha256: str


@app.get("/contracts/<contract_id>/pdf", summary="The document", tags=["contracts"])
def get_contract_pdf(contract_id: str, actor: CurrentActor) -> Document:
    sha256 = contracts.check_rendered(reads.contract_for(contract_id, actor).contract)
    store.verify(sha256)
    return Document(url=store.presign(sha256, LINK_SECONDS), expires_in=LINK_SECONDS, sha256=sha256)


lambda_handler = entrypoint(app)
