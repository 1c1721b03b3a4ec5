"""The shape of Stripe's objects and parameters, read from the annotations of the installed stripe package.

Stripe generates the package from its own specification at exactly the API version that the package sends, so the
double can neither invent a field nor accept a parameter that this version does not know. Shapes are JSON Schema.
"""

import ast
import functools
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

Shape = dict[str, Any]

_sound: set[bytes] = set()
RESOURCES = {
    "account": "_account",
    "account_link": "_account_link",
    "balance": "_balance",
    "balance_transaction": "_balance_transaction",
    "capability": "_capability",
    "charge": "_charge",
    "customer": "_customer",
    "dispute": "_dispute",
    "event": "_event",
    "identity.verification_session": "identity/_verification_session",
    "payment_intent": "_payment_intent",
    "payment_method": "_payment_method",
    "radar.early_fraud_warning": "radar/_early_fraud_warning",
    "refund": "_refund",
    "review": "_review",
    "transfer": "_transfer",
    "transfer_reversal": "_transfer_reversal",
}

_PLAIN: dict[str, Shape] = {
    "Any": {},
    "Decimal": {"type": ["string", "number"]},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "str": {"type": "string"},
}
_NULL: Shape = {"type": "null"}
_OBJECT: Shape = {"type": "object"}


def _package() -> Path:
    spec = importlib.util.find_spec("stripe")
    if spec is None or spec.origin is None:
        raise ImportError("the stripe package is not installed")
    return Path(spec.origin).parent


