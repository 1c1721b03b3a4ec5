"""The API behind SAM CLI's gateway: the authorizer, the refusals, the events."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.stack import Stack
from tests.local.conftest import ANN


def ask(stack: Stack, method: str, path: str, **options: Any) -> requests.Response:
    return requests.request(method, stack.api + path, timeout=20, **options)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic ann", "Bearer ", "Bearer nobody"],
    ids=["none", "empty", "other scheme", "no token", "denied by policy"],
)
def test_without_a_valid_token_the_answer_is_401(stack: Stack, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in [("post", "/things/1"), ("get", "/things/1")]:
        answer = ask(stack, method, path, headers=headers, json={"name": "x"})
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


def test_every_route_but_the_public_ones_is_behind_the_authorizer(stack: Stack) -> None:
    protected = {(method, path) for method, path, _ in stack.gateway.routes} & stack.gateway.protected
    assert protected == {("POST", "/things/{thing_id}"), ("GET", "/things/{thing_id}")}


def test_the_refusal_is_the_templates_gateway_response(stack: Stack) -> None:
    answers = [ask(stack, "get", "/things/1") for _ in range(2)]
    assert answers[0].headers["Content-Type"] == "application/problem+json"
    assert answers[0].json()["correlationId"] != answers[1].json()["correlationId"]
    denied = ask(stack, "get", "/things/1", headers={"Authorization": "Bearer nobody"}).json()
    assert denied["said"] == "User is not authorized to access this resource"


def test_an_authorizer_that_breaks_is_an_error_of_ours(stack: Stack) -> None:
    answer = ask(stack, "get", "/things/1", headers={"Authorization": "Bearer broken"})
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")


def test_a_valid_token_reaches_the_function_as_its_claims(stack: Stack) -> None:
    answer = ask(stack, "post", "/things/7", headers=ANN, json={"name": "Ünïcode 🎉"})
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["by"], answer.json()["name"]) == ("7", "ann", "Ünïcode 🎉")


def test_public_routes_need_no_token(stack: Stack) -> None:
    assert ask(stack, "get", "/greet").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/nowhere"), ("delete", "/greet"), ("get", "/v1/greet"), ("get", "/greet//")]
)
def test_what_is_no_route_is_refused_as_api_gateway_does(stack: Stack, method: str, path: str) -> None:
    answer = ask(stack, method, path)
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})
    assert ask(stack, "head", "/greet").status_code == 403


def test_a_function_that_fails_is_a_502_without_its_trace(stack: Stack) -> None:
    answer = ask(stack, "post", "/misbehave", json={"fail": "RailRefused", "key": "gateway"})
    assert (answer.status_code, answer.json()) == (502, {"code": "INTERNAL_ERROR"})


def test_a_body_over_10_mb_is_refused(stack: Stack) -> None:
    assert ask(stack, "post", "/misbehave", data=b" " * 10_000_001).status_code == 413


def test_a_body_that_is_no_text_reaches_the_function_with_replacements(stack: Stack) -> None:
    body = b'{"return": {"statusCode": 200, "body": "\xff"}}'
    answer = ask(stack, "post", "/misbehave", data=body)
    assert (answer.status_code, answer.content.decode()) == (200, "\ufffd")


def test_preflight_requests_are_answered_without_a_token(stack: Stack) -> None:
    answer = ask(stack, "options", "/things/1", headers={"Origin": "https://client.example"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_every_request_has_an_id_of_its_own(stack: Stack) -> None:
    answers = [ask(stack, "post", "/things/1", headers=ANN, json={"name": "x"}).json() for _ in range(2)]
    assert answers[0]["log"] != answers[1]["log"]


def test_requests_at_the_same_time_see_their_own_event_caller_and_log(stack: Stack) -> None:
    def save(number: int) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer user{number}"}
        body = {"name": f"name{number}", "seconds": 0.05}
        return dict(ask(stack, "post", f"/things/{number}", headers=headers, json=body).json())

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(save, range(48)))
    assert [(one["id"], one["by"], one["name"]) for one in answers] == [
        (str(number), f"user{number}", f"name{number}") for number in range(48)
    ]
    assert len({one["log"] for one in answers}) == 48
