"""What surrounds every function's own lines: requests read strictly, refusals as problems, lost races run again."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bloxtr8 import errors, lambdas, table
from bloxtr8.actors import Actor
from bloxtr8.entities import User
from bloxtr8.errors import DomainError, StaleWrite, Unprocessable
from bloxtr8.lambdas import CurrentActor, HttpApp, KeyedActor, MaybeActor, PublicActor, entrypoint, http_app
from bloxtr8.shapes import Body, Cents, Title, View
from tests import factories
from tests.emulator import Answer, Clock, Platform

REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)]
REFUSALS.remove(DomainError)


class Note(Body):
    title: Title
    amount_cents: Cents


class NoteView(View):
    text: str
    times: int
    next_one: str | None = None


class Desk:
    """An app of one route that notes what it was asked; `act` is what the handler does first."""

    def __init__(self, aws: Platform) -> None:
        self.aws = aws
        self.app: HttpApp = http_app()
        self.actors: list[Actor | None] = []
        self.act: Callable[[], Any] = lambda: None
        self.handler = entrypoint(self.app)

        @self.app.post("/notes/<note_id>", status_code=201)
        def note(note_id: str, body: Note, actor: CurrentActor) -> NoteView:
            return self._note(note_id, actor, body.title)

        @self.app.post("/keyed/<note_id>")
        def keyed(note_id: str, actor: KeyedActor) -> NoteView:
            return self._note(note_id, actor, note_id)

        @self.app.get("/seen/<note_id>")
        def seen(note_id: str, actor: MaybeActor) -> NoteView:
            return self._note(note_id, actor, note_id)

        @self.app.post("/visits/<note_id>")
        def visit(note_id: str, actor: PublicActor) -> NoteView:
            return self._note(note_id, actor, note_id)

        @self.app.delete("/notes/<note_id>", status_code=204)
        def drop(note_id: str, actor: CurrentActor) -> None:
            self._note(note_id, actor, note_id)

    def _note(self, note_id: str, actor: Actor | None, text: str) -> NoteView:
        self.actors.append(actor)
        self.act()
        view = NoteView(text=text, times=len(self.actors))
        if actor is None or actor.idempotency is None:
            return view
        user = table.get(User, id=actor.id)
        return table.commit(user, action="note", actor=actor, answer=lambda: view)

    def ask(
        self,
        path: str = "/notes/n1",
        body: Any = None,
        *,
        raw: str | None = None,
        user: User | None = None,
        method: str = "POST",
        coded: bool = False,
        **headers: str | None,
    ) -> Answer:
        """Ask as the gateway does. A header's `_` is `-`; None leaves it out."""
        heads = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        text = raw if raw is not None else (None if body is None else json.dumps(body))
        claims = {"authorizer": {"userId": user.id, "sessionId": "ses_1"}} if user else {}
        identity = {"sourceIp": "203.0.113.7", "userAgent": "pytest"}
        answer = self.handler(
            {
                "path": path,
                "httpMethod": method,
                "headers": {name: value for name, value in heads.items() if value is not None},
                "requestContext": {"requestId": "req-7", "identity": identity, **claims},
                "body": text,
                "isBase64Encoded": coded,
            },
            self.aws.context,
        )
        told = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None, told)


@pytest.fixture
def desk(aws: Platform) -> Desk:
    return Desk(aws)


@pytest.fixture
def user(aws: Platform) -> User:
    return factories.user()


GOOD = {"title": "A note", "amountCents": 5}


# --- refusals


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_is_a_problem(desk: Desk, user: User, kind: Any) -> None:
    more = {"retry_after": 30} if kind is errors.RateLimited else {}

    def refuse() -> None:
        raise kind("No, because.", **more)

    desk.act = refuse
    answer = desk.ask(body=GOOD, user=user)

    assert (answer.status, answer.headers["Content-Type"]) == (kind.status, "application/problem+json")
    slug = kind.code.lower().replace("_", "-")
    assert answer.body == {
        "type": f"https://bloxtr8.com/problems/{slug}",
        "title": answer.body["title"],
        "status": kind.status,
        "detail": "No, because.",
        "code": kind.code,
        "correlationId": "req-7",
    }
    assert answer.body["title"].lower() == kind.code.replace("_", " ").lower()
    assert answer.headers.get("Retry-After") == ("30" if more else None)


