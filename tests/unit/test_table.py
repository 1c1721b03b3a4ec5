"""The one writer: all of an action or nothing, under versions, with one audit entry; reads in order and in bounds."""

import datetime as dt
import json
import random
from collections import Counter
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bloxtr8 import aws_json, clock, entities, ids, table
from bloxtr8.actors import Actor, IdempotencyKey, system
from bloxtr8.aws_json import NoAnswer, Refused, Service
from bloxtr8.entities import Deals, Entity, Idempotency, Identity, Listing, Root, Session, User
from bloxtr8.errors import NotFound, StaleWrite
from bloxtr8.shapes import View
from tests import factories
from tests.checks import together
from tests.emulator import Clock, Platform
from tests.emulator import client as aws_client
from tests.wire import Wire

JOB = system("test")
save = partial(table.commit, action="note", actor=JOB)


class Told(View):
    text: str
    version: int


@pytest.fixture
def user(aws: Platform) -> User:
    return factories.user()


def read(person: User) -> User:
    return table.get(User, id=person.id)


def deals(person: User) -> Deals:
    return table.get(Deals, user_id=person.id)


def identity(person: User, value: str = "1") -> Identity:
    return Identity(provider="TEST", value=value, user_id=person.id)


def keyed(person: User, key: str = "k", fingerprint: str = "f") -> Actor:
    return Actor(id=person.id, idempotency=IdempotencyKey(person.id, "POST /notes", key, fingerprint))


# --- commit


def test_one_action_is_one_transaction_and_one_entry(aws: Platform, user: User, wire: Wire) -> None:
    row, mark = deals(user), identity(user)
    row.open, user.username, wire.calls = 1, "renamed", []

    save(user, row, mark, details={"why": "a test"})

    assert wire.calls == ["TransactWriteItems"]
    assert (read(user).username, deals(user).open) == ("renamed", 1)
    assert table.find(Identity, provider="TEST", value="1") is not None
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor, entry.details) == ("note", "test", {"why": "a test"})
    assert entry.changes == [
        {"type": "User", "id": user.id, "from": None, "to": None, "version": 2},
        {"type": "Deals", "id": f"USER#{user.id}/DEALS", "from": None, "to": None, "version": 2},
    ]
    assert entry.created == [{"type": "Identity", "id": "IDENT#TEST#1/IDENT"}]


def test_a_row_passed_twice_is_written_once(aws: Platform, user: User) -> None:
    save(user, user, user)
    assert read(user).version == 2


@pytest.mark.parametrize("stale", ["root", "saved", "checked", "deleted", "there already", "gone"])
def test_one_row_that_changed_stops_all_of_it(aws: Platform, user: User, stale: str) -> None:
    other, mark, checked = factories.user(), identity(user), factories.user()
    save(other, mark)
    mine, row, old, seen = read(user), deals(other), table.get(Identity, provider="TEST", value="1"), read(checked)
    fresh = identity(user, "2")
    if stale == "root":
        save(read(user))
    elif stale == "saved":
        save(other, deals(other))
    elif stale == "checked":
        save(read(checked))
    elif stale == "deleted":
        save(other, table.get(Identity, provider="TEST", value="1"))
    elif stale == "there already":
        save(other, identity(other, "2"))
    else:
        save(other, deletes=[table.get(Identity, provider="TEST", value="1")])
    before = aws.rows()

    mine.username, row.open = "lost", 7
    with pytest.raises(StaleWrite, match="note"):
        save(mine, row, fresh, checks=[seen], deletes=[old])

    assert aws.rows() == before
    aws.audit(user.id)


def test_what_did_not_change_stops_nothing(aws: Platform, user: User) -> None:
    other = factories.user()
    save(other, identity(user))
    save(
        read(user),
        deals(other),
        checks=[read(other), read(user)],
        deletes=[table.get(Identity, provider="TEST", value="1")],
    )
    assert table.find(Identity, provider="TEST", value="1") is None
    assert (read(other).version, read(user).version, deals(other).version) == (2, 2, 2)


def test_of_racers_on_one_row_exactly_one_wins(aws: Platform, user: User) -> None:
    for n in range(5):
        racers = [read(user), read(user)]

        def race(mine: User) -> bool:
            try:
                save(mine)
            except StaleWrite:
                return False
            return True

        assert sorted(together(*[partial(race, mine) for mine in racers])) == [False, True]
        assert read(user).version == n + 2
    aws.audit(user.id)


