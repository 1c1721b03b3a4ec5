"""Bad input, tried on every route of the document: the 4xx of api.md, nothing told that is ours to know, nothing
written. Bodies come from the schemas, so a new route is covered by itself."""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pytest

from local.demo import milestones
from local.demo.stories import Cast, Trade
from local.stack import Stack
from local.trader import REDIRECT, Trader
from tests.flows import badness
from tests.flows.badness import OPERATIONS, Operation
from tests.flows.theatre import Theatre

PROBLEM = "application/problem+json"
OURS = re.compile(
    r"traceback|\bfile \\?\"|\.py\b|bloxtr8[._/]|/var/task|/opt/|pydantic|botocore|boto3|pynamodb|powertools|moto\b"
    r"|dynamodb|\bPK\b|\bSK\b|GSI\d|\w+Error\b|\w+Exception\b|line \d+ column|<class|object at 0x",
    re.IGNORECASE,
)  # fmt: skip
WITH_BODY = [one for one in OPERATIONS if one.body]
WITH_IDS = [one for one in OPERATIONS if one.names("path")]
LISTS = [one for one in OPERATIONS if "cursor" in one.names("query")]
LIMIT = 256 * 1024
KINDS = {
    kind: kind
    for kind in (
        "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "json",
        "application/jsonx", ";", "application/problem+json", "text/json", "*/*", "é",
    )
}  # fmt: skip
KEYS = {key[:8]: key for key in ("", "x" * 256, "a\x7f", "a\tb", "a\x01b", "\x85", "\xa0", "é" * 300)}
TAGS = {
    tag[:8]: tag
    for tag in ("3", '"x"', 'W/"3"', '"3", "4"', '""', '"-1"', '"1.0"', '"\xb2"', f'"{10**12}"', "x" * 5_000, "'3'")
}
QUERY = {"redirectUri": REDIRECT, "challenge": "a" * 43, "entity": ""}
KEY = {"Idempotency-Key": "bad-input"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    kind: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def wrong(self) -> set[str]:
        """The fields it complains about."""
        return {error["field"] for error in self.body.get("errors", [])}


@dataclass
class Scene:
    """A platform with two trades in dispute, somebody of staff, and what the table held before."""

    theatre: Theatre
    staff: Trader
    ids: dict[str, str]
    before: tuple[list[dict[str, Any]], int] | None = None

    def who(self, operation: Operation) -> Trader:
        """Somebody who may knock there."""
        of_staff = operation.path.startswith(("/staff", "/audit", "/disputes", "/reconciliation"))
        return self.staff if of_staff else self.theatre.cast.buyer

    def ask(
        self,
        operation: Operation,
        body: bytes | str | None = None,
        *,
        method: str | None = None,
        ids: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
        kind: str | None = "application/json",
        headers: dict[str, str] | None = None,
        who: Trader | None = None,
    ) -> Answer:
        """One request, sent as it is. Without `ids` the path names the trade's own."""
        api = self.theatre.cast.world.api
        heads = dict(KEY) if headers is None else dict(headers)
        if kind is not None and body is not None:
            heads["Content-Type"] = kind
        if operation.shape.get("security") != []:
            heads["Authorization"] = f"Bearer {(who or self.who(operation)).tokens['accessToken']}"
        path = operation.path.format_map(self.ids | (ids or {}))
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        reply = api.pool.request(
            method or operation.method, f"{api.base}{path}{asked}", body=body, headers=heads, redirect=False
        )
        return Answer(reply.status, reply.data.decode(), reply.headers.get("Content-Type", ""))

    def body(self, operation: Operation) -> str | None:
        """A body that is good in form."""
        return json.dumps(badness.good(operation.body)) if operation.body else None

    def written(self) -> tuple[list[dict[str, Any]], int]:
        """Everything a refusal must not change: our table, and what Stripe was asked to do."""
        asked = [one for one in self.theatre.stack.stripe.requests if one.method == "POST"]
        return self.theatre.rows(), len(asked)


@pytest.fixture(scope="module")
def scene(stack: Stack, cast: Cast) -> Scene:
    """Two trades, both paid and in dispute."""
    trades = [Theatre(stack, cast, Trade(f"Group {number}"), str(number)) for number in (60_001, 60_002)]
    for one in trades:
        one.agree(milestones.PARTS)
        one.fund()
    theatre = trades[0]
    claim = {"title": "Nothing came", "description": "x", "reasonCode": "NOT_DELIVERED"}
    disputes = [cast.buyer.post(f"{one.path}/disputes", claim)["id"] for one in trades]
    parts = {"sellerAmount": 1, "buyerAmount": 22_999, "reason": "x"}
    proposal = cast.seller.post(f"{theatre.path}/settlements", parts)["id"]
    for number in (60_003, 60_004):
        cast.world.group(str(number), cast.seller.roblox_id)
        more = {"title": "For sale", "summary": "x", "price": 5_000, "category": "x", "assetType": "GROUP"}
        cast.seller.post("/listings", more | {"assetId": str(number)})
    staff = Trader(cast.world, "olga", "830001", "930001")
    staff.sign_in()
    for role in ("COMPLIANCE", "PADMIN", "ARBITER"):
        stack.invoker.ask("grant_staff_role", {"userId": staff.user_id, "role": role})
    stack.clock.advance(minutes=2)
    cast.seller.post(f"/listings/{theatre.trade.listing_id}/snapshots")
    contract = cast.buyer.get(f"/contracts/{theatre.trade.contract_id}")
    stack.wait_quiet()
    paid = cast.buyer.get(theatre.path)
    ids = {
        "listing_id": theatre.trade.listing_id,
        "offer_id": contract["offerId"],
        "contract_id": contract["id"],
        "escrow_id": theatre.trade.escrow_id,
        "delivery_id": paid["deliveries"][0]["id"],
        "milestone_id": paid["milestones"][0]["id"],
        "dispute_id": disputes[0],
        "proposal_id": proposal,
        "manual_payment_id": "mpy_01K6ZZ8Q3V7M2N4P5R6S7T8V9W",  # none: nothing was refused
        "user_id": cast.seller.user_id,
        "date": "2001-01-01",
    }
    return Scene(theatre, staff, ids)


@pytest.fixture
def unchanged(scene: Scene) -> Iterator[None]:
    """Whatever is tried, nothing is written and nothing is asked of Stripe."""
    scene.before = scene.before or scene.written()
    yield
    before, scene.before = scene.before, scene.written()
    assert scene.before == before, "a refusal wrote something"


def refused(answer: Answer, *statuses: int, name: object = "") -> Answer:
    """A problem of api.md: its status, its form, and nothing of ours in it."""
    assert answer.status in statuses, (name, answer)
    assert answer.kind == PROBLEM, (name, answer)
    problem = answer.body
    assert problem["status"] == answer.status, name
    assert re.fullmatch(r"[A-Z][A-Z_]+", problem["code"]), (name, answer)
    assert {"type", "title", "detail", "correlationId"} <= set(problem), (name, answer)
    told = json.dumps([problem["detail"], [error["message"] for error in problem.get("errors", [])]])
    assert not OURS.search(told), (name, told[:500])
    return answer


def some(cases: dict[str, Any], about: str) -> list[tuple[str, Any]]:
    """Every third case, others elsewhere: all are tried somewhere."""
    return list(cases.items())[zlib.crc32(about.encode()) % 3 :: 3]


def all_of(cases: dict[str, Any], _: str) -> list[tuple[str, Any]]:
    return list(cases.items())


def each(operations: list[Operation]) -> Any:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.action)


