"""GET /escrows/{escrow_id}/preflight: what is known to stand in the way of the transfer, before payment (M54)."""

from typing import Self

from bloxtr8 import preflights, reads
from bloxtr8.domain import escrows
from bloxtr8.domain.preflight import Check
from bloxtr8.lambdas import CurrentActor, entrypoint, http_app
from bloxtr8.shapes import View

app = http_app()


class CheckView(View):
    """`ok` null: nobody but the person can know; `detail` says what to see to."""

    code: str
    ok: bool | None
    detail: str


class Preflight(View):
    checks: list[CheckView]

    @classmethod
    def of(cls, found: list[Check]) -> Self:
        return cls(checks=[CheckView(code=check.code, ok=check.ok, detail=check.detail) for check in found])


@app.get("/escrows/<escrow_id>/preflight", summary="What stands in the transfer's way", tags=["escrows"])
def check_transfer(escrow_id: str, actor: CurrentActor) -> Preflight:
    file = reads.escrow(escrow_id)
    escrows.party(file.escrow, actor)
    return Preflight.of(preflights.checks(file))


lambda_handler = entrypoint(app)
