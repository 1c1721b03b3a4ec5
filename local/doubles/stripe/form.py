"""Request parameters: form encoding to values of the declared types, refused as Stripe refuses them."""

import re
from typing import Any
from urllib.parse import parse_qsl

from local.doubles.stripe.errors import ApiError, malformed
from local.doubles.stripe.schema import Shape

_STEP = re.compile(r"[^\[\]]+|\[\]")


def pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a query string or form body, empty values kept."""
    return parse_qsl(text, keep_blank_values=True)


def unflatten(flat: list[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=1` becomes {"a": {"b": {"0": "1"}}}: what is a list, and what a number, the declared shape knows."""
    root: dict[str, Any] = {}
    for key, value in flat:
        steps = _STEP.findall(key)
        place = root
        for step in steps[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                raise malformed(f"Invalid hash: {key}", param=key)
            place = inner
        place[str(len(place)) if steps[-1] == "[]" else steps[-1]] = value
    return root


def _listed(value: Any, name: str) -> list[Any]:
    """The items of `a[0]=…&a[1]=…`, which arrive as a hash of digits."""
    if not (isinstance(value, dict) and all(key.isdigit() for key in value)):
        raise malformed("Invalid array", param=name)
    return [value[key] for key in sorted(value, key=int)]


def fit(shape: Shape, value: Any, name: str = "") -> Any:
    """The value in the types that the shape declares. Raises ApiError (400) for anything it does not allow."""
    if "anyOf" in shape:
        return _fit_any(shape["anyOf"], value, name)
    if "enum" in shape:
        if value not in shape["enum"]:
            raise malformed(f"Invalid {name}: must be one of {', '.join(map(str, shape['enum']))}", param=name)
        return value
    match shape.get("type"):
        case "object":
            return _fit_object(shape, value, name)
        case "array":
            return [fit(shape["items"], item, f"{name}[{n}]") for n, item in enumerate(_listed(value, name))]
        case kind:
            return _fit_scalar(kind, value, name)


def _fit_any(shapes: list[Shape], value: Any, name: str) -> Any:
    """The first alternative that takes the value; alternatives of its own kind (hash or text) speak for the error."""
    nested = isinstance(value, dict)
    fitting = [shape for shape in shapes if (shape.get("type") in ("object", "array")) == nested] or shapes
    refusal: ApiError | None = None
    for shape in fitting:
        try:
            return fit(shape, value, name)
        except ApiError as error:
            refusal = error
    raise refusal or malformed(f"Invalid {name}", param=name)


def _fit_object(shape: Shape, value: Any, name: str) -> Any:
    if value == "" and "properties" not in shape:
        return ""  # all keys of a hash are unset by an empty value
    if not isinstance(value, dict):
        raise malformed("Invalid object", param=name)
    properties, rest = shape.get("properties"), shape.get("additionalProperties", {})
    fitted = {}
    for key, inner in value.items():
        path = f"{name}[{key}]" if name else key
        if properties is None:
            fitted[key] = inner if inner == "" else fit(rest, inner, path)
        elif key in properties:
            fitted[key] = fit(properties[key], inner, path)
        else:
            raise malformed(f"Received unknown parameter: {path}", "parameter_unknown", path)
    for key in shape.get("required", []):
        if key not in value:
            path = f"{name}[{key}]" if name else key
            raise malformed(f"Missing required param: {path}.", "parameter_missing", path)
    return fitted


def _fit_scalar(kind: str | None, value: Any, name: str) -> Any:
    if isinstance(value, dict):
        raise malformed(f"Invalid {kind or 'value'}: {name}", param=name)
    if kind == "integer":
        if not re.fullmatch(r"-?[0-9]+", value):
            raise malformed(f"Invalid integer: {value}", "parameter_invalid_integer", name)
        return int(value)
    if kind == "boolean":
        if value not in ("true", "false"):
            raise malformed(f"Invalid boolean: {value}", param=name)
        return value == "true"
    if value == "":
        message = (
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
            "value."
        )
        raise malformed(message, "parameter_invalid_empty", name)
    return value