def test_money_is_no_float_and_a_time_is_never_naive(aws: Platform, user: User) -> None:
    before = aws.rows()
    for name, value in {"open": 1.5, "completed": True, "disputed": "1"}.items():
        row = deals(user)
        setattr(row, name, value)
        with pytest.raises(TypeError):
            save(read(user), row)
    naive = read(user)
    naive.banned_until = dt.datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(TypeError):
        save(naive)
    assert aws.rows() == before


def test_details_are_bounded(aws: Platform, user: User) -> None:
    before = aws.rows()
    save(read(user), details={"text": "é" * 4_000})
    with pytest.raises(ValueError, match="8 KiB"):
        save(read(user), details={"text": "é" * 4_100})
    assert len(aws.rows()) == len(before) + 1


def test_what_is_wrong_with_the_request_is_no_lost_race(aws: Platform, user: User) -> None:
    twin = [identity(user), identity(user)]
    with pytest.raises(Refused, match="ValidationException"):
        save(read(user), *twin)


@pytest.mark.parametrize("done", [True, False], ids=["committed", "not committed"])
def test_a_transaction_whose_answer_was_lost_is_sent_again_and_done_once(
    aws: Platform, user: User, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    sent: list[dict[str, Any]] = []
    post = Service.post

    def losing(service: Service, headers: Any, body: bytes, operation: str) -> Any:
        sent.append(json.loads(body))
        if len(sent) > 1 or done:
            answer = post(service, headers, body, operation)
        if len(sent) == 1:
            raise NoAnswer(operation)
        return answer

    with monkeypatch.context() as broken:
        broken.setattr(aws_json, "PAUSE_SECONDS", 0.0)
        broken.setattr(Service, "post", losing)
        save(user)
        save(user)

    first, again, second = (one["ClientRequestToken"] for one in sent)
    assert first == again != second
    assert [entry.seq for entry in aws.audit(user.id)] == [1, 2, 3]


# --- idempotency


def tell(person: User, actor: Actor, text: str = "done") -> Told:
    return table.commit(person, action="note", actor=actor, answer=lambda: Told(text=text, version=person.version))


def test_the_answer_is_kept_with_the_action(aws: Platform, user: User, clock: Clock) -> None:
    view = tell(read(user), keyed(user))
    row = table.get(Idempotency, caller=user.id, action="POST /notes", key="k")
    assert (view.version, row.fingerprint) == (2, "f")
    assert Told.model_validate_json(row.answer) == view
    assert row.ttl is not None
    assert row.ttl - clock.moment <= dt.timedelta(days=1)


def test_without_a_view_or_a_key_nothing_is_kept(aws: Platform, user: User) -> None:
    table.commit(read(user), action="note", actor=keyed(user))
    tell(read(user), Actor(id=user.id))
    assert [row for row in aws.rows() if row["type"]["S"] == "Idempotency"] == []


def test_a_key_used_again_writes_nothing_until_it_expired(aws: Platform, user: User, clock: Clock) -> None:
    tell(read(user), keyed(user))
    before = aws.rows()
    with pytest.raises(StaleWrite):
        tell(read(user), keyed(user, fingerprint="other"))
    assert aws.rows() == before
    clock.advance(days=1)
    assert tell(read(user), keyed(user, fingerprint="other")).version == 3


@pytest.mark.parametrize("done", [True, False], ids=["committed", "not committed"])
def test_a_lost_answer_is_replayed_or_done_but_never_twice(aws: Platform, user: User, wire: Wire, done: bool) -> None:
    listing, buyer = factories.listing(user), factories.user()
    body, headers = {"amount": 100_000, "currency": "USD"}, {"Idempotency-Key": "once"}
    make = partial(aws.call, "make_offer", buyer, body, headers=headers, listing_id=listing.id)
    wire.lose("TransactWriteItems", done=done)

    with pytest.raises(NoAnswer):
        make()
    answer = make()

    assert answer.status == 201
    assert answer.headers.get("Idempotency-Replayed") == ("true" if done else None)
    assert len([row for row in aws.rows() if row["type"]["S"] == "Offer"]) == 1
    assert make().body == answer.body


# --- rows that are no aggregates


def session(person: User) -> Session:
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    return Session(user_id=person.id, id=ids.new("ses"), created_at=now, expires_at=now)


def test_only_ephemeral_rows_go_past_the_audit(aws: Platform, user: User) -> None:
    with pytest.raises(TypeError):
        table.remember(read(user))
    with pytest.raises(TypeError):
        table.take(User, id=user.id)
    kinds = {kind.__name__ for kind in vars(entities).values() if isinstance(kind, type) and issubclass(kind, Entity)}
    assert kinds >= table.EPHEMERAL
    assert not [name for name in table.EPHEMERAL if issubclass(getattr(entities, name), Root)]


def test_remembered_once_and_changed_under_its_version(aws: Platform, user: User) -> None:
    row = session(user)
    twin = session(user)
    twin.id = row.id
    assert table.remember(row)
    assert not table.remember(twin)
    mine, other = (table.get(Session, user_id=user.id, id=row.id) for _ in range(2))
    assert table.remember(mine, unless_exists=False)
    assert not table.remember(other, unless_exists=False)
    assert aws.audit(user.id)[-1].action == "finish_discord_login"


class Losing:
    """Of the next PutItem the first attempts get no answer: they were made, or never arrived."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *made: bool) -> None:
        self.made, self.post = list(made), Service.post
        monkeypatch.setattr(aws_json, "PAUSE_SECONDS", 0.0)
        monkeypatch.setattr(Service, "post", lambda *asked: self(*asked))

    def __call__(self, service: Service, headers: Any, body: bytes, operation: str) -> Any:
        if operation != "PutItem" or not self.made:
            return self.post(service, headers, body, operation)
        if self.made.pop(0):
            self.post(service, headers, body, operation)
        raise NoAnswer(operation)


@pytest.mark.parametrize("made", [[True], [False], [True, True], [False, True]])
@pytest.mark.parametrize("unless_exists", [True, False])
def test_a_write_whose_answer_was_lost_knows_itself(
    aws: Platform, user: User, monkeypatch: pytest.MonkeyPatch, made: list[bool], unless_exists: bool
) -> None:
    row = session(user)
    if not unless_exists:
        table.remember(row)
    row.generation += 1
    losing = Losing(monkeypatch, *made)
    assert table.remember(row, unless_exists=unless_exists)
    assert losing.made == []
    stored = table.get(Session, user_id=user.id, id=row.id)
    assert (stored.generation, stored.version) == (row.generation, row.version)


def test_a_twin_that_wrote_the_very_same_is_another(aws: Platform, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = session(user)
    table.remember(row)
    mine, other = (table.get(Session, user_id=user.id, id=row.id) for _ in range(2))
    mine.generation = other.generation = 2
    assert table.remember(other, unless_exists=False)
    Losing(monkeypatch, False)
    assert not table.remember(mine, unless_exists=False)


def test_of_two_who_take_it_one_does(aws: Platform, user: User) -> None:
    row = session(user)
    for _ in range(3):
        row.version = 0
        table.remember(row)
        found = together(*[partial(table.take, Session, user_id=user.id, id=row.id)] * 2)
        assert sorted(one is not None for one in found) == [False, True]
        (taken,) = [one for one in found if one is not None]
        assert (taken.id, taken.user_id) == (row.id, user.id)


# --- reads


def test_finds_gets_and_loads(aws: Platform, user: User, wire: Wire) -> None:
    assert table.find(User, id="usr_none") is None
    with pytest.raises(NotFound, match="user"):
        table.get(User, id="usr_none")
    here, gone = table.ref(User, id=user.id), table.ref(User, id="usr_none")
    wire.calls = []
    rows = table.load(here, gone, table.ref(Deals, user_id=user.id), here)
    assert [row and row.entity for row in rows] == ["User", None, "Deals", "User"]
    assert wire.calls == ["BatchGetItem"]


def test_what_a_batch_left_out_is_asked_for_again_later_each_time(
    aws: Platform, user: User, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    most: list[float] = []  # seconds that each pause may take
    monkeypatch.setattr(table, "random", SimpleNamespace(uniform=lambda _, upto: most.append(upto) or 0))
    asked: list[Any] = []

    def full(arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append(arguments["RequestItems"][table.TABLE])
        return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}

    wire.instead("BatchGetItem", full)
    with pytest.raises(NoAnswer):
        table.load(table.ref(User, id=user.id))
    assert most == [0.1, 0.2, 0.4, 0.8]
    assert len(asked) == table.BATCH_ROUNDS
    assert all(again == asked[0] for again in asked)


@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_lose_and_repeat_nothing(aws: Platform, user: User, limit: int, newest_first: bool) -> None:
    made = [factories.listing(user).id for _ in range(5)]
    found: list[str] = []
    start = None
    while True:
        page = table.page(
            Listing, "gsi1", f"USER#{user.id}#LISTING", limit=limit, start=start, newest_first=newest_first
        )
        assert len(page.items) <= limit
        found += [row.id for row in page.items]
        start = page.next_key
        if start is None:
            break
    assert found == (made[::-1] if newest_first else made)


def test_what_is_due_is_past_and_oldest_first(aws: Platform, user: User, clock: Clock) -> None:
    made = [factories.listing(user) for _ in range(3)]
    assert table.due(Listing, "DUE#LISTING") == []
    clock.advance(hours=7)
    assert [row.id for row in table.due(Listing, "DUE#LISTING")] == [row.id for row in made]
    assert len(table.due(Listing, "DUE#LISTING", limit=2)) == 2


def test_a_partition_is_read_to_its_end_however_large(
    aws: Platform, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of an escrow is no escrow: dust in its vault must not hide its other rows."""
    monkeypatch.setattr(table, "PARTITION_LIMIT", 2)
    for n in range(5):
        table.remember(
            entities.Operation(
                owner=f"USER#{user.id}", name=f"n{n}", params_hash="", attempt=1, first_sent_at=user.created_at
            )
        )
    found = [row.name for row in table.partition(f"USER#{user.id}") if isinstance(row, entities.Operation)]
    assert found == ["n0", "n1", "n2", "n3", "n4"]


def test_a_partition_may_be_narrowed(aws: Platform, user: User) -> None:
    table.remember(session(user))
    assert [row.entity for row in table.partition(f"USER#{user.id}")] == ["Deals", "User", "Session"]
    assert [row.entity for row in table.partition(f"USER#{user.id}", prefix="SESSION#")] == ["Session"]


def test_a_row_of_a_kind_that_this_version_does_not_know_is_passed_over(aws: Platform, user: User) -> None:
    place = {"PK": {"S": f"USER#{user.id}"}, "SK": {"S": "LATER"}, "type": {"S": "Later"}}
    aws_client("dynamodb").put_item(TableName=table.TABLE, Item=place)
    assert [row.entity for row in table.partition(f"USER#{user.id}")] == ["Deals", "User"]


def test_what_is_due_and_unreadable_stops_no_other(aws: Platform, user: User, clock: Clock) -> None:
    broken, whole = factories.listing(user), factories.listing(user)
    clock.advance(hours=7)
    key = {"PK": {"S": broken.pk}, "SK": {"S": broken.sk}}
    change = {"status": {"Value": {"S": "LATER"}}}
    aws_client("dynamodb").update_item(TableName=table.TABLE, Key=key, AttributeUpdates=change)
    assert [row.id for row in table.due(Listing, "DUE#LISTING")] == [whole.id]


# --- C7


@pytest.mark.parametrize("seed", range(3))
def test_after_any_commits_every_chain_and_every_version_is_whole(aws: Platform, seed: int) -> None:
    chance = random.Random(seed)
    people = [factories.user() for _ in range(3)]
    versions: Counter[str] = Counter({person.id: 1 for person in people} | {f"d{n}": 1 for n in range(3)})
    entries: Counter[str] = Counter({person.id: 1 for person in people})
    for _ in range(40):
        n, m = chance.randrange(3), chance.randrange(3)
        root, others = read(people[n]), [deals(people[m])] if chance.random() < 0.6 else []
        if chance.random() < 0.3:  # somebody is faster
            save(read(people[n]))
            versions[people[n].id] += 1
            entries[people[n].id] += 1
            with pytest.raises(StaleWrite):
                save(root, *others)
            continue
        save(root, *others)
        versions[root.id] += 1
        entries[root.id] += 1
        versions[f"d{m}"] += len(others)

    for n, person in enumerate(people):
        chain = aws.audit(person.id)
        assert [entry.seq for entry in chain] == list(range(1, entries[person.id] + 1))
        assert (read(person).version, deals(person).version) == (versions[person.id], versions[f"d{n}"])
        assert (read(person).audit_seq, read(person).audit_head) == (len(chain), chain[-1].hash)
        written = [item["version"] for entry in chain for item in entry.changes if item["id"] == person.id]
        assert written == list(range(2, versions[person.id] + 1))


def test_a_job_whose_limit_moved_back_begins_anew(aws: Platform, wire: Wire) -> None:
    """DynamoDB takes no start beyond what it is asked for."""
    asked: list[bool] = []
    wire.instead("Query", lambda said: asked.append("ExclusiveStartKey" in said) or {"Items": []})
    for later in (1, -1):
        moment = aws.clock.moment + dt.timedelta(days=later)
        place = {name: {"S": "x"} for name in ("PK", "SK", "GSI3PK")} | {"GSI3SK": {"S": f"{clock.iso(moment)}#x"}}
        asked.clear()
        list(table.due_pages(Entity, "DUE#x", pages=1, start=place))
        assert asked == [later < 0]
