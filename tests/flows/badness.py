"""Bad input from the document itself: good bodies out of their schemas, and every way to spoil them. JSON travels as
text here, since some of it (1e999, duplicate keys, lone surrogates) no encoder writes."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools import openapi

type Schema = dict[str, Any]
type Place = tuple[str | int, ...]

DOCUMENT: dict[str, Any] = json.loads(openapi.PATH.read_text())
FREE_TEXT = 'صفقة, "取引" 🤝 é'
UNREADABLE = {"not a number", "endless", "5,000 digits"}  # values that make the whole text no JSON
HUGE = 10**12
LONG = "x" * 10_000
_MARK = "\N{INVISIBLE SEPARATOR}here\N{INVISIBLE SEPARATOR}"
_TOMORROW = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
# what a patterned text may look like; a new pattern that takes none of these wants one more here
_SAMPLES = ("0" * 64, "US", "1", "+4915112345678", "ben@example.org", "a" * 43, "0x" + "0" * 40)


@dataclass(frozen=True)
class Operation:
    """An HTTP action of the document."""

    action: str
    method: str
    path: str
    shape: dict[str, Any]

    @property
    def is_public(self) -> bool:
        return self.shape.get("security") == []

    @property
    def is_read(self) -> bool:
        return self.method == "GET"

    def names(self, where: str) -> list[str]:
        """Its parameters in the path, the query or the headers."""
        return [one["name"] for one in self.shape.get("parameters", []) if one["in"] == where]

    def parameter(self, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.shape["parameters"] if one["name"] == name]
        return dict(found)

    @property
    def body(self) -> Schema | None:
        """The schema of its JSON body."""
        content = self.shape.get("requestBody", {}).get("content", {})
        return plain(content["application/json"]["schema"]) if content else None

    @property
    def needs_body(self) -> bool:
        return bool(self.shape.get("requestBody", {}).get("required"))


OPERATIONS = [
    Operation(shape["operationId"], method.upper(), path, shape)
    for path, methods in DOCUMENT["paths"].items()
    for method, shape in methods.items()
]


def plain(schema: Schema) -> Schema:
    """The schema behind a reference, or the one beside null; `nullable` tells that null would do."""
    if "$ref" in schema:
        return plain(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        (real,) = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return plain(real) | {"nullable": len(schema["anyOf"]) > 1}
    return schema


def good(schema: Schema) -> Any:
    """A value that is right in form."""
    schema = plain(schema)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema["type"]:
        case "object":
            return {name: good(field) for name, field in schema["properties"].items()}
        case "array":
            return [good(schema["items"])]
        case "integer":
            return int(schema.get("minimum", 1))
        case "boolean":
            return False
    if schema.get("format") == "date-time":
        return _TOMORROW
    if "pattern" in schema:
        return next(sample for sample in _SAMPLES if re.search(schema["pattern"], sample))
    return "text".ljust(schema.get("minLength", 0), "t")


def fields(schema: Schema, at: Place = ()) -> Iterator[tuple[Place, Schema, bool]]:
    """Every field of a body, nested ones too: where it is, its schema, whether it may be left out."""
    if schema["type"] == "array":
        inner = plain(schema["items"])
        yield (*at, 0), inner, False
        yield from fields(inner, (*at, 0))
    for name, field in schema.get("properties", {}).items():
        place, field = (*at, name), plain(field)
        yield place, field, name not in schema.get("required", [])
        yield from fields(field, place)


def without(value: Any, place: Place) -> str:
    """A body's text with that field left out."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return json.dumps(copy)


