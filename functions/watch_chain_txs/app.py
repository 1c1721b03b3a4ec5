"""Every minute: transactions that are not final yet are sent again, and paid more for; one that is final wakes its
settlement."""

from bloxtr8 import watching
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule


def watch_chain_txs() -> None:
    """Bounded, and safe twice at once: what is sent again are stored bytes, or another price for the same nonce."""
    watching.watch(system("watch_chain_txs"))


lambda_handler = schedule(watch_chain_txs)
