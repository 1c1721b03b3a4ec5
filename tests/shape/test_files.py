"""Laws 2, 3 and 8 as they show in the files: short functions, thin imports, an empty package, files with one job."""

import ast
from pathlib import Path

import pytest

from tools import template

SHARED = template.ROOT / "layers/shared/bloxtr8"
FUNCTION_LINES = 60
FILE_LINES = 400
INFRASTRUCTURE = {"boto3", "botocore", "pynamodb", "stripe", "fpdf", "uharfbuzz", "web3", "requests", "urllib3"}
FUNCTIONS = sorted((template.ROOT / "functions").glob("*/app.py"))


def unlike_a_function(source: str) -> list[str]:
    """What keeps a function file from being read, decide, commit, view."""
    tree = ast.parse(source)
    wrong = [f"imports {name}" for name in sorted(imported(tree) & INFRASTRUCTURE)]
    if "functions" in imported(tree):
        wrong.append("imports another function")
    lines = len(source.splitlines())
    if lines > FUNCTION_LINES:
        wrong.append(f"has {lines} lines")
    if not ast.get_docstring(tree):
        wrong.append("has no docstring")
    if "lambda_handler" not in defined(tree):
        wrong.append("has no lambda_handler")
    return wrong


def imported(tree: ast.AST) -> set[str]:
    """The top-level packages a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def defined(tree: ast.Module) -> set[str]:
    """The names a module defines or assigns at its top level."""
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return found | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def too_long(paths: list[Path], limit: int) -> list[str]:
    """Files with more than one job, by their length."""
    lengths = {path: len(path.read_text().splitlines()) for path in paths}
    return [f"{path.name} has {lines} lines" for path, lines in lengths.items() if lines > limit]


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_function_reads_decides_commits_views(path: Path) -> None:
    assert unlike_a_function(path.read_text()) == []


def test_a_function_that_does_more_is_found() -> None:
    source = "import boto3\nfrom functions.other.app import app\n" + "\n" * FUNCTION_LINES

    assert unlike_a_function(source) == [
        "imports boto3",
        "imports another function",
        "has 62 lines",
        "has no docstring",
        "has no lambda_handler",
    ]


def test_the_package_itself_is_empty() -> None:
    assert (SHARED / "__init__.py").read_text() == ""


def test_no_shared_file_is_too_long() -> None:
    assert too_long(sorted(SHARED.rglob("*.py")), FILE_LINES) == []


def test_a_long_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * 401)
    assert too_long([tmp_path / "long.py"], FILE_LINES) == ["long.py has 401 lines"]
