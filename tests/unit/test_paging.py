"""Cursors: opaque, signed, bound to one list; the last page has none."""

import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import config
from bloxtr8.errors import Invalid
from bloxtr8.paging import Listed, listed, opened, sealed
from bloxtr8.shapes import View
from bloxtr8.table import Page

KEYS = st.dictionaries(
    st.sampled_from(["PK", "SK", "GSI1PK", "GSI1SK", "day"]),
    st.dictionaries(st.just("S"), st.text(st.characters(codec="utf-8"), max_size=40), min_size=1)
    | st.text(max_size=10),
    min_size=1,
)
SCOPES = st.text(st.characters(codec="utf-8"), max_size=30)


class Item(View):
    n: int


@pytest.fixture(autouse=True, scope="module")
def key() -> Iterator[mock.Mock]:
    with mock.patch.object(config, "secret", return_value={"key": "of the tests"}) as secret:
        yield secret


@given(KEYS, SCOPES)
def test_a_cursor_gives_back_its_key_where_it_was_made(key: dict[str, Any], scope: str) -> None:
    cursor = sealed(key, scope)
    assert cursor is not None
    assert opened(cursor, scope) == key
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(KEYS, SCOPES, SCOPES)
def test_a_cursor_is_good_for_its_own_list_alone(key: dict[str, Any], scope: str, other: str) -> None:
    cursor = sealed(key, scope)
    if other == scope:
        return
    with pytest.raises(Invalid) as refused:
        opened(cursor, other)
    assert (refused.value.status, refused.value.code) == (400, "BAD_CURSOR")


@given(KEYS, st.data())
def test_a_changed_cursor_is_refused(key: dict[str, Any], data: st.DataObject) -> None:
    cursor = sealed(key, "scope")
    assert cursor is not None
    place = data.draw(st.integers(0, len(cursor) - 2))  # the last character may carry bits that mean nothing
    letter = data.draw(st.sampled_from("ABab01-_").filter(lambda one: one != cursor[place]))
    with pytest.raises(Invalid):
        opened(cursor[:place] + letter + cursor[place + 1 :], "scope")


@given(st.text(max_size=60))
def test_what_we_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        opened(text, "scope")


def test_a_cursor_of_another_deployment_is_refused(key: mock.Mock) -> None:
    cursor = sealed({"PK": "x"}, "scope")
    key.return_value = {"key": "of another"}
    try:
        with pytest.raises(Invalid):
            opened(cursor, "scope")
    finally:
        key.return_value = {"key": "of the tests"}


def test_no_cursor_is_the_beginning() -> None:
    assert opened(None, "scope") is None
    assert sealed(None, "scope") is None


def test_a_page_has_a_cursor_until_the_end() -> None:
    going_on = listed(Page([1, 2], {"PK": "x"}), lambda n: Item(n=n), "scope")
    at_the_end = listed(Page([3], None), lambda n: Item(n=n), "scope")
    empty = listed(Page([], None), lambda n: Item(n=n), "scope")

    assert json.loads(going_on.model_dump_json()) == {
        "items": [{"n": 1}, {"n": 2}],
        "nextCursor": sealed({"PK": "x"}, "scope"),
    }
    assert at_the_end.model_dump(mode="json") == {"items": [{"n": 3}]}
    assert empty.model_dump(mode="json") == {"items": []}


def test_the_document_says_that_the_cursor_may_be_absent_but_is_never_null() -> None:
    schema = Listed[Item].model_json_schema(mode="serialization")
    assert schema["required"] == ["items"]
    assert schema["properties"]["nextCursor"]["type"] == "string"
