"""What an action can come to run, read off the code: the errors it refuses with, the services it uses.

The document can't disagree with the code this way, and no function lists its errors by hand. References count as
calls (rules are passed around), methods and properties are found by their name alone, and of a dict of guards by
action only those of the action itself, or of one that it names, count. So the answer may name a thing too many, but
misses none that is written as a constant.
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pynamodb.attributes import AttributeContainer

from bloxtr8 import errors
from tools import template

PACKAGE = template.ROOT / "layers" / "shared"
SWALLOWING = {"allowed", "_permitted", "_passes"}  # they turn a guard's refusal into a missing action, or False
SHELL = {"bloxtr8.lambdas.http_app", "bloxtr8.lambdas.entrypoint"}  # what surrounds every function is not counted
FOREIGN = {name for kind in (dict, list, str, set, tuple, bytes, AttributeContainer) for name in dir(kind)}


class Refusal(NamedTuple):
    """An error as the caller sees it."""

    status: int
    code: str


@dataclass
class Code:
    """A function, method or module-level value: the errors it makes, what it refers to, what it uses (see _used_by).

    `texts` are its string constants; a refusal's code may be the dotted name of one.
    """

    refusals: set[Refusal] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    refers: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


@dataclass
class Graph:
    """All code by its dotted name; properties by `.name` and methods by `.name()`."""

    code: dict[str, Code] = field(default_factory=dict)
    methods: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    actions: set[str] = field(default_factory=set)

    def add(self, name: str, tree: ast.Module) -> None:
        """Read a module."""
        module = _Module(name, _imports(tree))
        for alias, target in module.imports.items():
            self.code[f"{name}.{alias}"] = Code(refers={target})  # what a package hands on under its own name
        for node in tree.body:
            self._add_node(module, name, node)

    def _add_node(self, module: "_Module", prefix: str, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef(name=called):
                self.code[f"{prefix}.{called}"] = module.read(node)
                if prefix != module.name:
                    self.methods.setdefault(_key(node), set()).add(f"{prefix}.{called}")
            case ast.ClassDef(name=called, body=body):
                inside = Code(refers={f"{prefix}.{called}.__init__", f"{prefix}.{called}.__post_init__"})
                self.code[f"{prefix}.{called}"] = inside
                for member in body:
                    self._add_node(module, f"{prefix}.{called}", member)
            case ast.Assign(targets=[ast.Name(id=called)], value=value):
                self._add_value(module, f"{prefix}.{called}", value)
            case ast.AnnAssign(target=ast.Name(id=called), value=ast.expr() as value):
                self._add_value(module, f"{prefix}.{called}", value)

    def _add_value(self, module: "_Module", name: str, value: ast.expr) -> None:
        match value:
            case ast.Constant(value=str(text)):
                self.texts[name] = text
            case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
                entries = {f"{name}[{key.value}]": it for key, it in zip(keys, values, strict=True)}  # type: ignore[union-attr]
                self.code[name] = Code(refers=set(entries))
                self.code |= {entry: module.read(it) for entry, it in entries.items()}
            case _:
                self.code[name] = module.read(value)

    def refusals(self, names: Iterable[str]) -> set[Refusal]:
        """The errors that `names` make, their codes spelled out."""
        made = {refusal for name in names for refusal in self.code[name].refusals}
        return {Refusal(status, self.texts.get(code, code)) for status, code in made}

    def reached(self, start: str) -> set[str]:
        """Everything that `start`, the function of an action, can come to run, itself included."""
        seen: set[str] = set()
        waiting = [start]
        named = {start.rpartition(".")[2], *self.code[start].texts} if start in self.code else set()
        while waiting:
            name = waiting.pop()
            entry = re.search(r"\[(\w+)]$", name)
            anothers = entry and entry[1] in self.actions - named
            if name in seen or name in SHELL or name not in self.code or anothers:
                continue
            seen.add(name)
            for target in self.code[name].refers:
                waiting += self.methods.get(target, ()) if target.startswith(".") else [target]
        return seen


@dataclass
class _Module:
    name: str
    imports: dict[str, str]

    def read(self, node: ast.AST) -> Code:
        found = Code()
        for child in _walk(node):
            match child:
                case ast.Name(id=called):
                    found.refers.add(self._dotted(child) or f"{self.name}.{called}")
                case ast.Attribute(attr=called):
                    dotted = self._dotted(child)
                    found.refers.add(dotted or f".{called}")
                case ast.Constant(value=str(text)):
                    found.texts.add(text)
                case ast.Tuple(elts=[ast.Constant(value=str(place)), ast.Constant(value=str(called))]):
                    found.refers.add(f"{place}.{called}")  # a lazy registry: ("bloxtr8.rails.stripe", "StripeRail")
                case ast.Call(func=function):
                    if isinstance(function, ast.Attribute) and function.attr not in FOREIGN:
                        found.refers.add(f".{function.attr}()")
                    found.refusals |= self._made_by(child)
                    found.uses |= self._used_by(child)
        return found

    def _dotted(self, node: ast.expr) -> str | None:
        """`offers.accept` → `bloxtr8.domain.offers.accept`, where `offers` is a module imported here."""
        match node:
            case ast.Name(id=called):
                return self.imports.get(called)
            case ast.Attribute(value=value, attr=called):
                base = self._dotted(value)
                return f"{base}.{called}" if base else None
        return None

    def _used_by(self, call: ast.Call) -> set[str]:
        """`secret stripe` of config.secret("stripe"), `commit deletes`, and `.put_events` of a client's method."""
        match self._dotted(call.func), call.func:
            case "bloxtr8.config.secret", _:
                return {f"secret {name}" for argument in call.args for name in _constants(argument)}
            case "bloxtr8.table.commit", _ if any(keyword.arg == "deletes" for keyword in call.keywords):
                return {"commit deletes"}
            case None, ast.Attribute(attr=method):
                return {f".{method}"}
        return set()

    def _made_by(self, call: ast.Call) -> set[Refusal]:
        dotted = self._dotted(call.func) or ""
        kind = getattr(errors, dotted.rpartition(".")[2], None) if dotted.startswith("bloxtr8.errors.") else None
        if not (isinstance(kind, type) and issubclass(kind, errors.DomainError)):
            return set()
        given: Any = call.args[1] if len(call.args) > 1 else None
        given = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), given)
        codes = {kind.code} if given is None else self._codes(given) or {kind.code}
        return {Refusal(kind.status, code) for code in codes}

    def _codes(self, node: ast.expr) -> set[str]:
        """The codes an expression may be: constants, and the dotted names of such."""
        if isinstance(node, ast.IfExp):
            return self._codes(node.body) | self._codes(node.orelse)
        if isinstance(node, ast.Constant):
            return {str(node.value)}
        dotted = self._dotted(node) or (f"{self.name}.{node.id}" if isinstance(node, ast.Name) else "")
        return {dotted} if dotted.rpartition(".")[2].isupper() else set()


