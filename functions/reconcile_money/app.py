"""Every ten minutes, until the day's comparison is done: our books against Stripe's and the chain's."""

from bloxtr8 import reconciling
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule


def reconcile_money() -> None:
    """Bounded, and safe twice at once: it reads, and each page of what it saw is a commit."""
    reconciling.reconcile(system("reconcile_money"))


lambda_handler = schedule(reconcile_money)
