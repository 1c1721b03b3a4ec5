"""POST /contracts/verify: is this the hash of a contract of ours, and when was it signed? Nothing else is told."""

from bloxtr8 import table
from bloxtr8.entities import Contract, ContractStatus, Lookup
from bloxtr8.ids import ulid_of
from bloxtr8.lambdas import entrypoint, http_app
from bloxtr8.shapes import Body, Moment, Sha256, View

app = http_app()


class VerifyContract(Body):
    sha256: Sha256


class Verdict(View):
    """`valid`: both parties signed a document with this hash."""

    valid: bool
    signed_at: Moment | None = None


@app.post("/contracts/verify", summary="Is this document genuine?", tags=["contracts"])
def verify_contract(body: VerifyContract) -> Verdict:
    lookup = table.find(Lookup, index="SHA256", value=body.sha256)
    if lookup is None:
        return Verdict(valid=False)
    contract = table.get(Contract, ulid=ulid_of(lookup.target))
    return Verdict(valid=contract.status is ContractStatus.EXECUTED, signed_at=contract.executed_at)


lambda_handler = entrypoint(app)