type Pick = Callable[[dict[str, Any], str], list[tuple[str, Any]]]
picked = pytest.mark.parametrize("pick", [some, pytest.param(all_of, marks=pytest.mark.slow)])
pytestmark = pytest.mark.usefixtures("unchanged")


@each(WITH_BODY)
def test_takes_what_the_schema_says_and_nothing_besides(scene: Scene, operation: Operation) -> None:
    body = badness.good(operation.body)
    places = [(place, text) for place, field, _ in badness.fields(operation.body) for text in badness.fair_texts(field)]
    places += [(place, "null") for place, field, _ in badness.fields(operation.body) if field.get("nullable")]
    for place, text in [((), ""), *places]:
        value = badness.spoiled(body, place, text) if place else json.dumps(body)
        answer = refused(scene.ask(operation, f'{value[:-1]}, "unknown": 1}}'), 400, name=(place, text))
        assert answer.wrong == {"body.unknown"}, (place, text)


@picked
@each(WITH_BODY)
def test_refuses_each_field_that_is_wrong(scene: Scene, operation: Operation, pick: Pick) -> None:
    body = badness.good(operation.body)
    for place, schema, optional in badness.fields(operation.body):
        at = ".".join(map(str, ("body", *place)))
        if not optional:
            left_out = refused(scene.ask(operation, badness.without(body, place)), 400, name=place)
            assert left_out.body["code"] == "VALIDATION_ERROR"
        for name, text in pick(badness.bad_values(schema), at + operation.action):
            answer = refused(scene.ask(operation, badness.spoiled(body, place, text)), 400, name=(place, name))
            assert answer.body["code"] == "VALIDATION_ERROR", (place, name)
            told = {"body.0"} if name in badness.UNREADABLE else {at}
            assert {field for field in answer.wrong if field.startswith(tuple(told))} == answer.wrong, (place, name)


