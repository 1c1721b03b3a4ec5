"""The seller's account at Stripe is opened."""

from functools import partial
from typing import Any

import pytest

from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions.people import deals_of

BODY = {"country": "US"}
LOST = ["drop_before", "drop_after", "500_after", "429", "503"]


def seller(**fields: Any) -> Any:
    return factories.user(**{"payout_account_id": None, "payout_country": None, "payouts_ready": False} | fields)


def opened(aws: Platform, user: Any, country: str = "US") -> str:
    answer = aws.call("open_payout_account", user, {"country": country})
    assert answer.status == 200, answer.body
    return str(answer.body["accountId"])


def keys(stripe: StripeDouble) -> list[str | None]:
    return [call.idempotency_key for call in stripe.requests if (call.method, call.path) == ("POST", "/v1/accounts")]


def accounts(stripe: StripeDouble) -> int:
    return len([event for event in stripe.events if event["type"] == "account.updated"])


def test_opens_an_account_and_answers_where_to_finish_it(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    answer = aws.call("open_payout_account", user, BODY)
    assert answer.status == 200
    assert set(answer.body) == {"accountId", "onboardingUrl", "expiresAt"}
    assert answer.body["onboardingUrl"].startswith("https://")
    assert keys(stripe) == [f"user:{user.id}:account"]
    me = aws.call("get_me", user).body
    assert me["payoutAccount"] == {"accountId": answer.body["accountId"], "country": "US", "ready": False}
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.actor) == ("open_payout_account", user.id)
    assert entry.details == {"accountId": answer.body["accountId"], "country": "US"}
    [lookup] = [row for row in aws.rows() if row["PK"]["S"] == f"LOOKUP#AC#{answer.body['accountId']}"]
    assert lookup["target"]["S"] == user.id


def test_a_repeat_answers_the_same_account_with_a_new_link(aws: Platform, stripe: StripeDouble) -> None:
    user, key = seller(), {"Idempotency-Key": "k"}
    first, second = (aws.call("open_payout_account", user, BODY, headers=key) for _ in range(2))
    assert first.body["accountId"] == second.body["accountId"]
    assert first.body["onboardingUrl"] != second.body["onboardingUrl"]
    assert len(keys(stripe)) == 1
    assert first.body["onboardingUrl"] not in str(aws.rows())
    assert not [row for row in aws.rows() if row["PK"]["S"].startswith("IDEM#")]


@pytest.mark.parametrize("fault", LOST)
def test_whatever_is_lost_a_repeat_finds_one_account(aws: Platform, stripe: StripeDouble, fault: str) -> None:
    user = seller()
    stripe.fault(fault, "post", "/v1/accounts$", None)
    answer = aws.call("open_payout_account", user, BODY)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    assert aws.call("get_me", user).body["payoutAccount"] is None
    assert "OP#account" in {row["SK"]["S"] for row in aws.rows()}
    stripe.clear_faults()
    opened(aws, user)
    assert {str(key).removesuffix(":2").removesuffix(":3") for key in keys(stripe)} == {f"user:{user.id}:account"}
    assert fault == "500_after" or accounts(stripe) == 1  # a 500 that is replayed for a day costs an empty account


def test_a_lost_link_loses_nothing(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    stripe.fault("503", "post", "/v1/account_links$", None)
    assert aws.call("open_payout_account", user, BODY).status == 502
    stripe.clear_faults()
    opened(aws, user)
    assert len(keys(stripe)) == 1


def test_another_country_after_a_lost_answer_is_another_attempt(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    stripe.fault("drop_after", "post", "/v1/accounts$", 3)
    assert aws.call("open_payout_account", user, BODY).status == 502
    opened(aws, user, "DE")
    assert keys(stripe)[-1] == f"user:{user.id}:account:2"
    assert aws.call("get_me", user).body["payoutAccount"]["country"] == "DE"


def test_another_country_replaces_the_account(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    first = opened(aws, user)
    stripe.onboard(first)
    assert aws.call("get_payout_account", user).body["ready"] is True
    second = opened(aws, user, "CA")
    assert second != first
    me = aws.call("get_me", user).body
    assert me["payoutAccount"] == {"accountId": second, "country": "CA", "ready": False}
    assert len({opened(aws, user) for _ in range(2)} | {first, second}) == 3


def test_a_closed_account_is_replaced_in_the_same_country(aws: Platform, stripe: StripeDouble) -> None:
    user = seller(payout_account_id="acct_closed", payout_country="US", payouts_ready=True)
    account_id = opened(aws, user)
    assert account_id != "acct_closed"
    assert aws.call("get_me", user).body["payoutAccount"]["accountId"] == account_id


@pytest.mark.parametrize("account_id", ["acct_of_another_country", "acct_closed"])
def test_refuses_to_replace_while_a_deal_is_open(aws: Platform, stripe: StripeDouble, account_id: str) -> None:
    user = seller(payout_account_id=account_id, payout_country="US", payouts_ready=True)
    deals_of(user, open=1)
    before = aws.rows()
    country = "US" if account_id == "acct_closed" else "CA"
    answer = aws.call("open_payout_account", user, {"country": country})
    assert (answer.status, answer.code) == (409, "HAS_OPEN_DEALS")
    assert aws.rows() == before
    assert keys(stripe) == []


def test_a_first_account_and_a_new_link_need_no_end_of_deals(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    deals_of(user, open=1)
    assert opened(aws, user) == opened(aws, user)


def test_two_at_once_make_one_account(aws: Platform, stripe: StripeDouble) -> None:
    for _ in range(5):
        user = seller()
        answers = together(*[partial(aws.call, "open_payout_account", user, BODY)] * 2)
        assert {answer.status for answer in answers} <= {200, 502}  # 502: Stripe refuses a key that is in use
        ids = {answer.body["accountId"] for answer in answers if answer.status == 200}
        assert ids == {aws.call("get_me", user).body["payoutAccount"]["accountId"]}
        assert [entry.action for entry in aws.audit(user.id)][1:] == ["open_payout_account"]


def test_refuses_tier_0(aws: Platform, stripe: StripeDouble) -> None:
    user = factories.newcomer()
    before = aws.rows()
    answer = aws.call("open_payout_account", user, BODY)
    assert (answer.status, answer.code) == (403, "KYC_REQUIRED")
    assert answer.body["requiredTier"] == "TIER_1"
    assert aws.rows() == before


def test_refuses_a_country_that_is_not_served(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    before = aws.rows()
    answer = aws.call("open_payout_account", user, {"country": "KP"})
    assert (answer.status, answer.code) == (422, "COUNTRY_NOT_SUPPORTED")
    assert (aws.rows(), stripe.requests) == (before, [])


def test_refuses_a_version_that_is_not_the_one_seen(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    answer = aws.call("open_payout_account", user, BODY, headers={"If-Match": '"9"'})
    assert (answer.status, answer.code) == (412, "VERSION_MISMATCH")
    assert stripe.requests == []


@pytest.mark.parametrize("body", [None, {}, {"country": "us"}, {"country": "USA"}, {"country": 1}, BODY | {"x": 1}])
def test_refuses_a_body_of_the_wrong_form(aws: Platform, stripe: StripeDouble, body: Any) -> None:
    user = seller()
    refused(aws, 400, "VALIDATION_ERROR", "open_payout_account", user, body)


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("open_payout_account", None, BODY).status == 401
