"""Who owns a group or a game: what each source says, when both must agree, and when the answer is 'unknown'."""

import json
from typing import Any

import pytest

from bloxtr8 import config, errors
from bloxtr8.outside import roblox
from local.doubles.roblox import RobloxDouble
from tests.emulator import Clock
from tests.outside.browser import paths

SELLER, BUYER = "261", "156"
GROUP, GAME = "7", "13058"
CLOUD_GROUP, LEGACY_GROUP = f"/cloud/v2/groups/{GROUP}", f"/v1/groups/{GROUP}"
CLOUD_GAME, LEGACY_GAME = f"/cloud/v2/universes/{GAME}", "/v1/games"


@pytest.fixture
def double(roblox_double: RobloxDouble) -> RobloxDouble:
    """Roblox, where the seller owns a group."""
    roblox_double.put_user(SELLER, "seller")
    roblox_double.put_user(BUYER, "buyer")
    roblox_double.put_group(GROUP, owner=SELLER, memberCount=42, name="The Group", description="We build.\x00")
    return roblox_double


def unknown(asset_type: roblox.AssetType, asset_id: str, **how: bool) -> None:
    with pytest.raises(errors.UpstreamFailed) as failed:
        roblox.ownership_of(asset_type, asset_id, **how)
    assert failed.value.code == "UPSTREAM_FAILED"


def not_found(asset_type: roblox.AssetType, asset_id: str, **how: bool) -> None:
    with pytest.raises(errors.Unprocessable) as missing:
        roblox.ownership_of(asset_type, asset_id, **how)
    assert missing.value.code == "ASSET_NOT_FOUND"


# --- groups


def test_a_group_belongs_to_its_owner(double: RobloxDouble, clock: Clock) -> None:
    before = clock.now()
    found = roblox.ownership_of("GROUP", GROUP)
    assert (found.owner_id, found.owner_type, found.creator_type, found.creator_id) == (SELLER, "USER", None, None)
    assert (found.asset_type, found.asset_id, found.name) == ("GROUP", GROUP, "The Group")
    assert (found.member_count, found.locked, found.source) == (42, False, "CLOUD")
    assert found.metadata["description"] == "We build."
    assert before < found.at < clock.now()
    assert paths(double) == [CLOUD_GROUP]


def test_an_abandoned_group_belongs_to_nobody(double: RobloxDouble) -> None:
    double.put_group(GROUP, owner=None)
    for both in (False, True):
        found = roblox.ownership_of("GROUP", GROUP, both_sources=both)
        assert (found.owner_id, found.owner_type) == (None, None)


def test_a_locked_group_is_seen_as_locked(double: RobloxDouble) -> None:
    double.put_group(GROUP, isLocked=True)
    assert roblox.ownership_of("GROUP", GROUP).locked
    assert roblox.ownership_of("GROUP", GROUP, both_sources=True).locked


def test_a_group_that_does_not_exist_is_not_found(double: RobloxDouble) -> None:
    not_found("GROUP", "999")
    not_found("GROUP", "999", both_sources=True)


def test_both_sources_give_one_answer_with_the_owners_name(double: RobloxDouble) -> None:
    found = roblox.ownership_of("GROUP", GROUP, both_sources=True)
    assert (found.owner_id, found.owner_name, found.source) == (SELLER, "seller", "BOTH")
    assert paths(double) == [CLOUD_GROUP, LEGACY_GROUP]


def test_a_proof_is_never_cached(double: RobloxDouble) -> None:
    assert roblox.ownership_of("GROUP", GROUP).owner_id == SELLER
    double.put_group(GROUP, owner=BUYER)
    assert roblox.ownership_of("GROUP", GROUP).owner_id == BUYER