class _File:
    """One file of the package: turns its annotations into shapes."""

    def __init__(self, path: Path, references: dict[str, str]) -> None:
        body = ast.parse(path.read_text()).body
        self.classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
        self._references = references

    def shape_of(self, cls: ast.ClassDef, scope: tuple[ast.ClassDef, ...] = ()) -> Shape:
        """The object that a class describes: `properties`, `required`, nothing else allowed."""
        properties: dict[str, Shape] = {}
        required: list[str] = []
        for node in cls.body:
            if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
                continue
            annotation, name = node.annotation, node.target.id.rstrip("_")
            head = _head(annotation)
            if head == "ClassVar":
                continue
            if head == "NotRequired" and isinstance(annotation, ast.Subscript):
                annotation = annotation.slice
            elif head != "Optional":
                required.append(name)
            properties[name] = self._shape(annotation, (*scope, cls))
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _shape(self, node: ast.expr, scope: tuple[ast.ClassDef, ...]) -> Shape:
        match node:
            case ast.Constant(value=None):
                return _NULL
            case ast.Constant(value=str(text)):
                return self._shape(ast.parse(text, mode="eval").body, scope)
            case ast.BinOp():
                return self._any_of([node.left, node.right], scope)
            case ast.Subscript():
                return self._generic(_head(node), node.slice, scope)
            case ast.Attribute(attr=name) | ast.Name(id=name):
                return self._named(name, scope)
        raise TypeError(f"an annotation the reader does not know: {ast.unparse(node)}")

    def _generic(self, head: str, inner: ast.expr, scope: tuple[ast.ClassDef, ...]) -> Shape:
        items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        match head:
            case "Optional":
                return self._any_of([inner, ast.Constant(None)], scope)
            case "Union":
                return self._any_of(items, scope)
            case "Literal":
                return {"enum": [item.value for item in items if isinstance(item, ast.Constant)]}
            case "List" | "list":
                return {"type": "array", "items": self._shape(inner, scope)}
            case "Dict" | "dict":
                return {"type": "object", "additionalProperties": self._shape(items[1], scope)}
            case "UntypedStripeObject":
                return {"type": "object", "additionalProperties": self._shape(inner, scope)}
            case "ListObject":
                return _list_of(self._shape(inner, scope))
            case "ExpandableField":
                return {"anyOf": [_PLAIN["str"], self._shape(inner, scope)]}
        raise TypeError(f"a generic the reader does not know: {head}")

    def _named(self, name: str, scope: tuple[ast.ClassDef, ...]) -> Shape:
        if name in _PLAIN:
            return _PLAIN[name]
        for outer in reversed(scope):
            for node in outer.body:
                if isinstance(node, ast.ClassDef) and node.name == name:
                    return self.shape_of(node, scope)
        if name in self._references:
            return {"$ref": f"#/$defs/{self._references[name]}"}
        if name in self.classes:
            return self.shape_of(self.classes[name])
        return _OBJECT  # a resource that the double does not model

    def _any_of(self, nodes: list[ast.expr], scope: tuple[ast.ClassDef, ...]) -> Shape:
        shapes: list[Shape] = []
        for node in nodes:
            shape = self._shape(node, scope)
            shapes += shape["anyOf"] if set(shape) == {"anyOf"} else [shape]
        if any(shape.get("enum", [""]) != [""] for shape in shapes):
            # `Literal[…] | str` leaves room for values to come: the double keeps to the documented ones.
            shapes = [shape for shape in shapes if shape != _PLAIN["str"]]
        return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _head(node: ast.expr) -> str:
    """`Optional` of `Optional[X]`; empty where the annotation has no brackets."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _head(ast.parse(node.value, mode="eval").body)
    if not isinstance(node, ast.Subscript):
        return ""
    return node.value.id if isinstance(node.value, ast.Name) else ast.unparse(node.value).rpartition(".")[2]


def _list_of(items: Shape) -> Shape:
    properties = {
        "object": {"const": "list"},
        "data": {"type": "array", "items": items},
        "has_more": _PLAIN["bool"],
        "url": _PLAIN["str"],
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


@functools.cache
def definitions() -> dict[str, Shape]:
    """The shape of every modelled resource, by its `object` name."""
    mains: dict[str, tuple[_File, ast.ClassDef]] = {}
    references: dict[str, str] = {}
    for kind, path in RESOURCES.items():
        file = _File(_package() / f"{path}.py", references)
        mains[kind] = file, _main_class(file)
    references.update({main.name: kind for kind, (_, main) in mains.items()})
    return {kind: file.shape_of(main) for kind, (file, main) in mains.items()}


def _main_class(file: _File) -> ast.ClassDef:
    for cls in file.classes.values():
        for node in cls.body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "OBJECT_NAME":
                return cls
    raise LookupError("a resource without OBJECT_NAME")


@functools.cache
def parameters(name: str) -> Shape:
    """The parameters of one operation: `transfer_create`, `identity/verification_session_create`."""
    folder, _, operation = name.rpartition("/")
    file = _File(_package() / "params" / folder / f"_{operation}_params.py", {})
    return file.shape_of(next(iter(file.classes.values())))


@functools.cache
def _validator(kind: str) -> Draft202012Validator:
    shape = _list_of({}) if kind == "list" else {"$ref": f"#/$defs/{kind}"}
    return Draft202012Validator({**shape, "$defs": definitions()})


def problems(value: dict[str, Any]) -> list[str]:
    """What an answer has that Stripe's would not, one line each; lists are checked with their items.

    Most answers were given before but for ids, times and amounts, by this double or by an earlier one: those are not
    checked again.
    """
    mark = hashlib.blake2b(json.dumps(_outline(value), sort_keys=True).encode(), digest_size=16).digest()
    found = [] if mark in _sound else list(_problems(value))
    if not found:
        _sound.add(mark)
    return found


def _outline(value: Any) -> Any:
    """The value as far as a shape can tell it from another: where none asks for just this text, any text will do."""
    match value:
        case dict():
            return {name: _outline(one) for name, one in value.items()}
        case list():
            return sorted({json.dumps(_outline(one), sort_keys=True) for one in value})
        case bool() | None:
            return value
        case str():
            return value if value in _named_values() else "*"
        case int():
            return value if value in _named_values() else 0
    return value


@functools.cache
def _named_values() -> frozenset[Any]:
    """Every value that a shape asks for by itself."""
    return frozenset(_asked_for(list(definitions().values()))) | {"list"}


def _asked_for(shape: Any) -> Iterator[Any]:
    inner = shape.values() if isinstance(shape, dict) else shape if isinstance(shape, list) else ()
    if isinstance(shape, dict):
        yield from shape.get("enum", ()) if isinstance(shape.get("enum"), list) else ()
        yield from [shape["const"]] if isinstance(shape.get("const"), str) else ()
    for one in inner:
        yield from _asked_for(one)


def _problems(value: dict[str, Any]) -> Iterator[str]:
    kind = value["object"]
    for error in _validator(kind).iter_errors(value):
        yield f"{kind}.{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
    if kind == "list":
        for item in value["data"]:
            yield from _problems(item)


def blank(kind: str, *path: str) -> dict[str, Any]:
    """Every optional field of a resource (or of an object inside it) as null: what Stripe sends for 'nothing here'.

    Lists that Stripe leaves out unless they are expanded, and the mark of deletion, are left out.
    """
    shape = definitions()[kind]
    for name in path:
        shape = _object_in(shape["properties"][name])
    return {
        name: None
        for name, field in shape["properties"].items()
        if name not in shape["required"] and name != "deleted" and not _is_list(field)
    }


def _object_in(shape: Shape) -> Shape:
    return next(option for option in shape.get("anyOf", [shape]) if "properties" in option)


def _is_list(shape: Shape) -> bool:
    return any("has_more" in option.get("properties", {}) for option in shape.get("anyOf", [shape]))