def spoiled(value: Any, place: Place, text: str) -> str:
    """A body's text with that JSON text in that place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = _MARK
    return json.dumps(copy).replace(json.dumps(_MARK), text)


def bad_values(schema: Schema) -> dict[str, str]:
    """What a field refuses, each as JSON text, by a name."""
    found = {"an empty object": "{}", "an object": '{"a": 1}', "a list of lists": "[[[]]]"}
    if not schema.get("nullable"):
        found["null"] = "null"
    if schema.get("type") != "array":
        found["an empty list"] = "[]"
    if schema.get("type") != "boolean":
        found |= {"true": "true", "false": "false"}
    if "const" in schema or "enum" in schema:
        return found | _bad_choices(schema)
    match schema["type"]:
        case "object":
            found |= {"a text": '"x"', "a list": "[1]"}
        case "array":
            long = json.dumps([good(schema["items"])] * (schema["maxItems"] + 1))
            found |= {"a text": '"x"', "a number": "1", "no items": "[]", "too many": long, "holes": "[null]"}
        case "integer":
            found |= _bad_integers(schema)
        case "boolean":
            found |= {"one": "1", "a word": '"true"', "an empty text": '""'}
        case "string":
            found |= _bad_texts(schema)
    return found


def _bad_choices(schema: Schema) -> dict[str, str]:
    value = good(schema)
    near = {"a number": "1", "zero": "0", "an empty text": '""', "another": '"ANOTHER"', "a list": json.dumps([value])}
    if isinstance(value, str):
        twins = {"lower case": value.lower(), "padded": f" {value}", "ended": f"{value}\n", "cut": f"{value}\0"}
        near |= {name: json.dumps(twin) for name, twin in twins.items()}
    return near


def _bad_integers(schema: Schema) -> dict[str, str]:
    least = int(schema["minimum"])
    found = {
        "a text": json.dumps(str(least)), "a float": "1.5", "a round float": f"{least}.0", "an exponent": "1e2",
        "too small": str(least - 1), "negative": "-1", "hugely negative": str(-HUGE), "without end": "1e999",
        "not a number": "NaN", "endless": "Infinity", "5,000 digits": "9" * 5_000, "a word": '"one"',
    }  # fmt: skip
    if "maximum" in schema:
        found |= {"too large": str(int(schema["maximum"]) + 1), "huge": str(HUGE), "beyond 64 bits": str(2**70)}
    return found


def _bad_texts(schema: Schema) -> dict[str, str]:
    texts = {"empty": "", "10,000 characters": LONG, "spaces": "   ", "wide spaces": "\u3000\u2003"}
    texts |= {
        "NUL": "a\0b", "NUL alone": "\0", "a bell": "a\x07b", "an escape": "\x1b[31m", "DEL": "a\x7fb", "C1": "a\x85b",
        "a lone high surrogate": "a\ud800b", "a lone low surrogate": "\udfff", "surrogates turned": "\ude00\ud83d",
    }  # fmt: skip
    if "maxLength" in schema:
        texts["one too long"] = "é" * (schema["maxLength"] + 1)
        if schema["maxLength"] > len(LONG):
            del texts["10,000 characters"]
    if "pattern" in schema or "format" in schema:
        value = good(schema)
        texts |= {"words": "some words", "ended": f"{value}\n", "padded": f" {value}", "other digits": "١٢٣"}
    if schema.get("format") == "date-time":
        texts |= {"a day": "2030-01-01", "no offset": "2030-01-01T00:00:00", "seconds": "1900000000"}
        texts |= {"no such day": "2030-02-30T00:00:00Z", "no such year": "10000-01-01T00:00:00Z"}
    found = {name: json.dumps(text) for name, text in texts.items()}
    return found | {"zero": "0", "a number": "17", "a float": "1.5", "a list of texts": '["x"]'}


def fair_texts(schema: Schema) -> list[str]:
    """Unusual texts that a field for words takes."""
    if schema.get("type") != "string" or {"pattern", "enum", "const", "format"} & set(schema):
        return []
    longest, least = "é" * schema["maxLength"], schema.get("minLength", 0)
    texts = (FREE_TEXT, "\u202eabc", "👩\u200d👧", longest, "__proto__", "'; --")
    return [json.dumps(text.ljust(least, "x")) for text in texts]


def bad_bodies(value: Any) -> dict[str, bytes]:
    """Bodies that are not the JSON object a route takes, by a name. All are 400."""
    text = json.dumps(value)
    name = next(iter(value))
    twice = f"{{{json.dumps(name)}: {json.dumps(value[name])}, {text[1:]}"
    texts = {
        "a list": f"[{text}]", "an empty list": "[]", "a text": '"x"', "a number": "1", "true": "true",
        "a JSON text": json.dumps(text), "cut off": text[:-1], "a brace": "{", "another language": "{'a': 1}",
        "a comma too many": f"{text[:-1]},}}", "two of them": text + text, "words": "hello", "a form": "a=1&b=2",
        "markup": "<a/>", "twice the same name": twice, "a comment": f"/**/{text}", "NUL": "\0", "ended": f"{text}\0",
        "not a number": f'{text[:-1]}, "unknown": NaN}}', "an unknown field": f'{text[:-1]}, "unknown": 1}}',
        "a prototype": f'{text[:-1]}, "__proto__": {{}}}}', "a strange name": f'{text[:-1]}, "\\ud800\\u0000": 1}}',
    }  # fmt: skip
    for depth in (90, 900, 3_000, 100_000):
        texts[f"{depth} lists deep in it"] = f'{text[:-1]}, "unknown": {"[" * depth + "]" * depth}}}'
    texts["objects deep"] = '{"a":' * 30_000 + "1" + "}" * 30_000
    found = {name: text.encode() for name, text in texts.items()}
    return found | {
        "empty": b"", "a space": b" ", "another encoding": text.encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "no encoding": b"\xff\xfe\xfd", "half a character": text[:-1].encode() + b', "unknown": "\xf0\x9f"}',
    }  # fmt: skip


def bad_ids(real: str) -> dict[str, str]:
    """Path segments, as they are sent, that name nothing. `real` names something."""
    ulid = "01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
    return {
        "nobody's": f"{real[:4]}{ulid}", "lower case": real.lower(), "too long": f"{real}0", "too short": real[:-1],
        "another's prefix": f"{'lst' if real[:3] != 'lst' else 'usr'}{real[3:]}", "no prefix": real[4:],
        "an unknown prefix": f"xxx_{ulid}", "NUL after": f"{real}%00", "a line break after": f"{real}%0a",
        "a space after": f"{real}%20", "a space before": f"%20{real}", "a suffix": f"{real}-00",
        "two": f"{real},{real}",
        "another digit": f"{real[:-1]}%D9%A3", "a wide letter": f"{real[:-1]}%EF%BC%A1", "NUL": "%00", "a word": "null",
        "a number": "0", "a star": "*", "a space": "%20", "a way up": "..%2f..%2fme", "a percent": "%25",
        "no encoding": "%ff", "an emoji": "%F0%9F%A4%9D", "a line break": "%0a", "a template": "{id}",
        "a parameter": ";a=b", "encoded twice": "%252e%252e", "a quote": "'--", "a fragment": "%23",
        "long": "a" * 2_000,
    }  # fmt: skip


def bad_queries(schema: Schema) -> list[Any]:
    """What a query's parameter refuses. Any text may be looked for, if it is short enough."""
    schema = plain(schema)
    if "enum" in schema:
        return ["", "junk", schema["enum"][0].swapcase(), "null", "a\0b"]
    if schema["type"] == "integer":
        beyond = [schema["minimum"] - 1, schema["maximum"] + 1]
        return ["", "junk", "1.5", "1e1", "true", "null", HUGE, "9" * 5_000, "\0", *map(int, beyond)]
    if "format" in schema:
        return ["", "junk", "0", "1900000000", "2026-13-01", "2026-01-01T00:00:01Z", "20260101", "\0"]
    return ["", "junk", "a\0b"] if "pattern" in schema else ["x" * (schema["maxLength"] + 1)]
