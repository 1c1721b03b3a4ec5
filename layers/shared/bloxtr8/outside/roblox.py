"""Roblox: who links an account (OAuth2 with PKCE, D28), and who owns a group or a game now (D4, D12, D13)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from bloxtr8 import clock, config, errors
from bloxtr8.outside import oauth, roblox_cloud, roblox_legacy
from bloxtr8.outside.http import Talk
from bloxtr8.outside.roblox_facts import Game, Garbage, Group, Metadata, is_id, read_id, read_name

SCOPE = "openid profile"

type AssetType = Literal["GROUP", "GAME"]
type Source = Literal["CLOUD", "LEGACY", "BOTH"]


@dataclass(frozen=True, slots=True)
class RobloxUser:
    """An account of Roblox: the id (digits) never changes, the name may."""

    id: str
    username: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owned an asset at `at`: a fresh proof, never cached.

    `owner_id` is the *effective* owner, always a user: the owner of the group, the user who holds the game, or the
    owner of the group that holds it. None: nobody (an abandoned group); then `owner_type` is None too. `owner_name` is
    None where the source gives no name. `creator_type` and `creator_id` are a game's direct holder (None for a group).
    `member_count` and `locked` are those of the group, or of the group that holds the game; a game of a user has no
    members and is never locked. `metadata` is whitelisted, plain, and at most 8 KiB of JSON. `at`: when asking began.
    """

    asset_type: AssetType
    asset_id: str
    owner_id: str | None
    owner_type: Literal["USER"] | None
    owner_name: str | None
    creator_type: Literal["USER", "GROUP"] | None
    creator_id: str | None
    member_count: int | None
    locked: bool
    name: str
    metadata: Metadata
    source: Source
    at: dt.datetime


def authorize_url(redirect_uri: str, state: str, challenge: str) -> str:
    """Roblox's page where the user agrees. `challenge` is the S256 challenge of the verifier kept with the state."""
    page = f"{config.settings().roblox_api_base}/oauth/v1/authorize"
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    return oauth.authorize_url(page, config.secret("roblox")["clientId"], redirect_uri, state, SCOPE, **pkce)


def exchange(code: str, verifier: str, redirect_uri: str) -> RobloxUser:
    """The user who agreed: code → token → userinfo; the token is not kept.

    Raises Invalid STATE_INVALID where Roblox refuses the code or the verifier, UpstreamFailed where it gives no usable
    answer.
    """
    talk = Talk("Roblox")
    base = f"{config.settings().roblox_api_base}/oauth/v1"
    token = oauth.exchange(talk, f"{base}/token", config.secret("roblox"), code, redirect_uri, code_verifier=verifier)
    answer = talk.get(f"{base}/userinfo", {"Authorization": f"Bearer {token}"})
    if answer.status != 200:
        talk.fail(f"userinfo answered {answer.status}")
    found = talk.object(answer)
    try:
        user = RobloxUser(read_id(found.get("sub")), read_name(found.get("preferred_username")))
    except Garbage as garbage:
        talk.fail(f"userinfo answered with the wrong shape: {garbage}")
    if not user.username:
        talk.fail("userinfo answered with an empty name")
    return user


def ownership_of(asset_type: AssetType, asset_id: str, *, both_sources: bool = False) -> Ownership:
    """Who owns the asset now. Open Cloud is asked first, the legacy hosts where it gives no usable answer.

    With `both_sources` both are asked, and they must agree on the owner and the lock: for decisions that move money
    (states.md, sections 4 and 6). Raises Unprocessable ASSET_NOT_FOUND where Roblox says that there is no such asset,
    Invalid for an id that is not one, and UpstreamFailed where the owner is unknown: an outage, an answer of another
    shape, two sources that disagree.
    """
    if not is_id(asset_id):
        raise errors.Invalid("A Roblox id is a number.")
    at = clock.now()
    talk = Talk("Roblox")
    ask = _ask_both if both_sources else _ask_one
    if asset_type == "GROUP":
        group, source = ask(talk, "group", roblox_cloud.group, roblox_legacy.group, asset_id)
        if group is None:
            raise _not_found()
        return _of_group(group, source, at)
    game, source = ask(talk, "game", roblox_cloud.game, roblox_legacy.game, asset_id)
    if game is None:
        raise _not_found()
    if game.creator_type == "USER":
        return _of_game(game, None, source, at)
    holder, second = ask(talk, "group", roblox_cloud.group, roblox_legacy.group, game.creator_id)
    if holder is None:
        talk.fail(f"game {asset_id} is held by group {game.creator_id}, which is said not to exist")
    return _of_game(game, holder, "LEGACY" if "LEGACY" in {source, second} else source, at)


