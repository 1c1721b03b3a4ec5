"""Law 8: heavy imports stay where they are used, and the arrows of pyproject.toml hold (law 7)."""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from tools import reach, template

HEAVY = ("stripe", "fpdf", "uharfbuzz", "fontTools", "PIL", "web3", "eth_account", "eth_keys")
NEEDED = {"render_contract", "get_payout_account", "open_payout_account"}  # one renders, two ask Stripe, at each call
ASK_THE_RAIL = {  # all that can come to load a rail, and so web3 or stripe, at a call
    "announce_manual_payment", "await_funding", "cancel_unfunded", "close_funding", "confirm_leg",
    "enforce_escrow_deadlines", "look_at_rail", "open_funding", "poll_chain", "process_webhook_event",
    "reconcile_money", "retry_webhooks", "screen_deposit", "send_leg", "start_payment", "watch_chain_txs",
}  # fmt: skip
DYNAMIC = re.compile(r"import_module\(|__import__\(")
LAZY = ("bloxtr8.rails.get", "bloxtr8.rails.chain", "bloxtr8.watching._watch")
WRONG = {
    "domain/up.py": "from bloxtr8 import table",
    "entities/up.py": "from bloxtr8.domain import transitions",
    "domain/aws.py": "import boto3",
    "outside/rows.py": "from pynamodb.models import Model",
    "documents/card.py": "import stripe",
}
PROBE = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
    found = sorted(set(sys.argv[1].split(",")) & set(sys.modules))
    if found:
        sys.exit(f"{name} imports {', '.join(found)}")
"""


def heavy_import(modules: list[str], heavy: tuple[str, ...], path: list[Path]) -> str | None:
    """The first of `modules` to bring something heavy with it, imported in turn in a fresh interpreter."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, ",".join(heavy), *modules],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stderr.strip() or None


def test_no_function_that_does_not_need_it_imports_anything_heavy() -> None:
    actions = sorted(path.parent.name for path in (template.ROOT / "functions").glob("*/app.py"))
    light = [f"functions.{action}.app" for action in actions if action not in NEEDED]

    assert heavy_import(light, HEAVY, [template.ROOT, template.ROOT / "layers/shared"]) is None


def test_no_other_function_can_come_to_load_a_rail() -> None:
    actions = sorted(path.parent.name for path in (template.ROOT / "functions").glob("*/app.py"))

    assert {action for action in actions if reach.reaches(action, *LAZY)} == ASK_THE_RAIL


def test_only_the_registry_and_the_job_import_by_a_name_that_is_no_constant() -> None:
    """What is imported otherwise, the arrows of pyproject.toml see."""
    sources = [*(template.ROOT / "layers/shared/bloxtr8").rglob("*.py"), *(template.ROOT / "functions").rglob("*.py")]

    dynamic = {path.relative_to(template.ROOT) for path in sources if DYNAMIC.search(path.read_text())}

    shared = Path("layers/shared/bloxtr8")
    assert dynamic == {shared / "rails/__init__.py", shared / "watching.py"}


def foreign(source: str) -> set[str]:
    """The top packages that a module imports, anywhere in it but for the checker alone, beside Python's and ours."""
    found, tree = set(), ast.parse(source)
    blocks = [it for it in ast.walk(tree) if isinstance(it, ast.If) and ast.unparse(it.test) == "TYPE_CHECKING"]
    unread = {id(node) for block in blocks for node in block.body}
    for node in ast.walk(tree):
        if id(node) in unread:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module))
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"bloxtr8", "functions"}


def test_what_runs_on_aws_imports_only_what_is_deployed_there() -> None:
    locked = (template.ROOT / "layers/shared/requirements.txt").read_text()
    deployed = set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))
    brought_by = packages_distributions()
    sources = [*(template.ROOT / "layers/shared/bloxtr8").rglob("*.py"), *(template.ROOT / "functions").rglob("*.py")]

    names = set().union(*(foreign(path.read_text()) for path in sources))

    assert names >= {"pydantic", "stripe", "web3"}
    assert {name for name in names if not {_lower(it) for it in brought_by.get(name, [])} & deployed} == set()


def _lower(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_a_heavy_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "light.py").touch()
    (tmp_path / "careless.py").write_text("import light, html.parser\n")

    assert heavy_import(["light", "careless"], ("html",), [tmp_path]) == "careless imports html"


def test_arrows_that_point_up_are_found(tmp_path: Path) -> None:
    shared = template.ROOT / "layers/shared/bloxtr8"
    for source in shared.rglob("*.py"):
        copy = tmp_path / "bloxtr8" / source.relative_to(shared)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text())
    for place, line in WRONG.items():
        (tmp_path / "bloxtr8" / place).write_text(f"{line}\n")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    command += ["--config", str(template.ROOT / "pyproject.toml")]

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    for place, line in WRONG.items():
        arrow = f"bloxtr8.{place.removesuffix('.py').replace('/', '.')} -> {line.split()[1].partition('.')[0]}"
        assert arrow in done.stdout
