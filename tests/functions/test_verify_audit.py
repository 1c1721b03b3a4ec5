"""Is a chain whole? Any changed byte, gap, swap, cut or graft is found by whoever may ask."""

from collections.abc import Callable
from typing import Any

import pytest

from bloxtr8 import audit, table
from bloxtr8.actors import system
from bloxtr8.entities import AuditEntry, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Answer, Platform, client
from tests.wire import Wire

ENTRIES = 4


@pytest.fixture
def auditor(aws: Platform) -> User:
    return factories.user(platform_roles=frozenset({"COMPLIANCE"}))


@pytest.fixture
def user(aws: Platform) -> User:
    """A person with a chain of four entries."""
    person = factories.user()
    for n in range(1, ENTRIES):
        table.commit(person, action="note", actor=system("test"), details={"n": n, "name": "Zoë"})
    return person


def ask(aws: Platform, auditor: User, entity: str) -> Answer:
    answer = aws.call("verify_audit", auditor, query={"entity": entity})
    assert answer.status == 200, answer.body
    return answer


def test_a_whole_chain_is_whole(aws: Platform, auditor: User, user: User) -> None:
    assert ask(aws, auditor, user.id).body == {
        "ok": True,
        "count": ENTRIES,
        "head": table.get(User, id=user.id).audit_head,
        "brokenAt": None,
    }


def test_a_chain_longer_than_a_page_is_walked_to_its_end(aws: Platform, auditor: User, user: User) -> None:
    for _ in range(120):
        table.commit(user, action="note", actor=system("test"))
    assert (ask(aws, auditor, user.id).body["ok"], ask(aws, auditor, user.id).body["count"]) == (True, ENTRIES + 120)


Row = dict[str, Any]


def row(user: User, seq: int) -> Row:
    key = {"PK": {"S": f"AUDIT#{user.id}"}, "SK": {"S": f"{seq:010}"}}
    return dict(client("dynamodb").get_item(TableName="bloxtr8-local", Key=key)["Item"])


def put(item: Row) -> None:
    client("dynamodb").put_item(TableName="bloxtr8-local", Item=item)


def drop(user: User, seq: int) -> None:
    key = {"PK": {"S": f"AUDIT#{user.id}"}, "SK": {"S": f"{seq:010}"}}
    client("dynamodb").delete_item(TableName="bloxtr8-local", Key=key)


def changed(name: str, value: Row) -> Callable[[User], None]:
    def tamper(user: User) -> None:
        put(row(user, 2) | {name: value})

    return tamper


def gap(user: User) -> None:
    drop(user, 2)


def swapped(user: User) -> None:
    second, third = row(user, 2), row(user, 3)
    put(second | {"SK": third["SK"]})
    put(third | {"SK": second["SK"]})


def beheaded(user: User) -> None:
    drop(user, 1)


def cut(user: User) -> None:
    drop(user, ENTRIES)


def cut_and_rehashed(user: User) -> None:
    """The last entry replaced by another that fits the one before it."""
    entry = AuditEntry.from_raw_data(row(user, ENTRIES))
    entry.details = {"n": 0}
    entry.hash = audit.digest(entry)
    put(row(user, ENTRIES) | {"details": {"S": '{"n": 0}'}, "hash": {"S": entry.hash}})


def grown(user: User) -> None:
    """One entry more, which fits, but which no commit wrote."""
    last = AuditEntry.from_raw_data(row(user, ENTRIES))
    last.seq, last.previous = ENTRIES + 1, last.hash
    last.hash = audit.digest(last)
    new = {"seq": {"N": str(last.seq)}, "previous": {"S": last.previous}, "hash": {"S": last.hash}}
    put(row(user, ENTRIES) | {"SK": {"S": f"{last.seq:010}"}} | new)


def grafted(user: User) -> None:
    """Another person's chain, whole, in the place of this one."""
    other = factories.user()
    for seq in range(1, ENTRIES):
        table.commit(other, action="note", actor=system("test"), details={"n": seq})
    for seq in range(1, ENTRIES + 1):
        put(row(other, seq) | {"PK": {"S": f"AUDIT#{user.id}"}})


def emptied(user: User) -> None:
    for seq in range(1, ENTRIES + 1):
        drop(user, seq)


TAMPERINGS: list[tuple[str, Callable[[User], None], int]] = [
    ("actor", changed("actor", {"S": "usr_other"}), 2),
    ("role", changed("role", {"S": "PADMIN"}), 2),
    ("action", changed("action", {"S": "notf"}), 2),
    ("a microsecond", changed("at", {"S": "2026-11-23T12:00:00.999999Z"}), 2),
    ("details", changed("details", {"S": '{"n": 2, "name": "Zo\\u00eb"}'}), 2),
    ("a float for an integer", changed("details", {"S": '{"n": 1.0, "name": "Zo\\u00eb"}'}), 2),
    ("an invisible character", changed("details", {"S": '{"n": 1, "name": "Zo\\u00eb\\u200b"}'}), 2),
    ("changes", changed("changes", {"S": "[]"}), 2),
    ("created", changed("created", {"S": '[{"type": "User", "id": "x"}]'}), 2),
    ("escrow", changed("escrow_id", {"S": "esc_1"}), 2),
    ("parent", changed("parent", {"S": "00"}), 2),
    ("root", changed("root_id", {"S": "usr_other"}), 2),
    ("seq", changed("seq", {"N": "3"}), 2),
    ("previous", changed("previous", {"S": "0" * 64}), 2),
    ("hash", changed("hash", {"S": "0" * 64}), 2),
    ("a gap", gap, 2),
    ("a swap", swapped, 2),
    ("no beginning", beheaded, 1),
    ("no end", cut, ENTRIES),
    ("another end", cut_and_rehashed, ENTRIES),
    ("an entry too many", grown, ENTRIES + 1),
    ("another's chain", grafted, ENTRIES),
    ("nothing left", emptied, 1),
]


