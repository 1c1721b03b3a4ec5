"""Law 1: one name everywhere."""

import ast
import json
from pathlib import Path
from typing import Any

from tools import openapi, template

HTTP_METHODS = {"get", "post", "put", "patch", "delete"}


def misnamed(root: Path, written: dict[str, Any]) -> list[str]:
    """Where folder, template, event and test of an action don't have its one name."""
    folders = {path.parent.name for path in root.glob("functions/*/app.py")}
    named = {function.action: function for function in template.functions(written)}
    wrong = [f"functions/{name} is not in template.yaml" for name in sorted(folders - named.keys())]
    wrong += [
        f"{function.id} has no functions/{name}/app.py" for name, function in named.items() if name not in folders
    ]
    wrong += [
        f"{f.id} should be {template.function_id(name)}"
        for name, f in named.items()
        if f.id != template.function_id(name)
    ]
    wrong += [f"no events/{name}.json" for name in sorted(folders) if not (root / f"events/{name}.json").exists()]
    wrong += [f"{path.name} is no function's event" for path in root.glob("events/*") if path.stem not in named]
    tests = {path.name for path in root.glob("tests/functions/test_*.py")}
    wrong += [f"no tests/functions/test_{name}.py" for name in sorted(folders) if f"test_{name}.py" not in tests]
    return wrong


def misrouted(app: str, event: dict[str, Any], function: template.Function) -> list[str]:
    """Where the routes in the code, in the template and in the event differ, or the name of the route's function."""
    wrong = []
    declared = dict(routes_of(app))
    for route in function.routes:
        name = declared.get((route.method, route.path))
        if name is None or (name != function.action and route.path not in openapi.PAGES):
            wrong.append(f"{function.id}: {route.method} {route.path} is answered by {name}, not by {function.action}")
    for place in declared.keys() - {(route.method, route.path) for route in function.routes}:
        wrong.append(f"{function.id}: {' '.join(place)} is not in template.yaml")
    if function.routes and (event.get("httpMethod"), event.get("resource")) not in declared:
        wrong.append(f"events/{function.action}.json is an event of another route")
    return wrong


def routes_of(app: str) -> list[tuple[tuple[str, str], str]]:
    """((method, path), name) of every `@app.<method>("<path>")` in a function's file."""
    found = []
    for node in ast.walk(ast.parse(app)):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else []:
            match decorator:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="app"), attr=method), args=[ast.Constant(value=str(path)), *_]
                ):
                    assert method in HTTP_METHODS
                    found.append(((method.upper(), path.replace("<", "{").replace(">", "}")), node.name))
    return found


def test_every_action_has_one_name(written: dict[str, Any]) -> None:
    assert misnamed(template.ROOT, written) == []


def test_every_route_has_its_actions_name_in_code_template_and_event(written: dict[str, Any]) -> None:
    wrong = []
    for function in template.functions(written):
        event = json.loads((template.ROOT / f"events/{function.action}.json").read_text())
        wrong += misrouted(function.app.read_text(), event, function)
    assert wrong == []


def test_a_wrong_name_is_found(tmp_path: Path) -> None:
    for folder in ("accept_offer", "forgotten"):
        (tmp_path / "functions" / folder).mkdir(parents=True)
        (tmp_path / "functions" / folder / "app.py").touch()
    (tmp_path / "events").mkdir()
    (tmp_path / "events/acceptoffer.json").touch()
    resource = {"Type": template.FUNCTION, "Properties": {"CodeUri": "functions/accept_offer"}}
    missing = {"Type": template.FUNCTION, "Properties": {"CodeUri": "functions/missing"}}

    wrong = misnamed(tmp_path, {"Resources": {"OfferAcceptFunction": resource, "MissingFunction": missing}})

    assert wrong == [
        "functions/forgotten is not in template.yaml",
        "MissingFunction has no functions/missing/app.py",
        "OfferAcceptFunction should be AcceptOfferFunction",
        "no events/accept_offer.json",
        "no events/forgotten.json",
        "acceptoffer.json is no function's event",
        "no tests/functions/test_accept_offer.py",
        "no tests/functions/test_forgotten.py",
    ]


def test_a_wrong_route_is_found() -> None:
    http = {"Type": "Api", "Properties": {"Method": "post", "Path": "/offers/{offer_id}/accept"}}
    function = template.Function("AcceptOfferFunction", {"CodeUri": "functions/accept_offer", "Events": {"Http": http}})
    app = '@app.post("/offers/<offer_id>/accept")\ndef accept(): ...\n\n@app.get("/other")\ndef other(): ...\n'

    wrong = misrouted(app, {"httpMethod": "POST", "resource": "/offers/{id}/accept"}, function)

    assert wrong == [
        "AcceptOfferFunction: POST /offers/{offer_id}/accept is answered by accept, not by accept_offer",
        "AcceptOfferFunction: GET /other is not in template.yaml",
        "events/accept_offer.json is an event of another route",
    ]
