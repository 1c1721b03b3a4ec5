"""openapi.json is complete: every HTTP action under its one name, with its security, its headers and its errors."""

import json
from typing import Any

import pytest

from tools import openapi, template


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(json.loads(openapi.PATH.read_text()))  # current, as `make generated` checks


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """operationId → operation."""
    return {operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()}


def incomplete(document: dict[str, Any], functions: list[template.Function]) -> list[str]:
    """What a reader of the document would miss."""
    wrong = []
    for function in functions:
        for route in openapi.actions(function):
            operation = document["paths"].get(route.path, {}).get(route.method.lower())
            if operation is None or operation["operationId"] != function.action:
                wrong.append(f"{route.method} {route.path}: not documented as {function.action}")
                continue
            wrong += [f"{function.action}: {lack}" for lack in lacks(operation, route, document)]
    return wrong


def lacks(operation: dict[str, Any], route: template.Route, document: dict[str, Any]) -> list[str]:
    """What one operation leaves unsaid."""
    wrong = []
    if not operation.get("summary"):
        wrong.append("no summary")
    responses = operation["responses"]
    if not any(status.startswith("2") for status in responses):
        wrong.append("no success")
    security = operation.get("security", document["security"])
    if (security == [{"bearer": []}]) == route.public:
        wrong.append("another security than the template's")
    for status, response in responses.items():
        if status >= "400" and list(response["content"]) != ["application/problem+json"]:
            wrong.append(f"{status} is no problem")
    return wrong


def test_every_http_action_is_documented(document: dict[str, Any], written: dict[str, Any]) -> None:
    assert incomplete(document, template.functions(written)) == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= schemas


def references(value: Any) -> list[str]:
    """Every `$ref` below a value."""
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in references(item)]


def test_health_is_public_and_can_only_fail_by_itself(document: dict[str, Any]) -> None:
    health = operations(document)["get_health"]
    assert health["security"] == []
    assert set(health["responses"]) == {"200", "429", "500"}


def test_what_is_missing_is_found() -> None:
    http = {"Type": "Api", "Properties": {"Method": "get", "Path": "/me"}}
    other = {"Type": "Api", "Properties": {"Method": "get", "Path": "/you"}}
    functions = [
        template.Function("GetMeFunction", {"CodeUri": "functions/get_me", "Events": {"Http": http}}),
        template.Function("GetYouFunction", {"CodeUri": "functions/get_you", "Events": {"Http": other}}),
    ]
    me = {"operationId": "get_me", "security": [], "responses": {"401": {"content": {"application/json": {}}}}}
    document = {"paths": {"/me": {"get": me}}, "security": [{"bearer": []}]}

    assert incomplete(document, functions) == [
        "get_me: no summary",
        "get_me: no success",
        "get_me: another security than the template's",
        "get_me: 401 is no problem",
        "GET /you: not documented as get_you",
    ]
