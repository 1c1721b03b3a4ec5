"""The caller's contact data."""

from typing import Any

import pytest

from tests import factories
from tests.checks import refused
from tests.emulator import Platform

CONTACT = {"email": "nova@trader.example", "phone": "+4915112345678"}


def test_keeps_what_is_given(aws: Platform) -> None:
    user = factories.user()
    answer = aws.call("update_me", user, CONTACT)
    assert answer.status == 200
    assert {name: answer.body[name] for name in CONTACT} == CONTACT
    assert answer.body["version"] == 2
    assert aws.call("get_me", user).body == answer.body


def test_what_is_left_out_stays_and_null_forgets(aws: Platform) -> None:
    user = factories.user(**CONTACT)
    answer = aws.call("update_me", user, {"email": None})
    assert (answer.body["email"], answer.body["phone"]) == (None, CONTACT["phone"])


def test_the_audit_names_the_fields_and_never_what_they_hold(aws: Platform) -> None:
    user = factories.user()
    aws.call("update_me", user, CONTACT)
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.details) == ("update_me", {"fields": ["email", "phone"]})
    kept = [row for row in aws.rows() if "nova@" in str(row) or "+4915" in str(row)]
    assert [row["type"]["S"] for row in kept] == ["User"]


@pytest.mark.parametrize("body", [{}, CONTACT, {"email": CONTACT["email"]}])
def test_nothing_new_writes_nothing(aws: Platform, body: dict[str, str]) -> None:
    user = factories.user(**CONTACT)
    before = aws.rows()
    answer = aws.call("update_me", user, body)
    assert (answer.status, answer.body["version"]) == (200, 1)
    assert aws.rows() == before


def test_two_people_may_give_the_same_address(aws: Platform) -> None:
    """Unverified: a refusal would tell whose address is known here."""
    factories.user(**CONTACT)
    assert aws.call("update_me", factories.user(), CONTACT).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nova"},
        {"email": "nova@"},
        {"email": "@trader.example"},
        {"email": "nova@trader"},
        {"email": "no va@trader.example"},
        {"email": "a@b@c.example"},
        {"email": "nova@trader.example\n"},
        {"email": "nova\u0000@trader.example"},
        {"email": "nova\ud800@trader.example"},
        {"email": "n@" + "x" * 250 + ".example"},
        {"email": ""},
        {"email": 5},
        {"phone": "015112345678"},
        {"phone": "+0511234567"},
        {"phone": "+49 151 12345678"},
        {"phone": "+123456789012345678"},
        {"phone": ""},
        {"phone": 4915112345678},
        {"username": "admin"},
        {"kycTier": "TIER_2"},
        {"platformRoles": ["PADMIN"]},
        [],
        None,
    ],
)
def test_refuses_a_body_of_the_wrong_form(aws: Platform, body: Any) -> None:
    user = factories.user()
    refused(aws, 400, "VALIDATION_ERROR", "update_me", user, body)


def test_refuses_a_version_that_is_not_the_one_seen(aws: Platform) -> None:
    user = factories.user()
    refused(aws, 412, "VERSION_MISMATCH", "update_me", user, CONTACT, headers={"If-Match": '"7"'})
    assert aws.call("update_me", user, CONTACT, headers={"If-Match": '"1"'}).status == 200


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("update_me", None, CONTACT).status == 401
