"""Makes the document of a contract, once: deterministic bytes, stored under their sha256, read again and compared."""

from typing import Any

from bloxtr8 import rendering
from bloxtr8.actors import system
from bloxtr8.lambdas import task


def render_contract(event: dict[str, Any]) -> None:
    """{contractId} → {}. Safe to repeat: the same terms give the same bytes, and the same bytes the same key (D18)."""
    rendering.render(event["contractId"], system("render_contract"))


lambda_handler = task(render_contract)