@pytest.mark.parametrize(("tamper", "at"), [case[1:] for case in TAMPERINGS], ids=[case[0] for case in TAMPERINGS])
def test_tampering_is_found(aws: Platform, auditor: User, user: User, tamper: Callable[[User], None], at: int) -> None:
    tamper(user)

    verdict = ask(aws, auditor, user.id).body

    assert (verdict["ok"], verdict["brokenAt"]) == (False, f"{user.id}-{at}")


def test_a_row_written_anew_in_the_same_bytes_is_no_tampering(aws: Platform, auditor: User, user: User) -> None:
    put(row(user, 2))
    assert ask(aws, auditor, user.id).body["ok"]


def test_an_entry_between_the_two_readings_is_no_tampering(
    aws: Platform, auditor: User, user: User, wire: Wire
) -> None:
    def act() -> None:
        table.commit(user, action="note", actor=system("test"))

    wire.before("GetItem", lambda: wire.before("GetItem", act))  # the first one reads the asker's own row

    assert ask(aws, auditor, user.id).body == {
        "ok": True,
        "count": ENTRIES + 1,
        "head": user.audit_head,
        "brokenAt": None,
    }


@pytest.mark.parametrize("kind", ["listing", "offer", "contract", "escrow"])
def test_every_kind_of_root_can_be_verified(aws: Platform, auditor: User, kind: str) -> None:
    escrow = factories.executed()
    entity = {
        "listing": escrow.listing_id,
        "offer": escrow.offer_id,
        "contract": escrow.contract_id,
        "escrow": escrow.id,
    }[kind]

    assert ask(aws, auditor, entity).body["ok"] is True


def test_a_party_may_verify_its_own_escrow(aws: Platform) -> None:
    escrow = factories.executed()
    for party in (escrow.buyer_id, escrow.seller_id):
        assert aws.call("verify_audit", party, query={"entity": escrow.id}).body["ok"] is True


def test_an_escrow_that_nothing_has_touched_yet_is_whole_and_its_trade_one_path(aws: Platform) -> None:
    escrow = factories.executed()
    verdict = aws.call("verify_audit", escrow.buyer_id, query={"entity": escrow.id})
    assert verdict.body == {"ok": True, "count": 0, "head": "", "brokenAt": None}
    assert aws.call("get_timeline", escrow.buyer_id, escrow_id=escrow.id).body["verified"] is True


def test_a_trade_whose_last_entry_is_missing_is_not_verified(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    assert aws.call("get_timeline", escrow.buyer_id, escrow_id=escrow.id).body["verified"] is True
    key = {"PK": {"S": f"AUDIT#{escrow.id}"}, "SK": {"S": f"{escrow.audit_seq:010}"}}
    client("dynamodb").delete_item(TableName="bloxtr8-local", Key=key)
    assert aws.call("get_timeline", escrow.buyer_id, escrow_id=escrow.id).body["verified"] is False


@pytest.mark.parametrize("roles", [set(), {"PADMIN", "SUPPORT", "ARBITER"}])
def test_to_others_there_is_no_such_chain(aws: Platform, roles: set[str]) -> None:
    escrow, other = factories.executed(), factories.user(platform_roles=frozenset(roles))
    for entity in (escrow.id, escrow.contract_id, escrow.buyer_id, other.id):
        refused(aws, 404, "NOT_FOUND", "verify_audit", other, query={"entity": entity})
    refused(aws, 404, "NOT_FOUND", "verify_audit", escrow.buyer_id, query={"entity": escrow.contract_id})


@pytest.mark.parametrize(
    "entity", ["esc_01JDCZ0000000000000000000A", "off_01JDCZ0000000000000000000A-01", "x", "AUDIT#x", "é\u202e"]
)
def test_a_chain_that_is_not_there_is_404(aws: Platform, auditor: User, entity: str) -> None:
    refused(aws, 404, "NOT_FOUND", "verify_audit", auditor, query={"entity": entity})


@pytest.mark.parametrize("query", [None, {"entity": "x" * 65}])
def test_an_entity_must_be_named(aws: Platform, auditor: User, query: dict[str, str] | None) -> None:
    refused(aws, 400, "VALIDATION_ERROR", "verify_audit", auditor, query=query)


def test_nobody_may_ask(aws: Platform) -> None:
    refused(aws, 401, "UNAUTHENTICATED", "verify_audit", None, query={"entity": "x"})