@picked
@each(WITH_BODY)
def test_takes_one_json_object(scene: Scene, operation: Operation, pick: Pick) -> None:
    bodies = badness.bad_bodies(badness.good(operation.body))
    if operation.needs_body:
        bodies |= {"null": b"null"}
    else:
        bodies = {name: body for name, body in bodies.items() if body}
    for name, body in pick(bodies, operation.action):
        assert refused(scene.ask(operation, body), 400, name=name).body["code"] == "VALIDATION_ERROR"


@picked
@each(WITH_BODY)
def test_takes_json_of_256_kib(scene: Scene, operation: Operation, pick: Pick) -> None:
    body = json.dumps(badness.good(operation.body))
    spoiled = f'{body[:-1]}, "unknown": 1}}'
    refused(scene.ask(operation, body.ljust(LIMIT + 1)), 413)
    refused(scene.ask(operation, spoiled.ljust(LIMIT)), 400)
    for name, kind in pick(KINDS, operation.action):
        refused(scene.ask(operation, body, kind=kind), 415, name=name)
    for kind in (None, "", "application/json; charset=utf-8"):
        assert refused(scene.ask(operation, spoiled, kind=kind), 400, name=kind).wrong == {"body.unknown"}


def test_the_gateway_takes_no_flood(scene: Scene) -> None:
    refused(scene.ask(WITH_BODY[0], b" " * 10_000_001), 413)


REPEATABLE = {"unlink_wallet"}  # there is none, and so it stays


@each([one for one in OPERATIONS if not (one.body or one.is_read)])
def test_reads_no_body_where_none_is_due(scene: Scene, operation: Operation) -> None:
    ids = {name: f"{real[:4]}01K6ZZ8Q3V7M2N4P5R6S7T8V9W" for name, real in scene.ids.items()}
    for body in ("{", "[1]", "\0", b"\xff", "[" * 50_000):
        answer = scene.ask(operation, body, ids=ids)
        if operation.action in REPEATABLE:
            assert (answer.status, answer.text) == (204, ""), (body[:5], answer)
        else:  # 401: a signature over the raw body, which is wrong
            refused(answer, 400, 401, 404, 409, name=body[:5])
    refused(scene.ask(operation, " " * (LIMIT + 1), ids=ids), 413)


@picked
@each(WITH_IDS)
def test_finds_nothing_under_a_wrong_id(scene: Scene, operation: Operation, pick: Pick) -> None:
    for parameter in operation.names("path"):
        for name, wrong in pick(badness.bad_ids(scene.ids[parameter]), operation.action + parameter):
            answer = scene.ask(operation, scene.body(operation), ids={parameter: wrong})
            broken = "line break" in name  # which SAM CLI's gateway finds in no policy
            refused(answer, *([401, 404] if broken else [404]), name=(parameter, name))


@each([one for one in OPERATIONS if one.names("query")])
def test_refuses_each_parameter_that_is_wrong(scene: Scene, operation: Operation) -> None:
    good = {name: value for name, value in QUERY.items() if name in operation.names("query")}
    if "entity" in good:
        good["entity"] = scene.ids["escrow_id"]
    for name in operation.names("query"):
        parameter = operation.parameter(name)
        if parameter["required"]:
            refused(scene.ask(operation, query=good | {name: []}), 400, name=name)
        for value in badness.bad_queries(parameter["schema"]):
            answer = refused(scene.ask(operation, query=good | {name: value}), 400, name=(name, value))
            assert answer.wrong == {f"query.{name}"}, value
        refused(scene.ask(operation, query=good | {name: [value, value]}), 400, name=(name, value))
        if "maxLength" in badness.plain(parameter["schema"]) and operation.action != "start_discord_login":
            for text in ("a\0b", "\ud800".encode(errors="surrogatepass"), badness.FREE_TEXT, "x" * 64, "%", ""):
                answer = scene.ask(operation, query=good | {name: text})
                assert answer.status == 200 or refused(answer, 400, 404, 422, name=(name, text))