def test_a_refusal_may_name_its_own_code_and_what_the_caller_may_know(desk: Desk, user: User) -> None:
    def refuse() -> None:
        raise errors.Conflict("There is one.", "OPEN_OFFER_EXISTS", offerId="off_1")

    desk.act = refuse
    body = desk.ask(body=GOOD, user=user).body
    assert (body["status"], body["code"], body["offerId"]) == (409, "OPEN_OFFER_EXISTS", "off_1")


def test_an_error_of_ours_stays_one_and_tells_the_caller_nothing(desk: Desk, user: User) -> None:
    def fail() -> None:
        raise ZeroDivisionError("the secret is 42")

    desk.act = fail
    with pytest.raises(ZeroDivisionError):  # the gateway's DEFAULT_5XX is what the caller sees
        desk.ask(body=GOOD, user=user)


@pytest.mark.parametrize("path", ["/nowhere", "/notes/n1\n", "/notes/n1\0", "/notes/n\u0131"])
def test_an_unknown_route_is_404(desk: Desk, path: str) -> None:
    answer = desk.ask(path)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_an_answer_without_content_has_no_body(desk: Desk, user: User) -> None:
    answer = desk.ask(user=user, method="DELETE")
    assert (answer.status, answer.body) == (204, None)


# --- bodies


def padded(size: int) -> str:
    """A good body of exactly so many bytes."""
    text = json.dumps(GOOD)
    return text + " " * (size - len(text))


LIMIT = lambdas.BODY_LIMIT_BYTES
NOTE = json.dumps({"title": "€" * 255, "amountCents": 5}, ensure_ascii=False)


@pytest.mark.parametrize("coded", [False, True], ids=["text", "base64"])
def test_a_body_may_have_256_kib(desk: Desk, user: User, coded: bool) -> None:
    def text(size: int) -> str:
        return base64.b64encode(padded(size).encode()).decode() if coded else padded(size)

    assert desk.ask(raw=text(LIMIT), user=user, coded=coded).status == 201
    answer = desk.ask(raw=text(LIMIT + 1), user=user, coded=coded)
    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")
    assert answer.body["correlationId"] == "req-7"


def test_the_limit_counts_bytes_not_characters(desk: Desk, user: User) -> None:
    assert desk.ask(raw=NOTE + " " * 100_000, user=user).status == 201
    assert desk.ask(raw='{"title": "' + "€" * 100_000 + '"}', user=user).status == 413


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", None])
def test_json_is_taken(desk: Desk, user: User, kind: str | None) -> None:
    assert desk.ask(body=GOOD, user=user, Content_Type=kind).status == 201


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "json",
    ],
)
def test_anything_but_json_is_415(desk: Desk, user: User, kind: str) -> None:
    for raw in (json.dumps(GOOD), "title=A&amountCents=5"):
        answer = desk.ask(raw=raw, user=user, Content_Type=kind)
        assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert desk.actors == []


