"""Our client of AWS's JSON services against botocore: the same signature, the same answers, the same errors, as many
attempts. What it talks to here is a socket on loopback that says what a test wants."""

import datetime as dt
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import aws_json, sigv4
from bloxtr8.aws_json import NoAnswer, Refused, Service
from tests.checks import everything_logged

TARGET = "DynamoDB_20120810"
type Reply = Callable[["Line"], None]


class Line(BaseHTTPRequestHandler):
    """Says the replies of its server in turn, the last again and again, and keeps what was asked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # which may hold back the body of an answer for 40 ms
    server: "Double"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        heads = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((heads, json.loads(body)))
        replies = self.server.replies
        (replies.pop(0) if len(replies) > 1 else replies[0])(self)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Double(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.replies: list[Reply] = []
        self.asked: list[tuple[dict[str, str], Any]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def says(self, *replies: Reply) -> None:
        self.replies, self.asked = list(replies), []


@pytest.fixture(scope="module")
def line() -> Iterator[Double]:
    with Double() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def ours(line: Double) -> Service:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", line.url)
        return Service("dynamodb", TARGET)


@pytest.fixture(scope="module")
def theirs(line: Double) -> Any:
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return get_session().create_client("dynamodb", "us-east-1", endpoint_url=line.url, config=config)


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(aws_json.time, "sleep", slept.append)
    return slept


def reply(answer: Any, status: int = 200, **headers: str) -> Reply:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def say(line: Line) -> None:
        line.send_response(status)
        heads = {"x-amz-crc32": str(zlib.crc32(body)), "content-length": str(len(body))}
        for name, value in (heads | {name.replace("_", "-"): value for name, value in headers.items()}).items():
            line.send_header(name, value)
        line.end_headers()
        line.wfile.write(body)

    return say


def refusal(code: str, status: int = 400, **more: Any) -> Reply:
    return reply({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}, status)


def hang_up(line: Line) -> None:
    line.close_connection = True
    line.connection.close()


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, WORDS),
        st.builds(lambda number: {"N": str(number)}, st.integers(-(10**37), 10**37)),
        st.builds(lambda truth: {"BOOL": truth}, st.booleans()),
        st.just({"NULL": True}),
        st.builds(lambda texts: {"SS": texts}, st.lists(WORDS, min_size=1, max_size=3)),
    ),
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(WORDS, inner, max_size=3)),
    ),
    max_leaves=8,
)
ITEMS = st.dictionaries(WORDS.filter(bool), VALUES, max_size=5)


@given(item=ITEMS)
def test_asks_and_reads_items_as_botocore_does(line: Double, ours: Service, theirs: Any, item: dict[str, Any]) -> None:
    line.says(reply({"Attributes": item}))
    asked = {"TableName": "t", "Item": item, "ReturnValues": "ALL_OLD"}

    mine = ours.ask("PutItem", asked)
    other = theirs._make_api_call("PutItem", asked)

    assert mine == {"Attributes": item}
    assert mine["Attributes"] == other["Attributes"]
    (my_heads, my_body), (other_heads, other_body) = line.asked
    assert my_body == other_body == asked
    for name in ("x-amz-target", "content-type", "host", "accept-encoding"):
        assert my_heads[name] == other_heads[name]


@given(
    body=st.binary(max_size=200),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
    token=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
    service=st.sampled_from(["dynamodb", "secretsmanager", "states"]),
    region=st.sampled_from(["us-east-1", "eu-central-1"]),
)
def test_signs_as_botocore_does(body: bytes, secret: str, token: str | None, service: str, region: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKID")
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        if token is not None:
            patch.setenv("AWS_SESSION_TOKEN", token)
        host = f"{service}.{region}.amazonaws.com"
        plain = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "A.B"}
        mine = sigv4.signed(plain, body, service=service, region=region, host=host)

        moment = dt.datetime.strptime(mine["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        request = AWSRequest("POST", f"https://{host}/", headers={**plain, "host": host}, data=body)
        patch.setattr("botocore.auth.get_current_datetime", lambda: moment.replace(tzinfo=None))
        SigV4Auth(Credentials("AKID", secret, token), service, region).add_auth(request)

    assert mine["authorization"] == request.headers["Authorization"]
    assert mine.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_new_keys_in_the_environment_are_used_at_once(
    line: Double, ours: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.says(reply({}))
    for key in ("AKFIRST", "AKSECOND"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        ours.ask("GetItem", {})

    (first, _), (second, _) = line.asked
    assert "Credential=AKFIRST/" in first["authorization"]
    assert "Credential=AKSECOND/" in second["authorization"]


@pytest.mark.parametrize(
    "code", ["ConditionalCheckFailedException", "ValidationException", "ResourceNotFoundException", "AccessDenied"]
)
def test_a_refusal_has_botocores_code_and_is_asked_once(line: Double, ours: Service, theirs: Any, code: str) -> None:
    line.says(refusal(code))
    with pytest.raises(Refused, match=f"PutItem: {code}: no") as mine:
        ours.ask("PutItem", {})
    assert len(line.asked) == 1
    with pytest.raises(ClientError) as other:
        theirs._make_api_call("PutItem", {})
    assert mine.value.code == other.value.response["Error"]["Code"] == code


def test_a_cancelled_transaction_says_what_each_part_did(line: Double, ours: Service, theirs: Any) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "m"}, {"Code": "TransactionConflict"}]
    line.says(refusal("TransactionCanceledException", CancellationReasons=reasons))
    with pytest.raises(Refused) as mine:
        ours.ask("TransactWriteItems", {})
    with pytest.raises(ClientError) as other:
        theirs._make_api_call("TransactWriteItems", {})
    assert mine.value.code == other.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert list(mine.value.reasons) == [reason["Code"] for reason in other.value.response["CancellationReasons"]]


BROKEN = {
    "hung up": hang_up,
    "the service failed": refusal("InternalServerError", 500),
    "a proxy failed": reply(b"<html>", 502),
    "unavailable": refusal("ServiceUnavailable", 503),
    "damaged": reply({"Item": {}}, x_amz_crc32="1"),
    "of a garbled checksum": reply({"Item": {}}, x_amz_crc32="12a4"),
    "of an empty checksum": reply({"Item": {}}, x_amz_crc32=""),
    "an earlier attempt is under way": refusal("TransactionInProgressException"),
    "cut": reply(b'{"Item": ', content_length="9"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_no_answer_is_asked_for_again_with_the_same_words(
    line: Double, ours: Service, naps: list[float], what: str
) -> None:
    line.says(BROKEN[what], BROKEN[what], reply({"Item": {"a": {"S": "b"}}}))
    assert ours.ask("GetItem", {"TableName": "t"}) == {"Item": {"a": {"S": "b"}}}
    assert [body for _, body in line.asked] == [{"TableName": "t"}] * 3
    assert len(naps) == 2
    longest = aws_json.THROTTLED_PAUSE_SECONDS if "under way" in what else aws_json.PAUSE_SECONDS
    assert all(0 <= nap <= longest * (n + 1) for n, nap in enumerate(naps))

    line.says(BROKEN[what])
    with pytest.raises(NoAnswer, match="GetItem"):
        ours.ask("GetItem", {"TableName": "t"})
    assert len(line.asked) == aws_json.ATTEMPTS


def test_nobody_there_is_no_answer(monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    with Double() as gone:
        url = gone.url
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(NoAnswer, match="NewConnectionError"):
        Service("dynamodb", TARGET).ask("GetItem", {})
    assert len(naps) == aws_json.ATTEMPTS - 1


def test_slow_is_no_answer(line: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_json, "READ_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setenv("AWS_ENDPOINT_URL", line.url)
    ends = threading.Event()
    line.says(lambda _: bool(ends.wait(5)))  # type: ignore[arg-type, return-value]
    try:
        with pytest.raises(NoAnswer, match="ReadTimeoutError"):
            Service("dynamodb", TARGET).ask("GetItem", {})
    finally:
        ends.set()
    assert len(line.asked) == aws_json.ATTEMPTS


@pytest.mark.parametrize("code", sorted(aws_json.THROTTLED))
def test_whoever_is_too_fast_waits_and_asks_again(line: Double, ours: Service, naps: list[float], code: str) -> None:
    line.says(refusal(code), reply({"Item": {}}))
    assert ours.ask("GetItem", {}) == {"Item": {}}
    assert len(naps) == 1

    line.says(refusal(code))
    with pytest.raises(Refused, match=code):
        ours.ask("GetItem", {})
    assert len(line.asked) == aws_json.ATTEMPTS


@pytest.mark.parametrize("reasons", [["None", "ThrottlingError"], ["ProvisionedThroughputExceeded", "ThrottlingError"]])
def test_a_transaction_that_found_no_room_is_sent_again(
    line: Double, ours: Service, naps: list[float], reasons: list[str]
) -> None:
    cancelled = refusal("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in reasons])
    line.says(cancelled, reply({}))
    assert ours.ask("TransactWriteItems", {"ClientRequestToken": "t"}) == {}
    assert [body for _, body in line.asked] == [{"ClientRequestToken": "t"}] * 2
    assert len(naps) == 1

    line.says(cancelled)
    with pytest.raises(Refused, match="TransactionCanceledException"):
        ours.ask("TransactWriteItems", {})
    assert len(line.asked) == aws_json.ATTEMPTS


@pytest.mark.parametrize(
    "reasons", [["ThrottlingError", "ConditionalCheckFailed"], ["TransactionConflict"], ["None"], ["ValidationError"]]
)
def test_a_transaction_that_is_cancelled_for_anything_else_is_not(
    line: Double, ours: Service, reasons: list[str]
) -> None:
    line.says(refusal("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in reasons]))
    with pytest.raises(Refused) as refused:
        ours.ask("TransactWriteItems", {})
    assert refused.value.reasons == tuple(reasons)
    assert len(line.asked) == 1


def test_a_refusal_brings_the_row_that_a_condition_did_not_hold_for(line: Double, ours: Service) -> None:
    line.says(refusal("ConditionalCheckFailedException", Item={"a": {"S": "b"}}))
    with pytest.raises(Refused) as refused:
        ours.ask("PutItem", {})
    assert refused.value.item == {"a": {"S": "b"}}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (refusal("ThrottlingException"), "ThrottlingException"),
        (refusal("InternalServerError", 500), "GetItem: 500 InternalServerError"),
        (hang_up, "GetItem: ProtocolError"),
    ],
)
def test_the_log_says_why_it_is_asked_again(line: Double, ours: Service, said: Reply, reason: str) -> None:
    line.says(said, reply({}))
    with everything_logged() as lines:
        ours.ask("GetItem", {})
    (told,) = [one for one in lines if "asking again" in one]
    assert f"'operation': 'GetItem', 'attempt': 1, 'reason': {reason!r}" in told


def test_asks_the_region_where_the_environment_names_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Service("dynamodb", TARGET).url == "https://dynamodb.eu-west-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert Service("dynamodb", TARGET).url == "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2")
    assert Service("dynamodb", TARGET).url == "http://127.0.0.1:2"


def test_what_is_no_json_never_leaves(line: Double, ours: Service) -> None:
    line.says(reply({}))
    for wrong in (float("inf"), b""):
        with pytest.raises((ValueError, TypeError)):
            ours.ask("GetItem", {"x": wrong})
    assert line.asked == []
