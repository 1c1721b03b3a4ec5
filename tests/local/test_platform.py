"""The real template on the local platform: it starts, and no route forgets its authorizer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.stack import ROOT, Stack
from local.template import read

FORGED = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9."


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    with Stack() as running:
        yield running


def wanted_protected(platform: Stack) -> set[tuple[str, str]]:
    """The routes that the template doesn't call public."""
    found = set()
    for about in platform.platform.source["Resources"].values():
        for event in about["Properties"].get("Events", {}).values() if "Function" in about["Type"] else ():
            told = event["Properties"]
            if event["Type"] == "Api" and told.get("Auth", {}).get("Authorizer") != "NONE":
                found.add((told["Method"].upper(), told["Path"]))
    return found


def test_it_answers(platform: Stack) -> None:
    answer = requests.get(f"{platform.api}/health", timeout=30)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": FORGED}])
def test_no_valid_token_is_401_on_every_route_that_is_not_public(platform: Stack, headers: dict[str, str]) -> None:
    routes = wanted_protected(platform)
    assert len(routes) > 20
    assert routes == {(method, path) for method, path, _ in platform.gateway.routes} & platform.gateway.protected

    def ask(route: tuple[str, str]) -> tuple[tuple[str, str], int, str, str]:
        method, path = route
        answer = requests.request(method, platform.api + path, headers=headers, timeout=30)
        return route, answer.status_code, answer.headers["Content-Type"], answer.json()["code"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, sorted(routes)))
    refused = (401, "application/problem+json", "UNAUTHENTICATED")
    assert [answer for answer in answers if answer[1:] != refused] == []


def test_every_schedule_can_be_fired_and_every_function_is_there() -> None:
    platform = read(ROOT / "template.yaml")
    arns = {function.arn for function in platform.functions.values()}
    assert {target["Arn"] for rule in platform.rules for target in rule.targets} <= arns | {
        f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine.name}" for machine in platform.machines
    }
    assert {mapping.function for mapping in platform.mappings} <= set(platform.functions)
    assert [one.action for one in platform.functions.values() if not (one.folder / "app.py").exists()] == []


def test_every_function_can_be_loaded(platform: Stack) -> None:
    answers = {name: platform.invoker.invoke(name, "{}") for name in platform.platform.functions}
    unloadable = [name for name, answer in answers.items() if "Runtime.ImportModuleError" in answer.payload]
    assert unloadable == []


def test_the_doubles_are_where_the_functions_look_for_them(platform: Stack) -> None:
    env = next(iter(platform.platform.functions.values())).env
    assert env["STRIPE_API_BASE"] == platform.addresses["stripe"]
    assert env["DISCORD_API_BASE"] == platform.addresses["discord"]
    for name in ("ROBLOX_API_BASE", "ROBLOX_GROUPS_BASE", "ROBLOX_GAMES_BASE"):
        assert env[name] == platform.addresses["roblox"]
    for secret in ("tokens", "stripe", "chain", "discord", "roblox"):
        assert platform.client("secretsmanager").get_secret_value(SecretId=f"bloxtr8/local/{secret}")["SecretString"]
