"""The receiver's check of a webhook, against Stripe's own as the oracle."""

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import subprocess
import sys
import time
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from bloxtr8 import config, errors
from bloxtr8.rails import stripe_webhooks
from bloxtr8.rails.stripe_webhooks import verify

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
AT = int(NOW.timestamp())
SECRET, OLD = "whsec_new", "whsec_old"


def event(**changes: Any) -> dict[str, Any]:
    whole = {
        "id": "evt_1QabcDEF",
        "object": "event",
        "type": "payment_intent.succeeded",
        "api_version": config.settings().stripe_api_version,
        "livemode": False,
        "created": AT,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "metadata": {}}},
    }
    return whole | changes


def body(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


def sign(raw: bytes, secret: str = SECRET, at: int = AT) -> str:
    return stripe.WebhookSignature.generate_signature_header(raw.decode(), secret, at)


def refusal(raw: bytes, header: str | None = None, secrets: tuple[str, ...] = (SECRET,)) -> errors.Invalid:
    with pytest.raises(errors.Invalid) as caught:
        verify(raw, sign_bytes(raw) if header is None else header, secrets, NOW)
    assert caught.value.status == 400
    return caught.value


def sign_bytes(raw: bytes) -> str:
    """A true signature over bytes that need not be text."""
    return f"t={AT},v1=" + hmac.new(SECRET.encode(), f"{AT}.".encode() + raw, hashlib.sha256).hexdigest()


def test_returns_the_event_that_stripe_signed() -> None:
    assert verify(body(), sign(body()), [SECRET], NOW) == event()


def test_keeps_unicode_and_unknown_fields() -> None:
    raw = json.dumps(event(extra={"title": "قصر 🏰"}), ensure_ascii=False, indent=2).encode()
    assert verify(raw, sign(raw), [SECRET], NOW)["extra"] == {"title": "قصر 🏰"}


@pytest.mark.parametrize("signed_with", [SECRET, OLD])
def test_takes_either_secret_while_one_is_rolled(signed_with: str) -> None:
    assert verify(body(), sign(body(), signed_with), [OLD, "", SECRET], NOW)


def test_takes_one_good_signature_among_others() -> None:
    good = sign(body()).split("v1=")[1]
    assert verify(body(), f"t={AT},v1=00,v0=dead,v1={good}", [SECRET], NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_takes_signatures_within_the_tolerance(seconds: int) -> None:
    assert verify(body(), sign(body(), at=AT + seconds), [SECRET], NOW)


@pytest.mark.parametrize("seconds", [-301, 301, 10**6])
def test_refuses_signatures_of_the_past_and_of_the_future(seconds: int) -> None:
    assert refusal(body(), sign(body(), at=AT + seconds)).code == "INVALID_SIGNATURE"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "t=,v1=",
        f"t={AT}",
        "v1=00",
        f"t={AT},v1=",
        f"t={AT},v1=00",
        f"t={AT},v1=é",
        f"t={AT},t={AT},v1=00",
        f"t=-{AT},v1=00",
        f"t={'9' * 400},v1=00",
        "t=١,v1=00",
        f"t={AT},v0={'0' * 64}",
        "t=1e9,v1=00",
    ],
)
def test_refuses_headers_that_prove_nothing(header: str) -> None:
    assert refusal(body(), header).code == "INVALID_SIGNATURE"


def test_refuses_a_good_signature_with_two_times() -> None:
    assert refusal(body(), f"t={AT}," + sign(body())).code == "INVALID_SIGNATURE"


def test_refuses_a_missing_header() -> None:
    with pytest.raises(errors.Invalid):
        verify(body(), None, [SECRET], NOW)


def test_refuses_another_secret_and_a_changed_body() -> None:
    assert refusal(body(), sign(body(), "whsec_wrong")).code == "INVALID_SIGNATURE"
    assert refusal(body() + b" ", sign(body())).code == "INVALID_SIGNATURE"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b"1",
        b'"event"',
        b"NaN",
        b"\xef\xbb\xbf{}",
        b'{"a": Infinity}',
        b"[" * 100_000,
        b"1" * 5_000,
        json.dumps(event(id="evt_\ud800")).encode(),
        json.dumps(event(data={"object": {"a": "\udfff"}})).encode(),
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_refuses_every_kind_of_malformed_body(raw: bytes) -> None:
    assert refusal(raw).code == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "v2.core.event"},
        {"object": None},
        {"id": None},
        {"id": "pi_1"},
        {"id": "evt_" + "x" * 300},
        {"id": "evt_#"},
        {"type": 7},
        {"data": None},
        {"data": {}},
        {"data": {"object": []}},
        {"account": 7},
    ],
)
def test_refuses_what_is_not_a_snapshot_event(changes: dict[str, Any]) -> None:
    assert refusal(body(**changes)).code == "VALIDATION_ERROR"