@each(LISTS)
def test_overlooks_an_unknown_parameter(scene: Scene, operation: Operation) -> None:
    query = {"entity": scene.ids["escrow_id"]} if operation.action == "list_audit" else {}
    answer = scene.ask(operation, query=query)
    assert answer.status == 200
    assert scene.ask(operation, query=query | {"unknown": "1", "limit[]": "99", "__proto__": "x"}) == answer


def test_a_cursor_goes_on_where_it_was_made_and_nowhere_else(scene: Scene) -> None:
    people = [scene.theatre.cast.buyer, scene.theatre.cast.seller, scene.staff]
    entity = {"entity": scene.ids["escrow_id"]}
    for operation in LISTS:
        who, cursor = first_cursor(scene, operation, people, entity)
        tries = [(other, scene.who(other)) for other in LISTS if other != operation]
        if not operation.shape.get("security"):  # a list of one's own
            tries += [(operation, other) for other in people if other is not who]
        for other, reader in tries:
            answer = scene.ask(other, query=entity | {"cursor": cursor}, who=reader)
            if answer.status != 403 or not other.path.startswith(("/audit", "/disputes")):
                assert refused(answer, 400, name=(operation, other)).body["code"] == "BAD_CURSOR"
        for wrong in (cursor[:-4], cursor[1:], f"{cursor}A", cursor.swapcase(), f"{cursor[:-8]}AAAAAAAA"):
            answer = refused(scene.ask(operation, query=entity | {"cursor": wrong}, who=who), 400, name=operation)
            assert answer.body["code"] == "BAD_CURSOR"


def first_cursor(scene: Scene, operation: Operation, people: list[Trader], query: dict[str, str]) -> tuple[Trader, str]:
    """Somebody for whom the list goes on, and where."""
    for who in people:
        page = scene.ask(operation, query=query | {"limit": 1}, who=who)
        if page.status == 200 and "nextCursor" in page.body:
            return who, page.body["nextCursor"]
    raise AssertionError(f"{operation.action} has too few rows in this scene")


@picked
@each([one for one in OPERATIONS if "Idempotency-Key" in one.names("header")])
def test_refuses_a_wrong_idempotency_key(scene: Scene, operation: Operation, pick: Pick) -> None:
    body = scene.body(operation)
    for _, key in pick(KEYS, operation.action):
        answer = refused(scene.ask(operation, body, headers={"Idempotency-Key": key}), 400, name=key)
        assert answer.body["code"] == "VALIDATION_ERROR", key
    if operation.parameter("Idempotency-Key")["required"]:
        assert refused(scene.ask(operation, body, headers={}), 400).body["code"] == "IDEMPOTENCY_KEY_REQUIRED"


@picked
@each([one for one in OPERATIONS if "If-Match" in one.names("header")])
def test_refuses_a_wrong_version(scene: Scene, operation: Operation, pick: Pick) -> None:
    body = scene.body(operation)
    for _, tag in pick(TAGS, operation.action):
        answer = refused(scene.ask(operation, body, headers=KEY | {"If-Match": tag}), 400, name=tag)
        assert answer.body["code"] == "VALIDATION_ERROR", tag
    stale = KEY | {"If-Match": '"999999"'}
    for who in (scene.theatre.cast.buyer, scene.theatre.cast.seller, scene.staff):
        refused(scene.ask(operation, body, headers=stale, who=who), 401, 403, 404, 409, 412, name=who.name)


@pytest.mark.parametrize("path", sorted({one.path for one in OPERATIONS}))
def test_knows_no_other_method(scene: Scene, path: str) -> None:
    there = [one for one in OPERATIONS if one.path == path]
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - {one.method for one in there}:
        closed = replace(there[0], shape=there[0].shape | {"security": [{"bearer": []}]})
        answer = scene.ask(closed, None if method in {"GET", "HEAD"} else "{}", method=method)
        if method == "HEAD":
            assert answer.status == 404, method
        else:
            assert refused(answer, 404, name=method).body["code"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/ME", "/%00", "/me%00", "/me//", "/staff", "/..%2fme", "/é"])
def test_knows_no_other_path(scene: Scene, path: str) -> None:
    closed = replace(OPERATIONS[0], path=path)
    assert refused(scene.ask(closed, method="GET"), 404).body["code"] == "NOT_FOUND"


def test_the_first_day_there_is_has_no_day_before(scene: Scene) -> None:
    (operation,) = [one for one in OPERATIONS if one.action == "list_audit"]
    assert scene.ask(operation, query={"from": "0001-01-01", "to": "0001-01-01"}).body == {"items": []}
    last = {"from": "9999-12-31", "to": "9999-12-31"}
    assert scene.ask(operation, query=last).body == {"items": []}