OUTAGES: list[dict[str, Any]] = [
    {"drop": True},
    {"status": 500},
    {"status": 503, "body": "<html>"},
    {"status": 429, "headers": {"Retry-After": "5"}},
    {"status": 401, "body": '{"errors": [{"code": 0, "message": "Invalid API Key"}]}'},
    {"status": 403, "body": '{"code": "PERMISSION_DENIED"}'},
    {"status": 404, "body": "<html>nothing here</html>"},
    {"status": 404, "body": '{"message": "no such route"}'},
    {"status": 400, "body": '{"errors": [{"code": 2, "message": "Too many ids."}]}'},
    {"status": 301, "headers": {"Location": "/elsewhere"}},
    {"delay_seconds": 1.0},
    {"body": "not json"},
    {"body": '{"memberCount": NaN}'},
    {"body": "{}"},
    {"body": "[]"},
    {"body": "x" * 300_000},
]


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: "-".join(str(v)[:24] for v in outage.values()))
def test_the_legacy_host_answers_where_the_cloud_does_not(double: RobloxDouble, outage: dict[str, Any]) -> None:
    double.faults.put("^/cloud/", times=None, **outage)
    found = roblox.ownership_of("GROUP", GROUP)
    assert (found.owner_id, found.owner_name, found.member_count, found.source) == (SELLER, "seller", 42, "LEGACY")


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: "-".join(str(v)[:24] for v in outage.values()))
def test_the_owner_is_unknown_where_neither_answers(double: RobloxDouble, outage: dict[str, Any]) -> None:
    double.faults.put(".", times=None, **outage)
    unknown("GROUP", GROUP)


@pytest.mark.parametrize("silent", [CLOUD_GROUP, LEGACY_GROUP])
def test_one_of_two_sources_is_not_enough(double: RobloxDouble, silent: str) -> None:
    double.faults.put(silent, times=None, status=500)
    unknown("GROUP", GROUP, both_sources=True)


@pytest.mark.parametrize(
    "difference",
    [
        {"owner": {"userId": int(BUYER), "username": "buyer"}},
        {"owner": None},
        {"isLocked": True},
    ],
    ids=str,
)
def test_sources_that_disagree_leave_it_unknown(double: RobloxDouble, difference: dict[str, Any]) -> None:
    legacy = {"id": int(GROUP), "name": "x", "owner": {"userId": int(SELLER), "username": "seller"}, "memberCount": 9}
    double.faults.put(LEGACY_GROUP, times=2, body=json.dumps(legacy))
    assert roblox.ownership_of("GROUP", GROUP, both_sources=True).owner_id == SELLER  # a count may lag behind
    double.faults.put(LEGACY_GROUP, body=json.dumps(legacy | difference))
    unknown("GROUP", GROUP, both_sources=True)


def test_sources_that_disagree_on_existence_leave_it_unknown(double: RobloxDouble) -> None:
    double.faults.put(CLOUD_GROUP, status=404, body='{"code": "NOT_FOUND", "message": "gone"}')
    unknown("GROUP", GROUP, both_sources=True)
    body = '{"errors": [{"code": 1, "message": "Group is invalid or does not exist."}]}'
    double.faults.put(LEGACY_GROUP, status=400, body=body)
    unknown("GROUP", GROUP, both_sources=True)


CLOUD_BODY = {
    "path": f"groups/{GROUP}",
    "displayName": "x",
    "owner": f"users/{SELLER}",
    "memberCount": 1,
    "locked": False,
}
LEGACY_BODY = {"id": int(GROUP), "name": "x", "owner": {"userId": int(SELLER), "username": "s"}, "memberCount": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "groups/8"},
        {"path": None},
        {"displayName": 3},
        {"owner": "groups/261"},
        {"owner": "users/0"},
        {"owner": "users/../261"},
        {"owner": ""},
        {"owner": 261},
        {"memberCount": -1},
        {"memberCount": 1.5},
        {"memberCount": "many"},
        {"memberCount": True},
        {"locked": "false"},
    ],
    ids=str,
)
def test_a_cloud_group_of_another_shape_proves_nothing(double: RobloxDouble, wrong: dict[str, Any]) -> None:
    double.faults.put(CLOUD_GROUP, body=json.dumps(CLOUD_BODY | wrong))
    assert roblox.ownership_of("GROUP", GROUP).source == "LEGACY"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 8},
        {"id": "seven"},
        {"name": None},
        {"owner": "seller"},
        {"owner": {}},
        {"owner": {"userId": -1, "username": "s"}},
        {"owner": {"userId": True, "username": "s"}},
        {"owner": {"userId": 2**63, "username": "s"}},
        {"owner": {"userId": 261}},
        {"memberCount": "x"},
        {"isLocked": 1},
    ],
    ids=str,
)
def test_a_legacy_group_of_another_shape_proves_nothing(double: RobloxDouble, wrong: dict[str, Any]) -> None:
    double.faults.put(CLOUD_GROUP, status=500, times=None)
    double.faults.put(LEGACY_GROUP, body=json.dumps(LEGACY_BODY | wrong))
    unknown("GROUP", GROUP)


