"""A party makes a link to sign with, for itself alone; the table knows only its hash (M35)."""

import datetime as dt
import hashlib
import re

import pytest

from bloxtr8 import clock as platform_clock
from bloxtr8 import table
from bloxtr8.entities import Contract, SignToken, User
from tests import factories
from tests.checks import refused
from tests.emulator import Clock, Platform
from tests.functions.contracts import BAD_IDS, link, sign, void
from tests.functions.listings import user_changed
from tests.functions.offers import same_but, settings
from tests.wire import Wire


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def test_shows_the_token_once_and_keeps_its_hash(aws: Platform, contract: Contract, clock: Clock) -> None:
    before = aws.rows()

    answer = aws.call("create_sign_link", contract.buyer_id, contract_id=contract.id)

    assert answer.status == 201
    token = answer.body["token"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)  # 32 bytes
    row = table.find(SignToken, token_hash=hashlib.sha256(token.encode()).hexdigest())
    assert (row.contract_id, row.user_id) == (contract.id, contract.buyer_id)
    assert answer.body == {"token": token, "expiresAt": platform_clock.iso(row.expires_at)}
    assert (
        row.expires_at - clock.now()
        <= dt.timedelta(minutes=15)
        < row.expires_at - clock.now() + dt.timedelta(seconds=1)
    )
    assert row.ttl.timestamp() == int(row.expires_at.timestamp())
    assert same_but(before, aws.rows()) == {"SignToken"}
    assert token not in str(aws.rows())


def test_its_life_is_a_setting(
    aws: Platform, contract: Contract, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(monkeypatch, sign_link_seconds=60)
    expires_at = aws.call("create_sign_link", contract.buyer_id, contract_id=contract.id).body["expiresAt"]
    assert platform_clock.parse(expires_at) - clock.now() < dt.timedelta(minutes=1)


def test_every_link_is_another_and_no_answer_is_replayed(aws: Platform, contract: Contract) -> None:
    key = {"Idempotency-Key": "one"}
    tokens = {
        aws.call("create_sign_link", contract.buyer_id, contract_id=contract.id, headers=key).body["token"]
        for _ in range(2)
    }
    assert len(tokens) == 2
    assert not tokens & set(str(aws.rows()))


def test_asks_the_table_twice(aws: Platform, contract: Contract, wire: Wire) -> None:
    link(aws, contract.seller_id, contract)
    assert wire.round_trips() == 2


def test_refuses_where_the_party_may_not_sign(aws: Platform, contract: Contract, clock: Clock) -> None:
    def turned_down(status: int, code: str, one: Contract) -> None:
        refused(aws, status, code, "create_sign_link", one.buyer_id, contract_id=one.id)

    turned_down(409, "INVALID_STATE", factories.accepted())
    banned = factories.contract()
    user_changed(table.get(User, id=banned.buyer_id), banned=True)
    turned_down(403, "BANNED", banned)
    dead = factories.contract()
    void(aws, dead.seller_id, dead)
    turned_down(409, "CONTRACT_VOID", dead)
    late = factories.contract()
    clock.moment = late.sign_by
    turned_down(410, "SIGN_WINDOW_CLOSED", late)
    clock.moment = contract.created_at
    sign(aws, contract.buyer_id, contract)
    turned_down(409, "ALREADY_SIGNED", contract)


def test_outsiders_learn_nothing(aws: Platform, contract: Contract) -> None:
    refused(aws, 404, "NOT_FOUND", "create_sign_link", factories.user(), contract_id=contract.id)
    refused(aws, 401, "UNAUTHENTICATED", "create_sign_link", None, contract_id=contract.id)
    for wrong in BAD_IDS:
        refused(aws, 404, "NOT_FOUND", "create_sign_link", contract.buyer_id, contract_id=wrong)