JUNK = {
    "no JSON": "{",
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "a list of a good one": json.dumps([GOOD]),
    "a field twice": '{"title": "A", "title": "B", "amountCents": 5}',
    "NaN in it": '{"title": "A", "amountCents": NaN}',
    "a text": '"x"',
    "a number": "7",
    "NaN": "NaN",
    "a number without end": '{"title": "A", "amountCents": ' + "9" * 5_000 + "}",
    "depth": "[" * 100_000,
    "deep objects": '{"a":' * 50_000,
    "some depth": '{"title": "A", "amountCents": ' + "[" * 900 + "]" * 900 + "}",
    "an unknown field": json.dumps(GOOD | {"admin": True}),
    "snake_case": json.dumps({"title": "A", "amount_cents": 5}),
    "a missing field": json.dumps({"title": "A"}),
    "a float": '{"title": "A", "amountCents": 5.0}',
    "a float that is none": '{"title": "A", "amountCents": 5e0}',
    "a text for a number": '{"title": "A", "amountCents": "5"}',
    "true for a number": '{"title": "A", "amountCents": true}',
    "zero": '{"title": "A", "amountCents": 0}',
    "negative": '{"title": "A", "amountCents": -1}',
    "huge": '{"title": "A", "amountCents": 1000000001}',
    "NUL": '{"title": "A\\u0000B", "amountCents": 5}',
    "a bell": '{"title": "A\\u0007", "amountCents": 5}',
    "half a pair": '{"title": "A\\ud800", "amountCents": 5}',
    "half a pair for a name": '{"title": "A", "amountCents": 5, "\\ud800": 1}',
    "10,000 characters": json.dumps(GOOD | {"title": "A" * 10_000}),
    "spaces": json.dumps(GOOD | {"title": " \t "}),
    "a lone surrogate in the text": '{"title": "\ud800"}',
}


@pytest.mark.parametrize("raw", JUNK.values(), ids=JUNK)
def test_junk_is_400_and_reaches_no_handler(desk: Desk, user: User, raw: str) -> None:
    answer = desk.ask(raw=raw, user=user, Idempotency_Key="k")

    assert (answer.status, answer.code, answer.headers["Content-Type"]) == (
        400,
        "VALIDATION_ERROR",
        "application/problem+json",
    )
    assert desk.actors == []


def test_bytes_that_are_no_text_are_400(desk: Desk, user: User) -> None:
    for raw in (base64.b64encode(b"\xff\xfe").decode(), "no base64!"):
        answer = desk.ask(raw=raw, user=user, coded=True)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


def test_the_refusal_names_the_fields(desk: Desk, user: User) -> None:
    body = desk.ask(body={"title": 7, "amountCents": 1.5, "more": 1}, user=user).body
    assert sorted(item["field"] for item in body["errors"]) == ["body.amountCents", "body.more", "body.title"]
    assert all(set(item) == {"field", "message"} for item in body["errors"])


def test_unicode_is_kept(desk: Desk, user: User) -> None:
    for title in ("שלום עולם", "🏴‍☠️ Zoë", "e\u0301", "\u202eabc"):
        assert desk.ask(body=GOOD | {"title": title}, user=user).body["text"] == title


# --- who, and which version


def test_without_the_authorizers_word_nobody_is_somebody(desk: Desk) -> None:
    answer = desk.ask(body=GOOD)
    assert (answer.status, answer.code, desk.actors) == (401, "UNAUTHENTICATED", [])


def test_the_actor_is_who_the_authorizer_says_and_leaves_hashes_alone(desk: Desk, user: User) -> None:
    desk.ask(body=GOOD, user=user)
    (actor,) = desk.actors
    assert actor is not None
    assert (actor.id, actor.session_id, actor.is_system) == (user.id, "ses_1", False)
    assert [len(text or "") for text in (actor.address_hash, actor.agent_hash)] == [64, 64]
    assert "203.0.113.7" not in repr(actor)


def test_a_public_route_may_show_more_to_who_signed_in(desk: Desk, user: User) -> None:
    token = factories.session(user)[1].access_token
    assert desk.ask("/seen/1", method="GET").status == 200
    assert desk.ask("/seen/1", method="GET", Authorization=f"Bearer {token}").status == 200
    assert [actor and actor.id for actor in desk.actors] == [None, user.id]
    for wrong in (f"Bearer {token}x", "Bearer", token, ""):
        assert desk.ask("/seen/1", method="GET", Authorization=wrong).status == 401


def test_a_visitor_has_no_key(desk: Desk) -> None:
    assert desk.ask("/visits/1", Idempotency_Key="k").status == 200
    (actor,) = desk.actors
    assert actor is not None
    assert (actor.id, actor.idempotency) == ("nobody", None)


