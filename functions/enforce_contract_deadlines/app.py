"""Every five minutes: contracts nobody signed in time are void, documents that were lost are made again."""

from bloxtr8 import voiding
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule, work

ACTOR = system("enforce_contract_deadlines")


def enforce_contract_deadlines() -> None:
    """Bounded, and safe twice at once: every look is decided again under the row's version."""
    work(voiding.due_contracts(), lambda contract: voiding.look(contract.id, ACTOR))


lambda_handler = schedule(enforce_contract_deadlines)
