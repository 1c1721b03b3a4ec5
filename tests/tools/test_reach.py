"""Refusals and uses, read off small modules."""

import ast

from tools.reach import Graph, Refusal

RULES = """
from bloxtr8 import config
from bloxtr8.errors import Conflict, DomainError, Forbidden, NotFound, RateLimited

class Deal:
    @property
    def turn(self): raise Forbidden("It is the other's turn.")
    def end(self): raise NotFound("Gone.")
    def save(self): raise NotFound("Never counted: every row has a save.")

def accept(deal):
    deal.turn
    _check(deal)
    key = config.secret("stripe")

def _check(deal):
    if deal.reserved:
        raise Conflict("Reserved.", "LISTING_RESERVED")
    raise Conflict("Neither.", "SOLD" if deal.sold else "CANCELLED")

def permitted(deal):
    try:
        accept(deal)
    except DomainError:
        return False

def close_all(deals): [deal.end() for deal in deals]

RESERVED = "LISTING_RESERVED"
GUARDS: dict[str, object] = {
    "accept": lambda deal: check_open(deal),
    "close_all": lambda deal: Forbidden("Only he.", "NOT_YOURS"),
    "sweep": lambda deal: Forbidden("Only the platform.", "NOT_A_PERSONS"),
}

def check_open(deal): raise Conflict("Reserved.", RESERVED)

def guard(action, deal): GUARDS[action](deal)

def slow(): raise RateLimited("Slowly.", retry_after=1)
"""
FUNCTION = """
from bloxtr8 import table
from bloxtr8.domain import rules
from bloxtr8.errors import DomainError

@app.post("/x")
def accept(deal):
    rules.accept(deal)
    table.commit(deal, deletes=[deal])

def view(deal, lifecycle): return lifecycle.allowed(deal, "BUYER", lambda action: rules.accept(deal))

def guarded(deal):
    try:
        rules.accept(deal)
    except (KeyError, ValueError):
        pass

def closing(deals): rules.close_all(deals)

LATER = {"RULES": ("bloxtr8.domain.rules", "slow")}

def close_all(deal): rules.guard("close_all", deal)

def later(): return LATER["RULES"]

def publish(client): client.put_events(Entries=[])
"""


def graph() -> Graph:
    made = Graph(actions={"accept", "close_all"})
    made.add("bloxtr8.domain.rules", ast.parse(RULES))
    made.add("functions.accept.app", ast.parse(FUNCTION))
    return made


def refusals(start: str) -> list[Refusal]:
    made = graph()
    return sorted(made.refusals(made.reached(start)))


def uses(start: str) -> set[str]:
    made = graph()
    return {used for name in made.reached(start) for used in made.code[name].uses}


def test_finds_every_code_on_the_way() -> None:
    assert refusals("functions.accept.app.accept") == [
        Refusal(403, "FORBIDDEN"),
        Refusal(409, "CANCELLED"),
        Refusal(409, "LISTING_RESERVED"),
        Refusal(409, "SOLD"),
    ]


def test_finds_methods_by_their_name_and_leaves_those_of_every_row_alone() -> None:
    assert refusals("functions.accept.app.closing") == [Refusal(404, "NOT_FOUND")]


def test_follows_a_lazy_registry() -> None:
    assert refusals("functions.accept.app.later") == [Refusal(429, "RATE_LIMITED")]


def test_of_the_guards_by_action_only_its_own_count() -> None:
    assert refusals("functions.accept.app.close_all") == [Refusal(403, "NOT_A_PERSONS"), Refusal(403, "NOT_YOURS")]


def test_spells_out_a_code_that_is_a_name() -> None:
    assert refusals("bloxtr8.domain.rules.check_open") == [Refusal(409, "LISTING_RESERVED")]


def test_leaves_out_what_is_swallowed() -> None:
    assert refusals("bloxtr8.domain.rules.permitted") == []
    assert refusals("functions.accept.app.view") == []
    assert refusals("functions.accept.app.guarded") == refusals("functions.accept.app.accept")


def test_names_the_secrets_the_deletes_and_the_services() -> None:
    assert uses("functions.accept.app.accept") == {"secret stripe", "commit deletes"}
    assert uses("functions.accept.app.publish") == {".put_events"}