@pytest.mark.parametrize(("text", "version"), [('"3"', 3), ('"0"', 0), ("*", None), (None, None)])
def test_if_match_names_a_version(desk: Desk, user: User, text: str | None, version: int | None) -> None:
    assert desk.ask(body=GOOD, user=user, If_Match=text).status == 201
    (actor,) = desk.actors
    assert actor is not None
    assert actor.if_match == version


@pytest.mark.parametrize("text", ["3", 'W/"3"', '"a"', '"1", "2"', '""', '"-1"', '"٣x"', f'"{"9" * 13}"', "", " "])
def test_if_match_of_another_form_is_400(desk: Desk, user: User, text: str) -> None:
    answer = desk.ask(body=GOOD, user=user, If_Match=text)
    assert (answer.status, answer.code, desk.actors) == (400, "VALIDATION_ERROR", [])


# --- idempotency keys


def test_a_key_is_required_where_money_starts(desk: Desk, user: User) -> None:
    answer = desk.ask("/keyed/1", user=user)
    assert (answer.status, answer.code, desk.actors) == (400, "IDEMPOTENCY_KEY_REQUIRED", [])
    assert desk.ask("/keyed/1", user=user, Idempotency_Key="k").status == 200


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "a\x00b", "\u200f"])
def test_a_key_has_1_to_255_printable_characters(desk: Desk, user: User, key: str) -> None:
    answer = desk.ask(body=GOOD, user=user, Idempotency_Key=key)
    assert (answer.status, answer.code, desk.actors) == (400, "VALIDATION_ERROR", [])


def test_the_same_request_gets_the_same_answer_and_runs_once(desk: Desk, user: User) -> None:
    first = desk.ask(body=GOOD, user=user, Idempotency_Key="k" * 255)
    before = desk.aws.rows()
    other_bytes = '{ "amountCents":5,\n "title":"A note" }'

    for again in (
        desk.ask(body=GOOD, user=user, Idempotency_Key="k" * 255),
        desk.ask(raw=other_bytes, user=user, Idempotency_Key="k" * 255),
    ):
        assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
        assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert desk.aws.rows() == before


