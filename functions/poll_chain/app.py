"""Every minute: what is in every vault, at finality. It finds the deposits that no webhook told of, and late money."""

from bloxtr8 import polling
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule


def poll_chain() -> None:
    """Bounded, and safe twice at once: what is there, the chain says, and each deposit is recorded once."""
    polling.poll(system("poll_chain"))


lambda_handler = schedule(poll_chain)