def test_a_legacy_group_without_the_owner_field_is_not_ownerless(double: RobloxDouble) -> None:
    double.faults.put(CLOUD_GROUP, status=500, times=None)
    double.faults.put(LEGACY_GROUP, body=json.dumps({k: v for k, v in LEGACY_BODY.items() if k != "owner"}))
    unknown("GROUP", GROUP)


def test_counts_may_come_as_digits_or_not_at_all(double: RobloxDouble) -> None:
    double.faults.put(CLOUD_GROUP, body=json.dumps(CLOUD_BODY | {"memberCount": "12345678901"}))
    assert roblox.ownership_of("GROUP", GROUP).member_count == 12345678901
    double.faults.put(CLOUD_GROUP, body=json.dumps(CLOUD_BODY | {"memberCount": None}))
    assert roblox.ownership_of("GROUP", GROUP).member_count is None


def test_metadata_is_whitelisted_plain_and_small(double: RobloxDouble) -> None:
    hostile = {"description": "\U0001f600" * 9000, "createTime": "\ud800" * 900, "verified": {"deep": 1}, "shout": "no"}
    double.faults.put(CLOUD_GROUP, body=json.dumps(CLOUD_BODY | hostile | {"displayName": "a\x00b" * 200}))
    found = roblox.ownership_of("GROUP", GROUP)
    assert set(found.metadata) == {"description", "createdAt"}
    assert len(json.dumps(found.metadata)) <= 8 * 1024
    assert len(found.name) == 255
    assert "\x00" not in found.name
    (json.dumps(found.metadata, ensure_ascii=False) + found.name).encode()


# --- games


def test_a_game_of_a_user_belongs_to_the_user(double: RobloxDouble) -> None:
    double.put_game(GAME, user=SELLER, name="The Game", visits=1234)
    found = roblox.ownership_of("GAME", GAME)
    assert (found.owner_id, found.owner_type, found.creator_type, found.creator_id) == (SELLER, "USER", "USER", SELLER)
    assert (found.member_count, found.locked, found.name, found.source) == (None, False, "The Game", "CLOUD")
    assert paths(double) == [CLOUD_GAME]


def test_a_game_of_a_group_belongs_to_the_groups_owner(double: RobloxDouble) -> None:
    double.put_game(GAME, group=GROUP)
    found = roblox.ownership_of("GAME", GAME)
    assert (found.owner_id, found.owner_type, found.creator_type, found.creator_id) == (SELLER, "USER", "GROUP", GROUP)
    assert (found.member_count, found.locked) == (42, False)
    assert found.metadata["groupName"] == "The Group"
    assert paths(double) == [CLOUD_GAME, CLOUD_GROUP]


def test_a_game_moves_with_its_group(double: RobloxDouble) -> None:
    double.put_game(GAME, user=SELLER)
    double.put_game(GAME, group=GROUP)
    double.put_group(GROUP, owner=BUYER)
    found = roblox.ownership_of("GAME", GAME, both_sources=True)
    assert (found.owner_id, found.owner_name, found.creator_id, found.source) == (BUYER, "buyer", GROUP, "BOTH")
    assert found.metadata["visits"] == 0
    assert paths(double) == [CLOUD_GAME, LEGACY_GAME, CLOUD_GROUP, LEGACY_GROUP]


def test_a_game_of_an_abandoned_group_belongs_to_nobody(double: RobloxDouble) -> None:
    double.put_group(GROUP, owner=None, isLocked=True)
    double.put_game(GAME, group=GROUP)
    found = roblox.ownership_of("GAME", GAME)
    assert (found.owner_id, found.owner_type, found.creator_id, found.locked) == (None, None, GROUP, True)


