"""The transport of the outside clients: what it waits for, what it asks again, and what it never lets through."""

import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Request, Response

from bloxtr8 import errors
from bloxtr8.outside import http
from local.doubles.faults import Faulty
from local.doubles.web import serve, utc_now


@Request.application
def echo(request: Request) -> Response:
    """Says what it was sent."""
    return Response(f"{request.method} {request.get_data(as_text=True)} {request.headers.get('User-Agent')}")


@pytest.fixture
def upstream(quick: None) -> Iterator[tuple[Faulty, str]]:
    """An upstream with faults, and its address."""
    app = Faulty(echo, utc_now)
    with serve(app) as base:
        yield app, f"{base}/path"


@pytest.fixture
def raw(quick: None) -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A socket server that answers as the test says, byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def start(answer: Callable[[socket.socket], None]) -> str:
            def accept() -> None:
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    with connection:
                        connection.recv(65536)
                        answer(connection)

            threading.Thread(target=accept, daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}/"

        yield start
        listener.shutdown(socket.SHUT_RDWR)


def fails(ask: Callable[[], object]) -> None:
    with pytest.raises(errors.UpstreamFailed):
        ask()


def test_a_get_brings_status_and_body(upstream: tuple[Faulty, str]) -> None:
    answer = http.Talk("Test").get(upstream[1])
    assert answer.status == 200
    assert answer.body == b"GET  DiscordBot (bloxtr8, dev)"


def test_a_form_is_sent_as_a_form(upstream: tuple[Faulty, str]) -> None:
    answer = http.Talk("Test").post_form(upstream[1], {"a": "1 &", "b": "ü"})
    assert answer.body.startswith(b"POST a=1+%26&b=%C3%BC ")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_get_is_asked_again_and_a_form_is_not(upstream: tuple[Faulty, str], status: int) -> None:
    app, url = upstream
    app.faults.put("path", status=status, times=2)
    assert http.Talk("Test").get(url).status == 200
    assert [call["status"] for call in app.calls] == [status, status, 200]
    app.faults.put("path", status=status)
    fails(lambda: http.Talk("Test").post_form(url, {}))
    assert len(app.calls) == 4


def test_a_get_is_given_up_after_three_attempts(upstream: tuple[Faulty, str]) -> None:
    app, url = upstream
    app.faults.put("path", drop=True, times=None)
    fails(lambda: http.Talk("Test").get(url))
    assert len(app.calls) == http.ATTEMPTS


def test_a_short_retry_after_is_waited_for(upstream: tuple[Faulty, str]) -> None:
    app, url = upstream
    app.faults.put("path", status=429, headers={"Retry-After": "0.2"})
    started = time.monotonic()
    assert http.Talk("Test").get(url).status == 200
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("wait", ["30", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "nan", "inf"])
def test_a_long_retry_after_is_not(upstream: tuple[Faulty, str], wait: str) -> None:
    app, url = upstream
    app.faults.put("path", status=429, headers={"Retry-After": wait}, times=None)
    started = time.monotonic()
    fails(lambda: http.Talk("Test").get(url))
    assert time.monotonic() - started < 0.5
    assert len(app.calls) == 1


def test_a_slow_answer_is_not_asked_again(upstream: tuple[Faulty, str]) -> None:
    app, url = upstream
    app.faults.put("path", delay_seconds=1.0, times=None)
    started = time.monotonic()
    fails(lambda: http.Talk("Test").get(url))
    assert time.monotonic() - started < 0.8
    assert len(app.calls) == 1


def test_all_requests_of_a_talk_share_its_budget(upstream: tuple[Faulty, str], monkeypatch: pytest.MonkeyPatch) -> None:
    app, url = upstream
    monkeypatch.setattr(http, "BUDGET_SECONDS", 0.3)
    talk = http.Talk("Test")
    app.faults.put("path", delay_seconds=0.25)
    assert talk.get(url).status == 200
    app.faults.put("path", delay_seconds=0.25)
    fails(lambda: talk.get(url))
    time.sleep(0.1)
    fails(lambda: talk.get(url))
    assert len(app.calls) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(upstream: tuple[Faulty, str], status: int) -> None:
    app, url = upstream
    app.faults.put("path", status=status, headers={"Location": url.replace("path", "other")})
    fails(lambda: http.Talk("Test").get(url, {"x-api-key": "secret"}))
    assert [call["path"] for call in app.calls] == ["/path"]


def test_a_body_has_a_limit(upstream: tuple[Faulty, str]) -> None:
    app, url = upstream
    app.faults.put("path", body="x" * http.BODY_LIMIT_BYTES)
    assert len(http.Talk("Test").get(url).body) == http.BODY_LIMIT_BYTES
    app.faults.put("path", body="x" * (http.BODY_LIMIT_BYTES + 1), times=None)
    fails(lambda: http.Talk("Test").get(url))


def test_nobody_listening_is_an_outage(quick: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fails(lambda: http.Talk("Test").get(f"http://127.0.0.1:{port}/"))


def test_a_body_in_drops_is_cut_off(raw: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(40):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.05)

    monkeypatch.setattr(http, "BUDGET_SECONDS", 0.5)
    url = raw(drip)
    started = time.monotonic()
    fails(lambda: http.Talk("Test").get(url))
    assert time.monotonic() - started < 1.0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"SSH-2.0-not-http\r\n\r\n",
        b"\x00\x01\x02",
        b"",
    ],
    ids=["cut", "cut-chunk", "no-gzip", "no-http", "bytes", "nothing"],
)
def test_a_broken_answer_is_an_outage(raw: Callable[..., str], answer: bytes) -> None:
    url = raw(lambda connection: connection.sendall(answer))
    fails(lambda: http.Talk("Test").get(url))


def test_a_chunked_answer_is_read_whole(raw: Callable[..., str]) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\n   \r\n0\r\n\r\n"
    url = raw(lambda connection: connection.sendall(chunks))
    assert http.Talk("Test").get(url).body == b"{}   "


def test_connections_are_used_again(raw: Callable[..., str]) -> None:
    accepted: list[float] = []

    def twice(connection: socket.socket) -> None:
        accepted.append(dt.datetime.now(dt.UTC).timestamp())
        for _ in range(2):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)

    url = raw(twice)
    talk = http.Talk("Test")
    assert (talk.get(url).body, talk.get(url).body) == (b"{}", b"{}")
    assert len(accepted) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"null", b'{"a": NaN}', b"\xff{}", b"[" * 50_000, b'{"a": ' + b"1" * 5000 + b"}"]
)
def test_only_a_json_object_is_an_object(body: bytes) -> None:
    fails(lambda: http.Talk("Test").object(http.Answer(200, body)))


def test_an_object_is_read() -> None:
    assert http.Talk("Test").object(http.Answer(200, b'{"a": [1, null]}')) == {"a": [1, None]}
