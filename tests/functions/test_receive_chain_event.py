"""Hints of the chain's providers: verified over the raw bytes, stored once a log, and no amount of them."""

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from bloxtr8 import config
from bloxtr8.entities import WebhookStatus
from tests import emulator
from tests.checks import refused, together
from tests.emulator import Platform
from tests.functions.hooks import (
    TX,
    USDBC,
    USDC,
    VAULT,
    activity,
    alchemy_signed,
    coinbase,
    coinbase_signed,
    custom,
    deliver,
    events,
    log,
    quicknode,
    quicknode_signed,
    raw,
    topics,
)
from tests.wire import Wire

OTHER = "0x" + "77" * 20


@pytest.fixture(autouse=True)
def chain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Base Sepolia."""
    monkeypatch.setenv("USDC_ADDRESS", USDC)
    monkeypatch.setenv("CHAIN_ID", "84532")
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


def refuse(aws: Platform, body: bytes, headers: dict[str, str]) -> None:
    refused(aws, 401, "INVALID_SIGNATURE", "receive_chain_event", raw=body, headers=headers)


SENDERS: dict[str, tuple[Any, Callable[[Platform, bytes], dict[str, str]]]] = {
    "Alchemy, a custom webhook": (custom(log()), lambda _, body: alchemy_signed(body)),
    "Alchemy, an address activity": (activity(), lambda _, body: alchemy_signed(body)),
    "Coinbase": (coinbase(), coinbase_signed),
    "Coinbase, in an envelope": ({"eventId": "e-1", "data": coinbase()}, coinbase_signed),
    "QuickNode": (quicknode(), lambda _, body: quicknode_signed(body)),
    "QuickNode, logs alone": (quicknode()["data"], lambda _, body: quicknode_signed(body)),
}


@pytest.mark.parametrize("name", SENDERS)
def test_a_deposit_is_stored_as_a_hint_at_its_vault(aws: Platform, name: str) -> None:
    payload, sign = SENDERS[name]

    answer = deliver(aws, payload, headers=sign(aws, raw(payload)))

    assert (answer.status, answer.body) == (200, {"received": True, "hints": 1, "new": 1})
    (row,) = events()
    assert (row.provider, row.account, row.event_id) == ("chain", "84532", f"{TX}:5")
    assert (row.status, row.event_type, row.payload) == (WebhookStatus.RECEIVED, "transfer", {"vault": VAULT})
    assert len(aws.rows()) == 1


def test_no_amount_is_kept_of_it(aws: Platform) -> None:
    deliver(aws, custom(log()))
    deliver(aws, activity())

    stored = json.dumps(aws.rows())

    assert [text for text in ("3b9aca00", "1000") if text in stored] == []


def test_one_deposit_told_twenty_times_by_everybody_in_any_order_is_one_event(aws: Platform) -> None:
    sent = [(payload, sign(aws, raw(payload))) for payload, sign in SENDERS.values()] * 20
    random.Random(7).shuffle(sent)

    answers = [deliver(aws, payload, headers=headers) for payload, headers in sent]

    assert {answer.status for answer in answers} == {200}
    assert sum(answer.body["new"] for answer in answers) == 1
    assert len(events()) == len(aws.rows()) == 1


def test_two_deliveries_at_once_leave_one_row(aws: Platform) -> None:
    answers = together(*[partial(deliver, aws, custom(log()))] * 2)

    assert [answer.status for answer in answers] == [200, 200]
    assert sum(answer.body["new"] for answer in answers) == len(aws.rows()) == 1


def test_every_vault_of_a_block_is_hinted_at_once(aws: Platform) -> None:
    answer = deliver(aws, custom(log(index=1), log(index=2), log(OTHER, index=3), log(index=4, removed=True)))

    assert answer.body == {"received": True, "hints": 3, "new": 3}
    assert {(row.event_id, row.payload["vault"]) for row in events()} == {
        (f"{TX}:1", VAULT),
        (f"{TX}:3", OTHER),
        (f"{TX}:4:removed", VAULT),
    }


def test_a_removed_log_is_an_event_of_its_own(aws: Platform) -> None:
    deliver(aws, activity())

    assert deliver(aws, activity(removed=True)).body["new"] == 1

    assert sorted(row.event_type for row in events()) == ["removed", "transfer"]


@pytest.mark.parametrize("coded", [True, False], ids=["base64", "text"])
def test_the_signature_is_over_the_bytes_as_they_came(aws: Platform, coded: bool) -> None:
    body = json.dumps(custom(log(note="Zoë 🚀")), indent=3, ensure_ascii=False, sort_keys=True).encode() + b"\n \n"

    assert deliver(aws, body, coded=coded).body["new"] == 1


@pytest.mark.parametrize("name", ["x-alchemy-signature", "X-ALCHEMY-SIGNATURE", "X-alchemy-Signature"])
def test_the_header_may_be_written_in_any_case(aws: Platform, name: str) -> None:
    body = raw(custom(log()))
    signature = alchemy_signed(body)["X-Alchemy-Signature"]

    assert deliver(aws, body, headers={name: signature.upper()}).status == 200


def test_all_keys_are_good_while_one_is_rolled(aws: Platform) -> None:
    secret = json.dumps({"webhookSigningKeys": ["whsec_new", "whsec_chain", " "]})
    emulator.client("secretsmanager").put_secret_value(SecretId="bloxtr8/local/chain", SecretString=secret)

    for index, key in enumerate(["whsec_new", "whsec_chain"]):
        body = raw(custom(log(index=index)))
        assert deliver(aws, body, headers=alchemy_signed(body, key)).body["new"] == 1
    for key in ("whsec_other", " ", ""):
        refuse(aws, body, alchemy_signed(body, key))


def test_without_a_key_nothing_is_taken(aws: Platform) -> None:
    secret = json.dumps({"webhookSigningKeys": []})
    emulator.client("secretsmanager").put_secret_value(SecretId="bloxtr8/local/chain", SecretString=secret)
    body = raw(custom(log()))

    refused(aws, 503, "UNAVAILABLE", "receive_chain_event", raw=body, headers=alchemy_signed(body, ""))


def test_what_no_provider_signed_is_refused_and_not_stored(aws: Platform, subtests: pytest.Subtests) -> None:
    body = raw(custom(log()))
    alchemy, hook0, stream = alchemy_signed(body), coinbase_signed(aws, body), quicknode_signed(body)
    value = hook0["X-Hook0-Signature"]
    codes = [part for part in value.split(",") if part.startswith(("v0=", "v1="))]
    cases: dict[str, tuple[bytes, dict[str, str]]] = {
        "no signature": (body, {}),
        "an empty one": (body, {"X-Alchemy-Signature": ""}),
        "another key": (body, alchemy_signed(body, "guessed")),
        "a changed byte": (body.replace(b"5a5a", b"5b5a", 1), alchemy),
        "a space more": (body + b" ", alchemy),
        "not ASCII": (body, {"X-Alchemy-Signature": "é\ud800"}),
        "another provider's": (body, {"X-QN-Signature": alchemy["X-Alchemy-Signature"]}),
        "no time": (body, hook0 | {"X-Hook0-Signature": ",".join(codes)}),
        "a time of letters": (body, hook0 | {"X-Hook0-Signature": value.replace("t=", "t=x")}),
        "no code": (body, hook0 | {"X-Hook0-Signature": value.split(",v0")[0]}),
        "old": (body, coinbase_signed(aws, body, age=301)),
        "of the future": (body, coinbase_signed(aws, body, age=-302)),
        "another nonce": (body, stream | {"X-QN-Nonce": "n-2"}),
        "no nonce": (body, {"X-QN-Signature": stream["X-QN-Signature"]}),
        "another time": (body, stream | {"X-QN-Timestamp": "1795000001"}),
    }
    for name, (sent, headers) in cases.items():
        with subtests.test(name):
            refuse(aws, sent, headers)


def test_either_scheme_of_coinbase_proves_it(aws: Platform) -> None:
    body = raw(coinbase())
    both = coinbase_signed(aws, body)
    time, v0, names, v1 = both["X-Hook0-Signature"].split(",")

    for parts in ([time, v0], [time, names, v1], [time, "v0=00", names, v1]):
        headers = both | {"X-Hook0-Signature": ",".join(parts)}
        assert deliver(aws, body, headers=headers).status == 200
    refuse(aws, body, both | {"X-Event-Id": "e-2", "X-Hook0-Signature": ",".join([time, names, v1])})


def test_what_is_not_ours_is_taken_and_not_stored(aws: Platform, subtests: pytest.Subtests) -> None:
    approval = ["0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925", *topics(VAULT)[1:]]
    cases: dict[str, Any] = {
        "Base itself": custom(log(), network="BASE_MAINNET"),
        "another chain": activity(network="ETH_SEPOLIA"),
        "bridged USDC": custom(log(token=USDBC)),
        "another token": activity(token=OTHER),
        "no token": custom(log(account=None)),
        "an approval": custom(log(topics=approval)),
        "a transfer of fewer topics": custom(log(topics=topics(VAULT)[:2])),
        "topics that are no list": custom(log(topics="0x")),
        "a topic that is no address": custom(log(topics=[*topics(VAULT)[:2], "0x" + "f" * 64])),
        "a vault that is no hex": custom(log(topics=[*topics(VAULT)[:2], "0x" + "0" * 24 + "z" * 40])),
        "no transaction": custom(log(transaction={})),
        "a hash with a separator": custom(log(tx="0x#META")),
        "an index below 0": custom(log(index=-1)),
        "a huge index": custom(log(index=2**31)),
        "an index that is true": custom(log(index=True)),
        "no index": custom(log(index=None)),
        "an empty block": custom(),
        "a log that is no object": custom([], 1, None, "x"),
        "another kind of webhook": {"type": "MINED_TRANSACTION", "event": {"transaction": {"hash": TX}}},
        "an event that is a list": {"event": [1]},
        "a list": [1],
        "null": None,
    }
    for name, payload in cases.items():
        with subtests.test(name):
            answer = deliver(aws, raw(payload))
            assert (answer.status, answer.body) == (200, {"received": True, "hints": 0, "new": 0})
    cases = {"Base": coinbase(network="base-mainnet"), "USDbC": coinbase(token=USDBC), "a list": []}
    for name, payload in cases.items():
        with subtests.test(f"Coinbase: {name}"):
            answer = deliver(aws, payload, headers=coinbase_signed(aws, raw(payload)))
            assert (answer.status, answer.body["hints"]) == (200, 0)
    deep: Any = quicknode()["data"]
    for _ in range(20):
        deep = [deep]
    cases = {"Base": quicknode(network="base-mainnet"), "USDbC": quicknode(token=USDBC), "depth": deep}
    for name, payload in cases.items():
        with subtests.test(f"QuickNode: {name}"):
            answer = deliver(aws, payload, headers=quicknode_signed(raw(payload)))
            assert (answer.status, answer.body["hints"]) == (200, 0)
    assert aws.rows() == []


def test_a_webhook_that_names_no_chain_is_of_the_chain_its_key_was_given_for(aws: Platform) -> None:
    assert deliver(aws, custom(log(), network=None)).body["new"] == 1


def test_a_deployment_without_a_token_takes_nothing(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USDC_ADDRESS", "")
    config.settings.cache_clear()

    assert deliver(aws, custom(log(), log(account={"address": ""}), log(account=None))).body["hints"] == 0


def test_what_is_signed_but_no_json_is_refused(aws: Platform, subtests: pytest.Subtests) -> None:
    bodies = {"cut off": b"{", "no text": b"\xff\xfe", "depth": b"[" * 100_000, "nothing": b"", "digits": b"9" * 5_000}
    for name, body in bodies.items():
        with subtests.test(name):
            options: dict[str, Any] = {"raw": body, "headers": alchemy_signed(body)}
            refused(aws, 400, "VALIDATION_ERROR", "receive_chain_event", **options)


def test_a_body_too_large_is_refused(aws: Platform) -> None:
    body = raw(custom(log(data="0x" + "0" * 256 * 1024)))
    refused(aws, 413, "BODY_TOO_LARGE", "receive_chain_event", raw=body, headers=alchemy_signed(body))


def test_a_block_full_of_vaults_is_cut_off(aws: Platform) -> None:
    logs = [log(f"0x{index:040x}", index=index, data="0x") for index in range(210)]

    answer = deliver(aws, custom(*logs))

    assert answer.body == {"received": True, "hints": 200, "new": 200}


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_what_could_not_be_stored_is_an_error_and_comes_again(aws: Platform, wire: Wire, done: bool) -> None:
    sent = custom(log(index=1), log(OTHER, index=2))
    wire.lose("PutItem", done=done)

    with pytest.raises(Exception, match="Connection"):
        deliver(aws, sent)

    assert deliver(aws, sent).status == 200
    assert len(events()) == len(aws.rows()) == 2
