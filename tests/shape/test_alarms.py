"""An error rings an alarm (logs.py): it is logged before the commit of what it tells of, and names the escrow."""

import ast
from pathlib import Path

import pytest

from tools import template

FILES = sorted([*(template.ROOT / "layers/shared/bloxtr8").rglob("*.py"), *(template.ROOT / "functions").rglob("*.py")])
OF_AN_ESCROW = {"settlementId", "legId", "disputeId", "chargeback", "cause", "causes"}
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def silent_alarms(source: str) -> list[str]:
    """Alarms that a run which ends right after its commit never rings."""
    return [f"{function.name}: line {line} is after a commit" for function in _functions(source)
            for line in _late(function.body, committed=False)[0]]  # fmt: skip


def _late(statements: list[ast.stmt], *, committed: bool) -> tuple[list[int], bool]:
    """The lines of alarms that come after a commit, and whether one was made when the statements are over."""
    late = []
    for statement in statements:
        blocks = [block for name in ("body", "orelse", "finalbody") if (block := getattr(statement, name, None))]
        blocks += [handler.body for handler in getattr(statement, "handlers", [])]
        if not blocks:
            late += [call.lineno for call in _calls(statement, "logger", {"error"}) if committed]
            committed = committed or bool(_calls(statement, "table", {"commit"}))
        made = [(block, *_late(block, committed=committed)) for block in blocks]
        late += [line for _, lines, _ in made for line in lines]
        committed = committed or any(done and not isinstance(block[-1], _LEAVES) for block, _, done in made)
    return late, committed


def nameless_alarms(source: str) -> list[str]:
    """Alarms about something of an escrow that do not say of which."""
    wrong = []
    for function in _functions(source):
        named = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in _calls(function, "logger", {"error", "exception"}):
            keys = {key for word in call.keywords if word.arg == "extra" for key in _keys(word.value, named)}
            if keys & OF_AN_ESCROW and "escrowId" not in keys:
                wrong.append(f"{function.name}: line {call.lineno} names no escrow")
    return wrong


def _functions(source: str) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]


def _calls(code: ast.AST, of: str, names: set[str]) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(code)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in names
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == of
    ]


def _keys(value: ast.expr, named: dict[str, ast.expr]) -> set[str]:
    """The keys of what is logged, where they are written down: a dictionary, a name of one, or two of them together."""
    if isinstance(value, ast.Name) and value.id in named:
        return _keys(named[value.id], {})
    found = set()
    for node in ast.walk(value):
        if isinstance(node, ast.Dict):
            found |= {key.value for key in node.keys if isinstance(key, ast.Constant)}
        if isinstance(node, ast.Name) and node.id in named:
            found |= _keys(named[node.id], {})
    return found


ALARMING = [path for path in FILES if "logger.e" in path.read_text()]


@pytest.mark.parametrize("path", ALARMING, ids=lambda path: str(path.relative_to(template.ROOT)))
def test_no_alarm_is_silent_or_nameless(path: Path) -> None:
    source = path.read_text()
    assert silent_alarms(source) + nameless_alarms(source) == []


def test_what_is_wrong_is_seen() -> None:
    late = 'def act(row):\n    table.commit(row)\n    logger.error("it is done", extra={"escrowId": row.id})\n'
    nameless = (
        'def act(row):\n    about = {"settlementId": 1}\n    logger.error("x", extra=about)\n    table.commit(row)\n'
    )
    good = nameless.replace('{"settle', '{"escrowId": 2, "settle')

    left = "def act(row):\n    if row:\n        table.commit(row)\n        return\n    logger.error(row)\n"

    assert silent_alarms(late) == ["act: line 3 is after a commit"]
    assert silent_alarms(left.replace("return", "row = 1")) == ["act: line 5 is after a commit"]
    assert silent_alarms(left) == []
    assert nameless_alarms(nameless) == ["act: line 3 names no escrow"]
    assert silent_alarms(good) + nameless_alarms(good + late) == []