type _Reader[F] = Callable[[Talk, str], F | None]


def _ask_one[F: (Group, Game)](
    talk: Talk, what: str, cloud: _Reader[F], legacy: _Reader[F], asked: str
) -> tuple[F | None, Source]:
    """The first usable answer. An answer of the wrong shape is no answer."""
    try:
        return _read(talk, what, cloud, asked), "CLOUD"
    except errors.UpstreamFailed:
        return _read(talk, what, legacy, asked), "LEGACY"


def _ask_both[F: (Group, Game)](
    talk: Talk, what: str, cloud: _Reader[F], legacy: _Reader[F], asked: str
) -> tuple[F | None, Source]:
    """The answer both sources give."""
    first, second = _read(talk, what, cloud, asked), _read(talk, what, legacy, asked)
    if first is None or second is None:
        if first is not second:
            talk.fail(f"the sources disagree on whether {what} {asked} exists")
        return None, "BOTH"
    if first.proof != second.proof:
        talk.fail(f"the sources disagree on {what} {asked}")
    return _with_names(first, second), "BOTH"


def _read[F: (Group, Game)](talk: Talk, what: str, reader: _Reader[F], asked: str) -> F | None:
    try:
        return reader(talk, asked)
    except Garbage as garbage:
        talk.fail(f"{what} {asked} came with the wrong shape: {garbage}")


def _with_names[F: (Group, Game)](first: F, second: F) -> F:
    """Open Cloud's answer, with the names and the metadata that only the legacy hosts give."""
    metadata = second.metadata | first.metadata
    if isinstance(first, Group) and isinstance(second, Group):
        return replace(first, owner_name=second.owner_name, metadata=metadata)
    return replace(first, creator_name=second.creator_name, metadata=metadata)


def _of_group(group: Group, source: Source, at: dt.datetime) -> Ownership:
    return Ownership(
        asset_type="GROUP",
        asset_id=group.id,
        owner_id=group.owner_id,
        owner_type=None if group.owner_id is None else "USER",
        owner_name=group.owner_name,
        creator_type=None,
        creator_id=None,
        member_count=group.member_count,
        locked=group.locked,
        name=group.name,
        metadata=group.metadata,
        source=source,
        at=at,
    )


def _of_game(game: Game, holder: Group | None, source: Source, at: dt.datetime) -> Ownership:
    """A game belongs to its user, or to whoever owns its group (states.md, section 6)."""
    metadata = game.metadata | {"creatorType": game.creator_type, "creatorId": game.creator_id}
    if holder is not None:
        metadata["groupName"] = holder.name
    owner_id = game.creator_id if holder is None else holder.owner_id
    return Ownership(
        asset_type="GAME",
        asset_id=game.id,
        owner_id=owner_id,
        owner_type=None if owner_id is None else "USER",
        owner_name=game.creator_name if holder is None else holder.owner_name,
        creator_type=game.creator_type,
        creator_id=game.creator_id,
        member_count=None if holder is None else holder.member_count,
        locked=holder is not None and holder.locked,
        name=game.name,
        metadata=metadata,
        source=source,
        at=at,
    )


def _not_found() -> errors.Unprocessable:
    return errors.Unprocessable("Roblox knows no such asset.", "ASSET_NOT_FOUND")
