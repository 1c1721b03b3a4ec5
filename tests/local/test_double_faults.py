"""Bad luck on demand: what a fault does, to which requests, how often; and the log of calls."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from werkzeug.wrappers import Request, Response

from local.doubles.faults import Faulty
from local.doubles.web import serve
from tests.emulator import Clock

type Ask = Callable[..., urllib3.BaseHTTPResponse]


class Counter:
    """An app that counts what it has done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.done += 1
        return Response(f"done {Request(environ).path}")(environ, start_response)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def app(counter: Counter, clock: Clock) -> Faulty:
    return Faulty(counter, clock.now)


@pytest.fixture
def ask(app: Faulty) -> Iterator[Ask]:
    """A request to the app: method, path, and what urllib3 takes."""
    with serve(app) as base:

        def ask(method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
            return urllib3.request(method, base + path, retries=False, **more)

        yield ask


def put(ask: Ask, **fault: Any) -> None:
    assert ask("PUT", "/_double/faults", json=fault).status == 204


def test_a_status_comes_instead_of_the_act(ask: Ask, counter: Counter) -> None:
    put(ask, path="^/a", status=503, headers={"Retry-After": "7"}, body='{"error": "down"}')
    answer = ask("GET", "/a/b")
    assert (answer.status, answer.json(), answer.headers["Retry-After"]) == (503, {"error": "down"}, "7")
    assert counter.done == 0
    assert ask("GET", "/a/b").data == b"done /a/b"


def test_after_commit_the_act_is_done_and_its_answer_lost(ask: Ask, counter: Counter) -> None:
    put(ask, path="/a", status=500, afterCommit=True)
    assert ask("POST", "/a").status == 500
    assert counter.done == 1
    put(ask, path="/a", drop=True, afterCommit=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        ask("POST", "/a")
    assert counter.done == 2


def test_a_dropped_connection_says_nothing(ask: Ask, counter: Counter, capfd: pytest.CaptureFixture[str]) -> None:
    put(ask, path="/a", drop=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        ask("POST", "/a", body=b"x" * 10_000)
    assert counter.done == 0
    assert "Traceback" not in capfd.readouterr().err


def test_a_delay_alone_only_delays(ask: Ask) -> None:
    put(ask, path="/a", delaySeconds=0.2)
    started = time.monotonic()
    assert ask("GET", "/a").data == b"done /a"
    assert time.monotonic() - started >= 0.2


def test_other_paths_are_left_alone(ask: Ask) -> None:
    put(ask, path="^/a$", status=500)
    assert [ask("GET", path).status for path in ("/b", "/ab", "/a", "/a")] == [200, 200, 500, 200]


def test_times_counts_requests_and_null_means_until_deleted(ask: Ask) -> None:
    put(ask, path="/a", status=500, times=2)
    assert [ask("GET", "/a").status for _ in range(3)] == [500, 500, 200]
    put(ask, path="/a", status=500, times=None)
    assert [ask("GET", "/a").status for _ in range(4)] == [500] * 4
    assert ask("DELETE", "/_double/faults").status == 204
    assert ask("GET", "/a").status == 200


def test_the_oldest_fault_comes_first_and_the_same_path_replaces(ask: Ask) -> None:
    put(ask, path="/a", status=500)
    put(ask, path="/", status=502)
    put(ask, path="/a", status=503)
    assert [ask("GET", "/a").status for _ in range(3)] == [503, 502, 200]


def test_a_fault_hits_exactly_as_often_as_told_under_threads(ask: Ask) -> None:
    put(ask, path="/a", status=500, times=7)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: ask("GET", "/a").status, range(24)))
    assert sorted(statuses) == [200] * 17 + [500] * 7


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"path": "("},
        {"path": 7},
        {"path": "/a", "times": 0},
        {"path": "/a", "delaySeconds": -1},
        {"path": "/a", "delaySeconds": 1e9},
        {"path": "/a", "delay": 1},
        {"path": "/a", "status": 7},
        {"path": "/a", "status": "500"},
        ["/a"],
    ],
    ids=str,
)
def test_a_fault_that_makes_no_sense_is_refused(ask: Ask, fault: Any) -> None:
    answer = ask("PUT", "/_double/faults", json=fault)
    assert answer.status == 400
    assert answer.json()["message"]
    assert ask("GET", "/a").status == 200


def test_calls_are_logged_in_order_without_those_to_the_double(ask: Ask, clock: Clock) -> None:
    put(ask, path="/b", status=500)
    ask("GET", "/a?x=1")
    ask("POST", "/b")
    calls = ask("GET", "/_double/calls").json()["calls"]
    told = [(call["method"], call["path"], call["query"], call["status"], call["fault"]) for call in calls]
    assert told == [("GET", "/a", "x=1", 200, False), ("POST", "/b", "", 500, True)]
    assert calls[0]["at"].startswith("2026-11-23T12:00:00")


def test_a_dropped_call_has_no_status(ask: Ask) -> None:
    put(ask, path="/a", drop=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        ask("GET", "/a")
    assert [call["status"] for call in ask("GET", "/_double/calls").json()["calls"]] == [None]


def test_other_methods_are_refused(ask: Ask) -> None:
    assert ask("POST", "/_double/faults", json={}).status == 405