@pytest.mark.parametrize("version", ["2020-08-27", None])
def test_refuses_events_of_another_api_version(version: str | None) -> None:
    assert refusal(body(api_version=version)).code == "WRONG_API_VERSION"


@pytest.mark.parametrize("livemode", [True, None, 0, "false"])
def test_refuses_events_of_the_other_mode(livemode: object) -> None:
    assert refusal(body(livemode=livemode)).code == "WRONG_MODE"


@pytest.mark.parametrize("secrets", [[], [""], [" "]])
def test_is_unavailable_without_a_secret(secrets: list[str]) -> None:
    with pytest.raises(errors.Unavailable):
        verify(body(), sign(body()), secrets, NOW)


def test_expects_the_api_version_of_the_pinned_package() -> None:
    assert config.settings().stripe_api_version == stripe.api_version


def test_imports_no_stripe() -> None:
    modules = "bloxtr8.rails, bloxtr8.rails.stripe_webhooks, bloxtr8.rails.stripe_events"
    code = f"import sys, {modules}; assert 'stripe' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "layers/shared"})


def oracle(raw: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(raw, header, secret, tolerance=300)
    except Exception:  # it also raises UnicodeDecodeError and TypeError
        return False
    return True


def ours(raw: bytes, header: str, secret: str) -> bool:
    """Whether the signature passed; what follows it is JSON's business."""
    try:
        verify(raw, header, [secret], dt.datetime.fromtimestamp(int(time.time()), dt.UTC))
    except errors.Invalid as refused:
        return refused.code != stripe_webhooks.SIGNATURE
    return True


SECRETS = st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=40)


@settings(deadline=None)
@given(text=st.text(max_size=200), secret=SECRETS, other=SECRETS, seconds=st.integers(-290, 0))
def test_agrees_with_stripe_on_headers_that_stripe_makes(text: str, secret: str, other: str, seconds: int) -> None:
    header = stripe.WebhookSignature.generate_signature_header(text, secret, int(time.time()) + seconds)
    raw = text.encode()
    assert ours(raw, header, secret)
    assert oracle(raw, header, secret)
    assert ours(raw, header, other) is oracle(raw, header, other)


PIECES = st.sampled_from(["t", "v1", "v0", "T", " t", ""])
VALUES = st.one_of(st.text(max_size=8), st.integers().map(str), st.sampled_from(["GOOD", "NOW"]))


@settings(deadline=None)
@given(text=st.text(max_size=50), parts=st.lists(st.tuples(PIECES, VALUES), max_size=5), joint=st.sampled_from(",;"))
def test_never_passes_what_stripe_refuses(text: str, parts: list[tuple[str, str]], joint: str) -> None:
    at = str(int(time.time()))
    good = stripe.WebhookSignature.generate_signature_header(text, SECRET, int(at)).split("v1=")[1]
    filled = [(name, {"GOOD": good, "NOW": at}.get(value, value)) for name, value in parts]
    header = joint.join(f"{name}={value}" for name, value in filled)
    assert not ours(text.encode(), header, SECRET) or oracle(text.encode(), header, SECRET)


@settings(deadline=None)
@given(raw=st.binary(max_size=200))
def test_answers_any_signed_bytes_with_an_event_or_400(raw: bytes) -> None:
    with pytest.raises(errors.Invalid):
        verify(raw, sign_bytes(raw), [SECRET], NOW)


ODD = st.sampled_from([None, True, 0, 7, -1.5, "", "x", "٣", [], {}, [[]], [{}], {"object": {}}, {"object": []}])


@settings(deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*event(), "account"]), ODD, max_size=4))
def test_answers_any_shape_of_event_with_itself_or_400(changes: dict[str, Any]) -> None:
    raw = body(**changes)
    with contextlib.suppress(errors.Invalid):
        assert verify(raw, sign(raw), [SECRET], NOW) == event(**changes)
