"""poll_chain: every vault is asked what is in it, and where that is not what the books say, its logs are read
(rail-usdc.md, Deposits).

It finds what no webhook told of, money that came after the end, and what was taken back after the term. It records and
wakes, and moves no escrow out of AWAIT_FUNDS.
"""

from bloxtr8 import clock, funding, rails, reads, reclaims, table
from bloxtr8.actors import Actor
from bloxtr8.attempts import each
from bloxtr8.domain import legs, settlements, vault_looks
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import Escrow, StablecoinEscrow
from bloxtr8.logs import logger
from bloxtr8.rails.usdc import balances
from bloxtr8.webhooks import follow_funding

PAGES = 40  # of 50 vaults, each page one request to the chain
SHELF = "DUE#VAULT"


def poll(actor: Actor) -> None:
    """One run. Raises UpstreamFailed where the chain's provider answers nothing; one vault that fails stops no
    other."""
    for rows in table.due_pages(StablecoinEscrow, SHELF, pages=PAGES):
        opened = [row for row in rows if row.external_id is not None]
        if opened:
            _look_at(opened, actor)


def _look_at(rows: list[StablecoinEscrow], actor: Actor) -> None:
    """Ask the chain for a page of vaults at once, and look at those that need it: most need nothing, and nothing is
    written."""
    units = balances.at_finality([str(row.external_id) for row in rows])
    escrows = table.load(*(table.ref(Escrow, ulid=row.escrow_ulid) for row in rows))
    needy = [
        row
        for row, escrow in zip(rows, escrows, strict=True)
        if vault_looks.difference(escrow, units[str(row.external_id)]) or not vault_looks.is_open(escrow)
    ]
    each(needy, lambda row: _look(row.escrow_id, units[str(row.external_id)], actor))


def _look(escrow_id: str, units: int, actor: Actor) -> None:
    file = reads.escrow(escrow_id)
    more = vault_looks.difference(file.escrow, units)
    if more > 0:
        follow_funding(escrow_id, actor)
    elif more < 0:
        _missing(file, actor)
        _check(reads.escrow(escrow_id), units)
    if not vault_looks.is_open(file.escrow):
        _later(escrow_id, actor)


def _missing(file: EscrowFile, actor: Actor) -> None:
    """Less than the books say: somebody sent it back to the buyer after the term."""
    for seen in rails.chain().reclaimed(funding.order(file)):
        reclaims.record(file.escrow.id, ref=seen.ref, units=seen.units, actor=actor)


def _check(file: EscrowFile, units: int) -> None:
    """Still less: a call of ours paid that is not confirmed yet; else nobody knows why, and a person has to look."""
    more = vault_looks.difference(file.escrow, units)
    if more < 0 and not any(legs.under_way(file, settlement) for settlement in settlements.live(file)):
        logger.error("a vault holds less than the books say", extra={"escrowId": file.escrow.id, "cents": more})


def _later(escrow_id: str, actor: Actor) -> None:
    """A vault whose escrow has ended is looked at more and more seldom."""
    file, now = reads.escrow(escrow_id), clock.now()
    row = file.rail
    if isinstance(row, StablecoinEscrow) and row.next_look is not None and row.next_look <= now:
        row.next_look = vault_looks.next_look(file.escrow, row.terms, now)
        table.commit(file.escrow, row, action="look_again", actor=actor)
