"""Every place where the platform asks somebody outside, read from its code: a new one cannot be forgotten.

A site is what is asked (`table.TransactWriteItems`, `stripe.transfers.create`, `usdc.send`). What no trade here can
reach is named in ELSEWHERE with the tests that break it.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from bloxtr8.rails import base

ROOT = Path(__file__).parents[2]
CODE = ROOT / "layers/shared/bloxtr8"
READS = re.compile(
    r"\.(retrieve|list|look|find|payment|destination_ready|reclaimed|gone|at_finality|of_wallet|"
    r"GetItem|BatchGetItem|Query|GetObject|HeadObject|DescribeExecution|GetSecretValue)$|^roblox\."
)
BELOW_THE_CHAIN = "tests/rails: crashes at reserve, sign, store and send, on the real chain"
ELSEWHERE = {
    "roblox.roblox.exchange": "tests/outside: signing in and linking",
    "stripe.customers.create": "tests/rails/test_stripe_accounts.py",
    "stripe.accounts.create": "tests/functions/test_open_payout_account.py",
    "stripe.account_links.create": "tests/functions/test_open_payout_account.py",
    "kms": BELOW_THE_CHAIN,
}


@functools.cache
def all_sites() -> tuple[str, ...]:
    """Every site of the code but those of ELSEWHERE, in order."""
    found = {*_table(), *_secrets(), *_aws(), *_stripe(), *_chain(), *_roblox(), "screening.of_wallet"}
    return tuple(sorted(found - set(ELSEWHERE)))


def writes(site: str) -> bool:
    """Whether what is asked there changes something outside."""
    return READS.search(site) is None


def _table() -> Iterator[str]:
    yield from (f"table.{name}" for name in _asked("table.py"))


def _secrets() -> Iterator[str]:
    yield from (f"secrets.{name}" for name in _asked("config.py"))


def _asked(file: str) -> Iterator[str]:
    """Operations of `….ask("Operation", …)`."""
    for call in _calls(CODE / file):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "ask" and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)


def _aws() -> Iterator[str]:
    """Operations of botocore's clients: `_client(…).put_events(…)`, `_s3().put_object(…)`."""
    for file in CODE.rglob("*.py"):
        for call in _calls(file):
            made = call.func.value if isinstance(call.func, ast.Attribute) else None
            if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in {"_client", "_s3"}:
                name = call.func.attr  # type: ignore[attr-defined]
                if name not in {"generate_presigned_url", "ask"}:  # a link is made here and asks nobody
                    yield f"aws.{''.join(part.title() for part in name.split('_'))}"


def _stripe() -> Iterator[str]:
    """Operations of Stripe's client: `client().v1.transfers.create(…)`."""
    for file in (CODE / "rails").glob("stripe*.py"):
        for call in _calls(file):
            _, found, path = ast.unparse(call.func).partition(".v1.")
            if found and re.fullmatch(r"[a-z_.]+", path):
                yield f"stripe.{path}"


def _chain() -> Iterator[str]:
    """The methods of a rail, as the rail on chain has them."""
    for protocol in (base.Rail, base.TermRail):
        yield from (f"usdc.{name}" for name, found in vars(protocol).items() if callable(found) and name[0] != "_")
    yield "usdc.at_finality"


def _roblox() -> Iterator[str]:
    """Functions that ask Roblox: `talk.get(…)` in them."""
    for file in (CODE / "outside").glob("roblox*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and "talk.get(" in ast.unparse(node):
                yield f"roblox.{file.stem}.{node.name}"


def _calls(file: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