def test_anything_else_under_the_key_is_refused(desk: Desk, user: User) -> None:
    desk.ask(body=GOOD, user=user, Idempotency_Key="k")
    before = desk.aws.rows()
    for answer in (
        desk.ask(body=GOOD | {"amountCents": 6}, user=user, Idempotency_Key="k"),
        desk.ask("/notes/n2", body=GOOD, user=user, Idempotency_Key="k"),
    ):
        assert (answer.status, answer.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert desk.aws.rows() == before


def test_a_key_is_its_callers_and_its_actions(desk: Desk, user: User) -> None:
    desk.ask(body=GOOD, user=user, Idempotency_Key="k")
    others = [
        desk.ask(body=GOOD, user=factories.user(), Idempotency_Key="k"),
        desk.ask("/keyed/1", user=user, Idempotency_Key="k"),
    ]
    assert [(answer.status, answer.headers.get("Idempotency-Replayed")) for answer in others] == [
        (201, None),
        (200, None),
    ]


def test_a_refusal_is_not_kept_and_a_success_survives_one(desk: Desk, user: User) -> None:
    def refuse() -> None:
        raise Unprocessable("Not now.")

    desk.act = refuse
    assert desk.ask(body=GOOD, user=user, Idempotency_Key="k").status == 422
    desk.act = lambda: None
    assert desk.ask(body=GOOD, user=user, Idempotency_Key="k").status == 201
    desk.act = refuse  # what the first one changed is in the way of the second
    again = desk.ask(body=GOOD, user=user, Idempotency_Key="k")
    assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")


def test_a_key_is_free_again_after_a_day(desk: Desk, user: User, clock: Clock) -> None:
    desk.ask(body=GOOD, user=user, Idempotency_Key="k")
    clock.advance(days=1)
    again = desk.ask(body=GOOD | {"amountCents": 6}, user=user, Idempotency_Key="k")
    assert (again.status, again.headers.get("Idempotency-Replayed")) == (201, None)


# --- lost races


@pytest.mark.parametrize("losses", [0, 1, 2])
def test_a_lost_race_is_run_again(desk: Desk, user: User, losses: int) -> None:
    left = iter([StaleWrite("note")] * losses)

    def lose() -> None:
        if error := next(left, None):
            raise error

    desk.act = lose
    answer = desk.ask(body=GOOD, user=user)
    assert (answer.status, answer.body["times"]) == (201, losses + 1)


def test_a_race_lost_three_times_is_a_conflict(desk: Desk, user: User) -> None:
    def lose() -> None:
        raise StaleWrite("note")

    desk.act = lose
    answer = desk.ask(body=GOOD, user=user)
    assert (answer.status, answer.code, len(desk.actors)) == (409, "CONFLICT", 3)
    desk.act = lambda: None
    assert desk.ask(body=GOOD, user=user).status == 201  # nothing of it stays in the environment


def test_a_twin_that_lost_replays_the_winner(desk: Desk, user: User) -> None:
    def overtaken() -> None:
        desk.act = lambda: None
        assert Desk(desk.aws).ask(body=GOOD, user=user, Idempotency_Key="k").status == 201

    desk.act = overtaken
    answer = desk.ask(body=GOOD, user=user, Idempotency_Key="k")
    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (201, "true")
    assert [entry.action for entry in desk.aws.audit(user.id)].count("note") == 1


# --- no HTTP


def test_a_task_takes_and_gives_plain_json(aws: Platform) -> None:
    assert lambdas.task(lambda event: {"sum": event["a"] + 1})({"a": 1}, aws.context) == {"sum": 2}
    assert lambdas.task(lambda event: None)({}, aws.context) == {}


def test_a_task_runs_again_on_a_lost_race_and_raises_by_its_bare_name(aws: Platform) -> None:
    outcomes: list[Exception | None] = [StaleWrite("x"), StaleWrite("x"), None]

    def work(_: dict[str, Any]) -> None:
        if error := outcomes.pop(0):
            raise error

    assert lambdas.task(work)({}, aws.context) == {}
    outcomes[:] = [StaleWrite("x")] * 3
    with pytest.raises(StaleWrite):
        lambdas.task(work)({}, aws.context)
    outcomes[:] = [ValueError("x")]
    with pytest.raises(ValueError, match="x"):
        lambdas.task(work)({}, aws.context)


def test_a_job_needs_nothing_of_its_event(aws: Platform) -> None:
    ran: list[bool] = []
    lambdas.schedule(lambda: ran.append(True))({"anything": object()}, aws.context)
    assert ran == [True]


def test_one_bad_row_stops_no_other(aws: Platform) -> None:
    people = [factories.user() for _ in range(3)]
    seen: list[str] = []

    def act(person: User) -> None:
        if person is people[1]:
            raise ValidationError.from_exception_data("x", [])
        seen.append(person.id)
        if len(seen) == 1:
            raise StaleWrite("once")

    lambdas.each(people, act)

    assert seen == [people[0].id, people[0].id, people[2].id]


def test_what_fails_and_stays_first_keeps_nothing_behind_it_waiting(aws: Platform) -> None:
    bad, good, late, never = (factories.user() for _ in range(4))
    read: list[User] = []

    def pages() -> Iterator[list[User]]:
        for person in (bad, good, late, never):
            read.append(person)
            yield [person]

    seen: list[str] = []

    def act(person: User) -> None:
        if person is bad:
            raise ValueError
        seen.append(person.id)

    lambdas.work(pages(), act, enough=2)

    assert (seen, read) == ([good.id, late.id], [bad, good, late])
    lambdas.work(pages(), act, seconds=0)
    assert len(seen) == 2