def test_a_game_that_does_not_exist_is_not_found(double: RobloxDouble) -> None:
    not_found("GAME", "999")
    not_found("GAME", "999", both_sources=True)


def test_a_game_is_found_at_the_legacy_host(double: RobloxDouble) -> None:
    double.put_game(GAME, user=SELLER)
    double.faults.put("^/cloud/", status=503, times=None)
    found = roblox.ownership_of("GAME", GAME)
    assert (found.owner_id, found.owner_name, found.source) == (SELLER, "seller", "LEGACY")
    not_found("GAME", "999")


def test_the_weaker_source_is_named_where_they_mix(double: RobloxDouble) -> None:
    double.put_game(GAME, group=GROUP)
    double.faults.put(CLOUD_GAME, status=403, body="{}")
    assert roblox.ownership_of("GAME", GAME).source == "LEGACY"


def test_a_game_whose_group_is_unknown_is_unknown(double: RobloxDouble) -> None:
    double.put_game(GAME, group="888")
    unknown("GAME", GAME)
    double.put_game(GAME, group=GROUP)
    double.faults.put("groups", status=500, times=None)
    unknown("GAME", GAME)


def test_sources_that_disagree_on_the_creator_leave_it_unknown(double: RobloxDouble) -> None:
    double.put_game(GAME, user=SELLER)
    double.faults.put(
        CLOUD_GAME, body=json.dumps({"path": f"universes/{GAME}", "displayName": "x", "group": "groups/261"})
    )
    unknown("GAME", GAME, both_sources=True)


@pytest.mark.parametrize(
    "holder",
    [{}, {"user": "users/1", "group": "groups/2"}, {"user": "groups/1"}, {"group": "users/1"}, {"user": 1}],
    ids=str,
)
def test_a_cloud_game_of_another_shape_proves_nothing(double: RobloxDouble, holder: dict[str, Any]) -> None:
    double.faults.put(CLOUD_GAME, body=json.dumps({"path": f"universes/{GAME}", "displayName": "x"} | holder))
    double.faults.put(LEGACY_GAME, status=500, times=None)
    unknown("GAME", GAME)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        ["game"],
        [{"id": 1, "name": "x", "creator": {"id": 1, "name": "x", "type": "User"}}],
        [{"id": int(GAME), "name": "x"}],
        [{"id": int(GAME), "name": "x", "creator": {"id": 1, "name": "x", "type": "Bot"}}],
        [{"id": int(GAME), "name": "x", "creator": {"id": 1, "name": "x", "type": ["User"]}}],
        [{"id": int(GAME), "name": "x", "creator": {"id": -1, "name": "x", "type": "User"}}],
    ],
    ids=str,
)
def test_a_legacy_game_of_another_shape_proves_nothing(double: RobloxDouble, data: Any) -> None:
    double.faults.put(CLOUD_GAME, status=500, times=None)
    double.faults.put(LEGACY_GAME, body=json.dumps({"data": data}))
    unknown("GAME", GAME)


# --- ids and keys


@pytest.mark.parametrize(
    "hostile", ["../x", "", "0", "07", "-1", "7/../8", "7?x=1", "7#", " 7", "7\n", "٧", "1e3", str(2**63), "9" * 400]
)
@pytest.mark.parametrize("asset_type", ["GROUP", "GAME"])
def test_an_id_that_is_none_never_reaches_a_url(
    double: RobloxDouble, asset_type: roblox.AssetType, hostile: str
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        roblox.ownership_of(asset_type, hostile)
    assert refused.value.code == "VALIDATION_ERROR"
    assert paths(double) == []


def test_the_highest_id_is_an_id(double: RobloxDouble) -> None:
    double.put_group(str(2**63 - 1), owner=SELLER)
    assert roblox.ownership_of("GROUP", str(2**63 - 1), both_sources=True).owner_id == SELLER


def test_a_wrong_api_key_falls_back_to_the_public_host(double: RobloxDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "secret", {"roblox": double.secret | {"apiKey": "wrong"}}.__getitem__)
    assert roblox.ownership_of("GROUP", GROUP).source == "LEGACY"
