"""Stripe's events: verified over the raw bytes, stored once, and nothing of it that names a person."""

import json
from functools import partial
from typing import Any

import pytest

from bloxtr8 import config
from bloxtr8.entities import WebhookStatus
from tests import emulator
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.webhooks import SECRET, deliver, event, row_of, signed, stored
from tests.wire import Wire

PAID = {
    "id": "pi_1",
    "object": "payment_intent",
    "client_secret": "pi_1_secret_XYZ",
    "receipt_email": "ada@example.com",
    "shipping": {"name": "Ada Lovelace", "address": {"line1": "1 Byron Street"}},
    "metadata": {"protectedPayment": "esc_1", "opId": "esc_1:open:1", "note": "ring at Lovelace"},
}
PERSONAL = ["secret", "ada@", "Lovelace", "Byron"]


def test_stores_what_is_read_of_an_event_and_hands_it_on_by_the_stream_alone(aws: Platform) -> None:
    sent = event("payment_intent.succeeded", PAID)

    answer = deliver(aws, sent)

    assert (answer.status, answer.body) == (200, {"received": True, "duplicate": False})
    row = row_of(sent)
    assert (row.status, row.event_type, row.attempts) == (WebhookStatus.RECEIVED, sent["type"], 0)
    assert row.payload == {
        **{name: sent[name] for name in ("id", "type", "api_version", "livemode", "created")},
        "data": {
            "object": {
                "id": "pi_1",
                "object": "payment_intent",
                "metadata": {"protectedPayment": "esc_1", "opId": "esc_1:open:1"},
            }
        },
    }
    assert (row.gsi3pk, row.body_key) == ("QUEUE#WEBHOOK", None)
    assert len(aws.rows()) == 1


def test_a_duplicate_is_taken_and_changes_nothing(aws: Platform) -> None:
    sent = event("payment_intent.succeeded", PAID)
    stored(aws, sent)
    before = aws.rows()

    answers = [deliver(aws, sent) for _ in range(3)]

    assert {(answer.status, answer.body["duplicate"]) for answer in answers} == {(200, True)}
    assert aws.rows() == before


def test_two_deliveries_at_once_leave_one_row(aws: Platform) -> None:
    for _ in range(3):
        sent = event("payment_intent.succeeded", PAID)
        answers = together(*[partial(deliver, aws, sent)] * 2)
        assert [answer.status for answer in answers] == [200, 200]
        assert sorted(answer.body["duplicate"] for answer in answers) == [False, True]


def test_the_same_id_of_another_account_is_another_event(aws: Platform) -> None:
    sent = event("account.updated", {"id": "acct_1", "object": "account"})
    assert not deliver(aws, sent).body["duplicate"]
    assert not deliver(aws, sent | {"account": "acct_1"}).body["duplicate"]
    assert row_of(sent | {"account": "acct_1"}).account == "acct_1"


@pytest.mark.parametrize("coded", [True, False], ids=["base64", "text"])
def test_the_signature_is_over_the_bytes_as_they_came(aws: Platform, coded: bool) -> None:
    sent = event("customer.updated", {"id": "cus_1", "description": "Zoë 🚀"})
    raw = json.dumps(sent, indent=3, ensure_ascii=False, sort_keys=True).encode() + b"\n \n"

    assert deliver(aws, raw, coded=coded).status == 200


@pytest.mark.parametrize("name", ["stripe-signature", "STRIPE-SIGNATURE", "Stripe-signature"])
def test_the_header_may_be_written_in_any_case(aws: Platform, name: str) -> None:
    raw = json.dumps(event("customer.updated", {"id": "cus_1"})).encode()
    header = signed(aws, raw)["Stripe-Signature"]

    assert aws.call("receive_stripe_event", raw=raw, headers={name: header}).status == 200


def test_both_secrets_are_good_while_one_is_rolled(aws: Platform) -> None:
    secret = emulator.SECRETS["stripe"] | {"webhookSecrets": ["whsec_new", SECRET]}
    emulator.client("secretsmanager").put_secret_value(SecretId="bloxtr8/local/stripe", SecretString=json.dumps(secret))

    for secrets in [("whsec_new",), (SECRET,), ("whsec_other", "whsec_new")]:
        assert deliver(aws, event("customer.updated", {"id": "cus_1"}), secrets=secrets).status == 200
    raw = json.dumps(event("customer.updated", {"id": "cus_1"})).encode()
    refused(aws, 400, "INVALID_SIGNATURE", "receive_stripe_event", raw=raw, headers=signed(aws, raw, "whsec_other"))


