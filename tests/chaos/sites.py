"""Every place where the platform asks somebody outside, read from its code: a new one cannot be forgotten.

A site is what is asked (`table.TransactWriteItems`, `stripe.transfers.create`, `usdc.send`). What no trade here can
reach is named in ELSEWHERE with the tests that break it. A client that is used in a way that can't be read is a site
too: nothing ever hits it, so that a run fails and names it.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from bloxtr8.outside.http import Talk
from bloxtr8.rails import base

ROOT = Path(__file__).parents[2]
CODE = (ROOT / "layers/shared/bloxtr8", ROOT / "functions")
READS = re.compile(
    r"\.(retrieve|list|look|find|payment|destination_ready|reclaimed|gone|at_finality|of_wallet|"
    r"GetItem|BatchGetItem|Query|GetObject|HeadObject|DescribeExecution|GetSecretValue)$|^roblox\."
)
# Of what is written at Stripe and on chain, this moves nobody's money; a new call does until it is named here.
MOVES_NONE = {
    "stripe.customers.create", "stripe.payment_intents.create", "stripe.payment_intents.cancel",
    "usdc.open", "usdc.close", "usdc.postpone",
}  # fmt: skip
BELOW_THE_CHAIN = "tests/rails: crashes at reserve, sign, store and send, on the real chain"
ELSEWHERE = {
    "roblox.roblox.exchange": "tests/outside: signing in and linking",
    "discord.exchange": "tests/outside/test_discord.py",
    "oauth.exchange": "the two that sign in by it",
    "chainalysis.ask": "screening.of_wallet",
    "balances._ask": "usdc.at_finality",
    "rpc._send": BELOW_THE_CHAIN,
    "stripe.accounts.create": "tests/functions/test_open_payout_account.py",
    "stripe.account_links.create": "tests/functions/test_open_payout_account.py",
    "kms": BELOW_THE_CHAIN,
}
SERVICES = {"table.py": "table", "config.py": "secrets"}  # who asks AWS without botocore, and what for
ASKS = {name for name in vars(Talk) if re.match("get|post", name)}
NOT_ASKED = {"generate_presigned_url"}  # a link is made here and asks nobody


@functools.cache
def all_sites() -> tuple[str, ...]:
    """Every site of the code but those of ELSEWHERE, in order."""
    found = {*_chain(), "screening.of_wallet"}
    for place in CODE:
        found |= found_in(place)
    return tuple(sorted(found - set(ELSEWHERE)))


def writes(site: str) -> bool:
    """Whether what is asked there changes something outside."""
    return READS.search(site) is None


@functools.cache
def moves_money() -> frozenset[str]:
    """The sites at which money is moved (C9)."""
    return frozenset(one for one in all_sites() if one.startswith(("stripe.", "usdc.")) and writes(one)) - MOVES_NONE


def found_in(code: Path) -> set[str]:
    """The sites of the modules of a folder."""
    found: set[str] = set()
    for file in code.rglob("*.py"):
        found |= _of_module(file)
    return found


@functools.cache
def _of_module(file: Path) -> set[str]:
    text = file.read_text()
    tree = ast.parse(text)
    stripes = _stripe(tree) if "v1" in text else ()
    return {*_services(file, tree), *_aws(file, tree), *stripes, *_talks(file, tree)}


def _services(file: Path, tree: ast.Module) -> Iterator[str]:
    """Operations of `….ask("Operation", …)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "ask":
            operation = node.args[0]
            if isinstance(operation, ast.Constant):
                yield f"{SERVICES.get(file.name, file.stem)}.{operation.value}"


def _aws(file: Path, tree: ast.Module) -> Iterator[str]:
    """Operations of botocore's clients: `_client(…).put_events(…)`, `_s3().put_object(…)`, by whatever name a client
    is made that way."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    makers: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "aws.client":
            call = parents[node]
            given = call.args[0] if isinstance(call, ast.Call) and call.args else None
            if isinstance(given, ast.Constant) and given.value in ELSEWHERE:
                continue
            makers.add(_function_around(call, parents))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in makers:
            call, asked = parents[node], parents.get(parents[node])
            if isinstance(call, ast.Call) and isinstance(asked, ast.Attribute):
                if asked.attr not in NOT_ASKED:
                    yield f"aws.{''.join(part.title() for part in asked.attr.split('_'))}"
            else:
                yield f"aws.? in {file.name}, line {node.lineno}"
    if "" in makers:
        yield f"aws.? in {file.name}"


def _function_around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    while node in parents and not isinstance(node, ast.FunctionDef):
        node = parents[node]
    return node.name if isinstance(node, ast.FunctionDef) else ""


def _stripe(tree: ast.Module) -> Iterator[str]:
    """Operations of Stripe's client, called or handed on: `client().v1.transfers.create`."""
    within = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node not in within:
            _, found, path = ast.unparse(node).partition(".v1.")
            while found and "(" in path:  # what its answer is asked for
                path = path.partition("(")[0]
            if found:
                yield f"stripe.{path}"


def _talks(file: Path, tree: ast.Module) -> Iterator[str]:
    """Functions that ask by HTTP: `talk.get(…)` in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(_is_asked(one) for one in ast.walk(node)):
            whose = "roblox." if file.stem.startswith("roblox") else ""
            yield f"{whose}{file.stem}.{node.name}"


def _is_asked(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    asker = ast.unparse(node.func.value).partition("(")[0]
    return node.func.attr in ASKS and asker.lower().endswith("talk")


def _chain() -> Iterator[str]:
    """The methods of a rail, as the rail on chain has them."""
    for protocol in (base.Rail, base.TermRail):
        yield from (f"usdc.{name}" for name, found in vars(protocol).items() if callable(found) and name[0] != "_")
    yield "usdc.at_finality"
