"""Every answer of Stripe that is not success, in the rails' words (rail-stripe.md, Errors)."""

import datetime as dt
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
import stripe
from stripe import StripeClient

from bloxtr8.rails import base, stripe_errors
from bloxtr8.rails.stripe_errors import past_stored_failure, translated
from tests.emulator import Clock


class Scripted(stripe.HTTPClient):
    """Answers what it was told, in order; the last answer again and again. None: the connection dies."""

    name = "scripted"

    def __init__(self, *answers: tuple[int, dict[str, Any], dict[str, str]] | None) -> None:
        super().__init__()
        self.answers, self.keys = list(answers), list[str | None]()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        self.keys.append((headers or {}).get("Idempotency-Key"))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise stripe.APIConnectionError("connection died", should_retry=False)
        status, body, more = answer
        return json.dumps(body), status, {"request-id": "req_1", **more}

    def close(self) -> None:
        """Nothing is open."""


def answer(
    status: int,
    code: str = "",
    kind: str = "invalid_request_error",
    *,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    error = {"type": kind, "message": "Jane Doe, jane@example.com", "code": code, **more}
    return status, {"error": error}, headers or {}


def call(*answers: tuple[int, dict[str, Any], dict[str, str]] | None, usable_at: dt.datetime | None = None) -> str:
    client = StripeClient("sk_test_1", http_client=Scripted(*answers))
    with translated(usable_at=usable_at):
        return client.v1.customers.create({}, {"idempotency_key": "k"}).id


@pytest.mark.parametrize(
    ("answered", "ours"),
    [
        (answer(429, "rate_limit"), base.RailThrottled),
        (answer(429, "lock_timeout"), base.RailThrottled),
        (answer(400, "rate_limit"), base.RailThrottled),
        (answer(409, "lock_timeout"), base.RailThrottled),
        (answer(409, "idempotency_key_in_use", "idempotency_error"), base.RailThrottled),
        (None, base.RailOutcomeUnknown),
        (answer(500, kind="api_error"), base.RailOutcomeUnknown),
        (answer(502, kind="api_error"), base.RailOutcomeUnknown),
        (answer(503, kind="api_error"), base.RailOutcomeUnknown),
        (answer(424, "external_dependency_failed"), base.RailOutcomeUnknown),
        (answer(402, "card_declined", "card_error"), base.RailDeclined),
        (answer(400, "balance_insufficient"), base.RailFundsPending),
        (answer(400, "insufficient_capabilities_for_transfer"), base.SellerNotReady),
        (answer(400, "account_closed"), base.SellerNotReady),
        (answer(403, "account_invalid"), base.SellerNotReady),
        (answer(400, "charge_disputed"), base.RailFrozen),
        (answer(400, "charge_already_refunded"), base.RailBug),
        (answer(400, "parameter_unknown"), base.RailBug),
        (answer(400, "amount_too_small"), base.RailBug),
        (answer(404, "resource_missing"), base.RailBug),
        (answer(400, kind="idempotency_error"), base.RailBug),
        (answer(401), base.RailBug),
        (answer(403), base.RailBug),
    ],
)
def test_translates(answered: Any, ours: type[base.RailError]) -> None:
    with pytest.raises(base.RailError) as caught:
        call(answered)
    assert type(caught.value) is ours


def test_an_answer_that_is_not_json_is_an_unknown_outcome() -> None:
    class Garbled(Scripted):
        def request(self, *args: Any, **kwargs: Any) -> tuple[str, int, Mapping[str, str]]:
            return "<html>", 200, {}

    client = StripeClient("sk_test_1", http_client=Garbled(None))
    with pytest.raises(base.RailOutcomeUnknown), translated():
        client.v1.customers.create({})


def test_a_decline_carries_the_banks_code() -> None:
    with pytest.raises(base.RailDeclined) as caught:
        call(answer(402, "card_declined", "card_error", decline_code="lost_card"))
    assert caught.value.code == "lost_card"
    with pytest.raises(base.RailDeclined) as caught:
        call(answer(402, "expired_card", "card_error"))
    assert caught.value.code == "expired_card"


def test_funds_are_pending_until_the_charge_is_usable(clock: Clock) -> None:
    usable_at = clock.now() + dt.timedelta(days=2)
    with pytest.raises(base.RailFundsPending) as caught:
        call(answer(400, "balance_insufficient"), usable_at=usable_at)
    assert caught.value.available_at == usable_at


@pytest.mark.parametrize("usable", [None, dt.timedelta(days=-1)])
def test_funds_missing_for_another_reason_are_asked_for_in_an_hour(clock: Clock, usable: dt.timedelta | None) -> None:
    with pytest.raises(base.RailFundsPending) as caught:
        call(answer(400, "balance_insufficient"), usable_at=clock.now() + usable if usable else None)
    wait = caught.value.available_at - clock.now()
    assert dt.timedelta(minutes=59) < wait <= dt.timedelta(hours=1)


def test_no_text_of_stripe_reaches_ours_or_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(base.RailBug) as caught:
        call(answer(400, "email_invalid"))
    assert "Jane" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    logging.getLogger(__name__).error("refused", exc_info=caught.value)
    assert "jane@example.com" not in caplog.text


REPLAYED = answer(500, kind="api_error", headers={"Idempotent-Replayed": "true"})
MADE = (200, {"id": "cus_1", "object": "customer"}, {})


def make(http: Scripted) -> str:
    client = StripeClient("sk_test_1", http_client=http)
    with translated():
        return past_stored_failure(lambda key: client.v1.customers.create({}, {"idempotency_key": key}), "k").id


def test_a_stored_failure_is_left_behind_with_a_spare_key() -> None:
    http = Scripted(REPLAYED, REPLAYED, MADE)
    assert make(http) == "cus_1"
    assert http.keys == ["k", "k:2", "k:3"]


def test_a_first_failure_keeps_its_key() -> None:
    http = Scripted(answer(500, kind="api_error"), MADE)
    with pytest.raises(base.RailOutcomeUnknown):
        make(http)
    assert http.keys == ["k"]


def test_stored_failures_without_end_are_an_unknown_outcome() -> None:
    http = Scripted(REPLAYED)
    with pytest.raises(base.RailOutcomeUnknown):
        make(http)
    assert len(http.keys) == len(stripe_errors.SPARE_KEYS)
