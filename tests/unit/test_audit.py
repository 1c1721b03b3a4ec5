"""The chain: what it covers, that anyone can compute it again, and that no change of it goes unseen (C7)."""

import copy
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloxtr8.actors import Actor, system
from bloxtr8.audit import append, complete, digest, verify
from bloxtr8.entities import AuditEntry, Contract, Deals, Delivery, Escrow, Idempotency, Listing, ListingStatus, User

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
JOB = system("job")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
DETAILS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=10), JSON, max_size=4)


def root(name: str = "usr_1", version: int = 1) -> User:
    return User(id=name, discord_id="1", username="x", created_at=NOW, version=version)


def entry_on(head: User, details: dict[str, Any] | None = None, *rows: Any, actor: Actor = JOB) -> AuditEntry:
    """The next entry of a chain, as commit makes it."""
    head.version += 1
    return append(head, rows, action="note", actor=actor, details=details, escrow_id=None)


def chain(*details: dict[str, Any], name: str = "usr_1") -> list[AuditEntry]:
    head = root(name)
    return [entry_on(head, one) for one in details]


def stored(entry: AuditEntry) -> AuditEntry:
    """The entry as the table gives it back."""
    return AuditEntry.from_raw_data(json.loads(json.dumps(entry.place().serialize())))


@given(st.lists(DETAILS, min_size=1, max_size=6))
@settings(max_examples=60)
def test_a_chain_holds_however_it_was_stored(details: list[dict[str, Any]]) -> None:
    entries = chain(*details)

    assert [entry.seq for entry in entries] == list(range(1, len(details) + 1))
    assert [entry.previous for entry in entries] == ["", *(entry.hash for entry in entries[:-1])]
    assert verify([stored(entry) for entry in entries]) == (True, len(entries), entries[-1].hash, None)


CHANGES: dict[str, Any] = {
    "root_id": "usr_2",
    "seq": 99,
    "at": NOW - dt.timedelta(microseconds=1),
    "actor": "somebody",
    "role": "PADMIN",
    "action": "other",
    "escrow_id": "esc_1",
    "changes": [],
    "created": [{"type": "User", "id": "x"}],
    "details": {"n": "other"},
    "parent": "00",
    "previous": "1" * 64,
    "hash": "2" * 64,
}


@given(st.integers(1, 6), st.data())
def test_any_change_of_any_entry_is_found_at_it(length: int, data: st.DataObject) -> None:
    entries = chain(*({"n": n} for n in range(length)))
    place = data.draw(st.integers(0, length - 1))
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    forged = copy.deepcopy(entries)
    setattr(forged[place], name, CHANGES[name])

    verdict = verify(forged)

    at = place + 1 if not (name == "root_id" and place == 0 and length > 1) else 1
    assert not verdict.ok
    assert verdict.broken_at is not None
    assert verdict.broken_at.rpartition("-")[2] == str(at)


def test_the_hash_covers_every_field_but_itself_and_what_only_places_the_row() -> None:
    fields = set(AuditEntry._attributes) - {"pk", "sk", "type", "version", "ttl", "hash"}
    assert {name for name in fields if not name.startswith("gsi")} == set(CHANGES) - {"hash"}


@given(st.integers(2, 6), st.data())
def test_gaps_swaps_and_repeats_are_found(length: int, data: st.DataObject) -> None:
    entries = chain(*({"n": n} for n in range(length)))
    order = data.draw(st.lists(st.sampled_from(range(length)), max_size=length + 1))

    assert verify([entries[n] for n in order]).ok == (order == list(range(len(order))))


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_chain_that_is_cut_or_grown_does_not_fit_its_root(made: int, kept: int) -> None:
    head = root()
    entries = [entry_on(head, {"n": n}) for n in range(max(made, kept))]
    row = root()
    row.audit_seq, row.audit_head = made, entries[made - 1].hash if made else ""

    verdict = complete(verify(entries[:kept]), "usr_1", row)

    assert verdict.ok == (made == kept)
    assert verdict.broken_at == (None if made == kept else f"usr_1-{min(made, kept) + 1}")


def test_a_chain_without_its_root_is_no_proof() -> None:
    assert complete(verify(chain({})), "usr_1", None).ok is False
    assert complete(verify([]), "usr_1", None).ok is True


def test_another_roots_entries_do_not_go_on_a_chain() -> None:
    first, other = chain({"n": 1}), root("usr_2")
    other.audit_seq, other.audit_head = 1, first[0].hash
    assert verify([*first, entry_on(other)]).broken_at == "usr_1-2"


def test_anyone_can_compute_the_hash_again() -> None:
    (_, entry) = chain({"n": 1}, {"name": "Zoë 🚀", "cents": 5})
    fields = {
        "root_id": "usr_1",
        "seq": 2,
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": "job",
        "role": "SYSTEM",
        "action": "note",
        "escrow_id": None,
        "changes": [{"type": "User", "id": "usr_1", "from": None, "to": None, "version": 3}],
        "created": [],
        "details": {"name": "Zoë 🚀", "cents": 5},
        "parent": None,
        "previous": entry.previous,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest(entry) == entry.hash == hashlib.sha256((entry.previous + text).encode()).hexdigest()


# --- what an entry says


def listing(**fields: Any) -> Listing:
    values = {"id": "lst_1", "seller_id": "usr_s", "status": ListingStatus.ACTIVE, "version": 1, "created_at": NOW}
    return Listing(**(values | fields))


def test_it_tells_what_changed_from_what_and_what_is_new() -> None:
    moved = listing(version=4, status=ListingStatus.SOLD)
    moved.status_read = ListingStatus.RESERVED
    fresh = Deals(user_id="usr_1", version=1).place()
    entry = entry_on(root(), None, moved, fresh, Idempotency(version=1))
    assert entry.changes == [
        {"type": "User", "id": "usr_1", "from": None, "to": None, "version": 2},
        {"type": "Listing", "id": "lst_1", "from": "RESERVED", "to": "SOLD", "version": 4},
    ]
    assert entry.created == [{"type": "Deals", "id": "USER#usr_1/DEALS"}]


@pytest.mark.parametrize(
    ("actor", "role"),
    [
        (Actor(id="usr_b"), "BUYER"),
        (Actor(id="usr_s"), "SELLER"),
        (Actor(id="usr_c"), "USER"),
        (Actor(id="usr_c").acting_as("PADMIN"), "PADMIN"),
        (system("usr_job"), "SYSTEM"),
    ],
)
def test_it_tells_as_what_the_actor_acted(actor: Actor, role: str) -> None:
    deal = Contract(id="con_1", buyer_id="usr_b", seller_id="usr_s", version=2)
    assert entry_on(root(), None, deal, actor=actor).role == role


def test_it_names_the_escrow_it_is_about() -> None:
    assert entry_on(root(), None, Escrow(id="esc_1", version=2)).escrow_id == "esc_1"
    assert entry_on(root(), None, Delivery(id="dlv_1", escrow_id="esc_2", version=2)).escrow_id == "esc_2"
    assert entry_on(root()).escrow_id is None


def test_details_are_at_most_8_kib() -> None:
    assert entry_on(root(), {"t": "x" * 8_000}).details["t"]
    with pytest.raises(ValueError, match="8 KiB"):
        entry_on(root(), {"t": "é" * 4_100})


# --- a trade is one path