def test_what_is_not_stripes_is_refused_and_not_stored(aws: Platform, clock: Clock, subtests: pytest.Subtests) -> None:
    raw = json.dumps(event("payment_intent.succeeded", PAID)).encode()
    good = signed(aws, raw)
    cases: dict[str, tuple[bytes, dict[str, str]]] = {
        "no signature": (raw, {}),
        "another secret": (raw, signed(aws, raw, "whsec_guessed")),
        "a changed byte": (raw.replace(b"pi_1", b"pi_2", 1), good),
        "a space more": (raw + b" ", good),
        "a signature without a time": (raw, {"Stripe-Signature": good["Stripe-Signature"].partition(",")[2]}),
        "v0 alone": (raw, {"Stripe-Signature": good["Stripe-Signature"].replace("v1=", "v0=")}),
        "not ASCII": (raw, {"Stripe-Signature": "t=1,v1=é"}),
    }
    for name, (body, headers) in cases.items():
        with subtests.test(name):
            refused(aws, 400, "INVALID_SIGNATURE", "receive_stripe_event", raw=body, headers=headers)
    for seconds in (301, -301):
        with subtests.test(f"{seconds} s old"):
            clock.advance(seconds=seconds)
            refused(aws, 400, "INVALID_SIGNATURE", "receive_stripe_event", raw=raw, headers=good)
            clock.advance(seconds=-seconds)


def test_what_stripe_signed_but_is_no_event_of_ours_is_refused(aws: Platform, subtests: pytest.Subtests) -> None:
    whole = event("payment_intent.succeeded", PAID)
    cases: dict[str, tuple[str, Any]] = {
        "another API version": ("WRONG_API_VERSION", whole | {"api_version": "2024-06-20"}),
        "live mode": ("WRONG_MODE", whole | {"livemode": True}),
        "no mode": ("WRONG_MODE", {name: value for name, value in whole.items() if name != "livemode"}),
        "a thin event": ("VALIDATION_ERROR", whole | {"object": "v2.core.event"}),
        "an id of another shape": ("VALIDATION_ERROR", whole | {"id": "evt_1#META/../x"}),
        "no object": ("VALIDATION_ERROR", whole | {"data": {}}),
        "a list": ("VALIDATION_ERROR", [whole]),
        "no JSON": ("VALIDATION_ERROR", b"{"),
        "no text": ("VALIDATION_ERROR", b"\xff\xfe"),
        "NaN": ("VALIDATION_ERROR", b'{"id": NaN}'),
        "depth": ("VALIDATION_ERROR", b"[" * 100_000),
        "half a pair": ("VALIDATION_ERROR", json.dumps(whole).encode().replace(b"pi_1", b"\\ud800", 1)),
        "nothing": ("VALIDATION_ERROR", b""),
    }
    for name, (code, sent) in cases.items():
        with subtests.test(name):
            raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
            refused(aws, 400, code, "receive_stripe_event", raw=raw, headers=signed(aws, raw))


def test_a_body_too_large_is_refused(aws: Platform) -> None:
    raw = b" " * (256 * 1024 + 1)
    refused(aws, 413, "BODY_TOO_LARGE", "receive_stripe_event", raw=raw, headers=signed(aws, raw))


def test_live_events_are_taken_by_a_live_deployment(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_LIVEMODE", "true")
    config.settings.cache_clear()
    assert deliver(aws, event("customer.updated", {"id": "cus_1"}, livemode=True)).status == 200
    config.settings.cache_clear()


def test_no_row_names_a_person_or_holds_a_secret(aws: Platform) -> None:
    person = {"individual": {"email": "ada@example.com", "first_name": "Lovelace"}, "id": "acct_1", "object": "account"}
    stored(aws, event("payment_intent.succeeded", PAID))
    stored(aws, event("account.updated", person, account="acct_1"))

    text = json.dumps(aws.rows())

    assert [word for word in PERSONAL if word in text] == []


def large(thing: dict[str, Any]) -> dict[str, Any]:
    return thing | {"requirements": ["individual.verification.document"] * 300}


def kept(key: str | None) -> bytes:
    found = emulator.client("s3").get_object(Bucket="bloxtr8-local-evidence", Key=key)
    return bytes(found["Body"].read())


def test_a_body_above_8_kib_lies_in_the_bucket_and_its_ids_in_the_row(aws: Platform) -> None:
    sent = event("account.updated", large({"id": "acct_1", "object": "account"}), account="acct_1")

    row = stored(aws, sent)

    assert row.body_key == f"webhooks/stripe/acct_1/{sent['id']}.json"
    assert kept(row.body_key) == json.dumps(sent).encode()
    assert row.payload["data"] == {"object": {"id": "acct_1", "object": "account"}}
    assert len(json.dumps(aws.rows())) < 2_000
    assert deliver(aws, sent).body == {"received": True, "duplicate": True}


def test_the_client_secret_is_not_kept_in_the_bucket_either(aws: Platform) -> None:
    sent = event("payment_intent.succeeded", large(PAID))

    body = kept(stored(aws, sent).body_key)

    assert b"secret" not in body
    assert json.loads(body)["data"]["object"]["receipt_email"] == "ada@example.com"


@pytest.mark.parametrize(("operation", "thing"), [("PutItem", PAID), ("PutObject", large(PAID))])
@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_what_could_not_be_stored_is_an_error_and_comes_again(
    aws: Platform, wire: Wire, operation: str, thing: dict[str, Any], done: bool
) -> None:
    sent = event("payment_intent.succeeded", thing)
    wire.lose(operation, done=done)

    with pytest.raises(Exception, match="Connection"):
        deliver(aws, sent)

    assert deliver(aws, sent).status == 200
    assert row_of(sent).status is WebhookStatus.RECEIVED
    assert len(aws.rows()) == 1
