"""Whether the seller can be paid."""

import pytest

from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.emulator import Platform
from tests.functions.test_open_payout_account import opened, seller


def test_shows_what_stripe_still_wants(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    account_id = opened(aws, user)
    before = aws.rows()
    answer = aws.call("get_payout_account", user)
    assert answer.status == 200
    assert answer.body["requirements"]
    assert answer.body == {
        "accountId": account_id,
        "country": "US",
        "ready": False,
        "payoutsEnabled": False,
        "requirements": answer.body["requirements"],
    }
    assert aws.rows() == before


def test_keeps_that_the_account_became_ready(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    stripe.onboard(opened(aws, user))
    answer = aws.call("get_payout_account", user)
    assert (answer.body["ready"], answer.body["payoutsEnabled"], answer.body["requirements"]) == (True, True, [])
    assert aws.call("get_me", user).body["payoutAccount"]["ready"] is True
    entry = aws.audit(user.id)[-1]
    assert (entry.action, entry.details) == ("get_payout_account", {"ready": True})
    before = aws.rows()
    assert aws.call("get_payout_account", user).body == answer.body
    assert aws.rows() == before


def test_keeps_that_the_account_is_no_longer_ready(aws: Platform, stripe: StripeDouble) -> None:
    user = seller()
    account_id = opened(aws, user)
    stripe.onboard(account_id)
    aws.call("get_payout_account", user)
    stripe.onboard(account_id, succeeds=False)
    assert aws.call("get_payout_account", user).body["ready"] is False
    assert aws.call("get_me", user).body["payoutAccount"]["ready"] is False


def test_an_account_that_stripe_closed_is_not_ready(aws: Platform, stripe: StripeDouble) -> None:
    user = seller(payout_account_id="acct_closed", payout_country="US", payouts_ready=True)
    answer = aws.call("get_payout_account", user)
    assert (answer.status, answer.body["ready"], answer.body["requirements"]) == (200, False, [])
    assert aws.call("get_me", user).body["payoutAccount"]["ready"] is False


@pytest.mark.parametrize("fault", ["drop_before", "429", "503"])
def test_an_outage_is_502_and_changes_nothing(aws: Platform, stripe: StripeDouble, fault: str) -> None:
    user = seller(payout_account_id="acct_1", payout_country="US", payouts_ready=True)
    before = aws.rows()
    stripe.fault(fault, "get", "/v1/accounts/", None)
    answer = aws.call("get_payout_account", user)
    assert (answer.status, answer.code) == (502, "UPSTREAM_FAILED")
    assert aws.rows() == before


def test_nothing_opened_is_404(aws: Platform, stripe: StripeDouble) -> None:
    answer = aws.call("get_payout_account", seller())
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_refuses_tier_0(aws: Platform, stripe: StripeDouble) -> None:
    answer = aws.call("get_payout_account", factories.newcomer())
    assert (answer.status, answer.code) == (403, "KYC_REQUIRED")


def test_refuses_nobody(aws: Platform) -> None:
    assert aws.call("get_payout_account").status == 401