def _key(node: ast.FunctionDef) -> str:
    """What the users of a method or property call it."""
    is_property = any(isinstance(it, ast.Name) and "property" in it.id for it in node.decorator_list)
    return f".{node.name}" if is_property else f".{node.name}()"


def _constants(node: ast.expr) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below, but not the arguments of calls that swallow refusals, nor a `try` that catches them."""
    yield node
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef):
        children = [node.args, *node.body]  # not its decorators: the app it is registered with is no callee
    if isinstance(node, ast.Call) and _last_name(node.func) in SWALLOWING:
        children = [node.func]
    if isinstance(node, ast.Try) and any(_catches_all(handler) for handler in node.handlers):
        children = [*node.handlers, *node.orelse, *node.finalbody]
    for child in children:
        yield from _walk(child)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.type, ast.Name) and handler.type.id == "DomainError"


def _imports(tree: ast.Module) -> dict[str, str]:
    """The local names of imported modules and their members, imports inside functions included."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return found


@functools.cache
def graph() -> Graph:
    """The graph of the shared package and of every function."""
    made = Graph()
    for path in sorted((PACKAGE / "bloxtr8").rglob("*.py")):
        made.add(_module_name(path, PACKAGE), ast.parse(path.read_text()))
    for path in sorted((template.ROOT / "functions").glob("*/app.py")):
        made.actions.add(path.parent.name)
        made.add(_module_name(path, template.ROOT), ast.parse(path.read_text()))
    return made


def refusals(action: str) -> list[Refusal]:
    """What `functions/<action>/app.py` may refuse, by status and code."""
    return sorted(graph().refusals(_reached(action)))


def uses(action: str) -> set[str]:
    """What it may use of AWS and of the secrets, as `_used_by` calls it."""
    return {used for name in _reached(action) for used in graph().code[name].uses}


def platform_roles(action: str) -> set[str]:
    """The platform roles it asks for, wherever."""
    named = {name.partition(".PlatformRole.")[2] for place in _reached(action) for name in graph().code[place].refers}
    return {name for name in named if name.isupper()}


def reaches(action: str, *names: str) -> bool:
    """Whether it can come to run any of `names` (dotted)."""
    return not _reached(action).isdisjoint(names)


@functools.cache
def _reached(action: str) -> frozenset[str]:
    """From the function of the action's name."""
    return frozenset(graph().reached(f"functions.{action}.app.{action}"))


def _module_name(path: Path, base: Path) -> str:
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
