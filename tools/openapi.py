"""make openapi: one document of every HTTP action, from the functions' own schemas, the template (paths, security)
and the code (refusals). Sorted and stable, so that `--check` compares text."""

import argparse
import importlib
import json
import sys
from collections import defaultdict
from typing import Any

from tools import reach, template
from tools.reach import Refusal

PATH = template.ROOT / "openapi.json"
PROBLEM = "application/problem+json"
FRAMEWORK = {
    "HTTPValidationError",
    "ValidationError",
    "ResponseValidationError",
}  # Powertools' errors; ours are problems
PAGES = {"/docs"}  # for people to look at, by the function that serves the document: no action of the API
COMMIT = "bloxtr8.table.commit"
EXPECTS = "bloxtr8.actors.Actor.expects"
REQUIRED_KEY = "bloxtr8.lambdas.KeyedActor"
OPTIONAL_ACTOR = "bloxtr8.lambdas.MaybeActor"
DESCRIPTION = (
    "Protected trades of Roblox groups and games between Discord users. Money is integer cents, times are ISO-8601 "
    "UTC. Every error is application/problem+json and names its rule in `code`."
)
TITLES = {
    400: "The request itself is wrong",
    401: "No proof of who is calling",
    403: "Not yours to do",
    404: "Not there, or not for you to see",
    409: "Not in this state",
    410: "Too late",
    412: "Not the version you saw",
    413: "The body is too large",
    415: "Not a content type this takes",
    422: "Against a rule",
    429: "Too many requests",
    500: "Our fault",
    502: "An outside service gave no usable answer",
    503: "Not available now",
}
SCHEMA_OF_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457, with the code of the rule that refused. Some codes add details of their own.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "correlationId"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "correlationId": {"type": ["string", "null"]},
        "currentStatus": {"type": "string", "description": "Of the object, where it is in the wrong state"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key, path and body get the same answer for 24 hours, marked `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'The version that was seen, in quotes, for example `"3"`.',
    "schema": {"type": "string"},
}


def document() -> dict[str, Any]:
    """The whole OpenAPI document. Raises SystemExit where two functions disagree about a name."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    schemas: dict[str, Any] = {"Problem": SCHEMA_OF_PROBLEM}
    for function in template.functions(template.load()):
        if not function.routes:
            continue
        own = schema_of(function.action)
        for name, shape in own.get("components", {}).get("schemas", {}).items():
            if name not in FRAMEWORK and schemas.setdefault(name, shape) != shape:
                sys.exit(f"functions/{function.action}: another function has a different shape called {name}")
        for route in actions(function):
            operation = own.get("paths", {}).get(route.path, {}).get(route.method.lower())
            if operation is None:
                sys.exit(f"functions/{function.action} does not answer {route.method} {route.path} of template.yaml")
            paths[route.path][route.method.lower()] = completed(operation, function, route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bloxtr8", "version": "1.0.0", "description": DESCRIPTION},
        "servers": [{"url": "/v1"}],
        "security": [{"bearer": []}],
        "tags": [{"name": room} for room in template.ROOMS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def actions(function: template.Function) -> list[template.Route]:
    """The routes that belong into the document."""
    return [route for route in function.routes if route.path not in PAGES]


def schema_of(action: str) -> dict[str, Any]:
    """What Powertools makes of a function's routes and shapes."""
    app = importlib.import_module(f"functions.{action}.app").app
    made: dict[str, Any] = app.get_openapi_schema().model_dump(mode="json", by_alias=True, exclude_none=True)
    return made


def completed(operation: dict[str, Any], function: template.Function, route: template.Route) -> dict[str, Any]:
    """The operation under its one name, with its security, its headers and its errors."""
    action = function.action
    operation |= {"operationId": action, "tags": [function.room]}
    if route.public:
        reads_bearer = reach.reaches(action, OPTIONAL_ACTOR)
        operation["security"] = [{}, {"bearer": []}] if reads_bearer else []
    parameters = [
        {**parameter, "required": parameter.get("required", False)} for parameter in operation.get("parameters", [])
    ]
    if takes_key(action, route):
        parameters.append(IDEMPOTENCY_KEY | {"required": reach.reaches(action, REQUIRED_KEY)})
    if reach.reaches(action, EXPECTS):
        parameters.append(IF_MATCH)
    if parameters:
        operation["parameters"] = sorted(parameters, key=lambda parameter: (parameter["in"], parameter["name"]))
    operation["responses"].pop("422", None)
    codes: dict[int, set[str]] = defaultdict(set)
    for refusal in [*reach.refusals(action), *common(operation, action, route)]:
        codes[refusal.status].add(refusal.code)
    operation["responses"] |= {str(status): problem(status, sorted(names)) for status, names in codes.items()}
    return operation


def takes_key(action: str, route: template.Route) -> bool:
    """Whether an Idempotency-Key does anything here: it is recorded by `commit` for an authenticated POST."""
    return route.method == "POST" and not route.public and reach.reaches(action, COMMIT)


def common(operation: dict[str, Any], action: str, route: template.Route) -> list[Refusal]:
    """What the gateway and the HTTP shell refuse, whatever the function does."""
    found = [Refusal(429, "RATE_LIMITED"), Refusal(500, "INTERNAL_ERROR")]
    if not route.public:
        found.append(Refusal(401, "UNAUTHENTICATED"))
    if operation.get("parameters") or "requestBody" in operation:
        found.append(Refusal(400, "VALIDATION_ERROR"))
    if "requestBody" in operation:
        found += [Refusal(413, "BODY_TOO_LARGE"), Refusal(415, "UNSUPPORTED_MEDIA_TYPE")]
    if reach.reaches(action, COMMIT):
        found.append(Refusal(409, "CONFLICT"))
    if takes_key(action, route):
        found.append(Refusal(422, "IDEMPOTENCY_KEY_REUSED"))
    return found


def problem(status: int, codes: list[str]) -> dict[str, Any]:
    """A response of the document: the problem, with the codes it may carry."""
    narrowed = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"code": {"enum": codes}}}]}
    return {"description": f"{TITLES[status]}: {', '.join(codes)}", "content": {PROBLEM: {"schema": narrowed}}}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write openapi.json, or with --check say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 where openapi.json is not current")
    made = text()
    if parser.parse_args().check:
        if not PATH.exists() or PATH.read_text() != made:
            sys.exit("openapi.json is not current: run `make openapi` and commit it")
    elif PATH.write_text(made):
        print(f"{PATH.name}: {made.count('operationId')} operations")


if __name__ == "__main__":
    main()
