"""Roblox on loopback: OAuth2 with PKCE, groups and games at Open Cloud and at the legacy hosts, all at one address.

    PUT /_double/users/{id}   {username}
    PUT /_double/groups/{id}  {owner: user id or null, memberCount, isLocked, name, description, publicEntryAllowed,
                              verified}
    PUT /_double/groups/{id}/members/{user id}
    PUT /_double/games/{id}   {user: user id} or {group: group id}; name, description, visibility, rootPlaceId, visits,
                              playing

A PUT makes the thing, or changes the fields it names. `GET /oauth/v1/authorize?…&as={user id}` agrees in that user's
name.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from werkzeug.wrappers import Request, Response

from local.doubles.oauth import AuthorizationServer
from local.doubles.web import Clock, Double, Refused, as_json, digits, stamp, told, utc_now

SECRET = {
    "clientId": "840974200211308101",
    "clientSecret": "local-roblox-client-secret",
    "apiKey": "local-roblox-api-key",
}
CODE_SECONDS = 60
TOKEN_SECONDS = 899
GROUP_FIELDS = ("owner", "memberCount", "isLocked", "name", "description", "publicEntryAllowed", "verified")
GAME_FIELDS = ("user", "group", "name", "description", "visibility", "rootPlaceId", "visits", "playing")
NEW_GROUP: dict[str, Any] = {
    "owner": None,
    "memberCount": 1,
    "isLocked": False,
    "description": "",
    "publicEntryAllowed": True,
    "verified": False,
}
NEW_GAME: dict[str, Any] = {"description": "", "visibility": "PUBLIC", "rootPlaceId": 1, "visits": 0, "playing": 0}
MOST_IDS = 100
OWNER_RANK = 255
_FILTER = re.compile(r"user == 'users/([0-9]+)'")


class RobloxDouble(Double):
    """The double. Its `secret` is what the product's secret `roblox` must hold to be let in."""

    routes: ClassVar[dict[str, str]] = {
        "PUT /_double/users/<user_id>": "_put_user",
        "PUT /_double/groups/<group_id>": "_put_group",
        "PUT /_double/groups/<group_id>/members/<user_id>": "_put_member",
        "PUT /_double/games/<game_id>": "_put_game",
        "GET /oauth/v1/authorize": "_authorize",
        "POST /oauth/v1/token": "_token",
        "GET /oauth/v1/userinfo": "_userinfo",
        "GET /cloud/v2/groups/<group_id>": "_cloud_group",
        "GET /cloud/v2/groups/<group_id>/memberships": "_cloud_memberships",
        "GET /cloud/v2/universes/<game_id>": "_cloud_game",
        "GET /v1/groups/<group_id>": "_legacy_group",
        "GET /v2/groups": "_legacy_groups",
        "GET /v1/users/<user_id>/groups/roles": "_legacy_roles",
        "GET /v1/games": "_legacy_games",
    }

    def __init__(self, clock: Clock = utc_now, secret: Mapping[str, str] = SECRET) -> None:
        super().__init__(clock)
        self.secret = dict(secret)
        self._oauth = AuthorizationServer(clock, self.secret, CODE_SECONDS, TOKEN_SECONDS)
        self._users: dict[str, str] = {}
        self._groups: dict[str, dict[str, Any]] = {}
        self._members: dict[str, set[str]] = {}  # by group; its owner is one without being named
        self._games: dict[str, dict[str, Any]] = {}

    def put_user(self, user_id: str, username: str) -> None:
        """Make or rename a user."""
        with self.lock:
            self._users[digits(user_id)] = username

    def put_group(self, group_id: str, **changes: Any) -> None:
        """Make a group, or change the fields named (GROUP_FIELDS). `owner=None` abandons it."""
        group_id = digits(group_id)
        if changes.get("owner") is not None:
            changes["owner"] = digits(changes["owner"])
        with self.lock:
            known = self._groups.get(group_id) or NEW_GROUP | {"name": f"Group {group_id}", "created": self.now()}
            self._groups[group_id] = known | changes | {"updated": self.now()}

    def put_member(self, group_id: str, user_id: str) -> None:
        """The user joins the group."""
        with self.lock:
            self._members.setdefault(digits(group_id), set()).add(digits(user_id))

    def put_game(self, game_id: str, **changes: Any) -> None:
        """Make a game, or change the fields named (GAME_FIELDS). A user takes it from its group, and vice versa."""
        game_id = digits(game_id)
        holder = {kind: digits(changes.pop(kind)) for kind in ("user", "group") if kind in changes}
        with self.lock:
            known = self._games.get(game_id) or NEW_GAME | {"name": f"Game {game_id}", "created": self.now()}
            holder = holder or known.get("holder", {})
            if len(holder) != 1:
                raise Refused(400, {"message": "a game has a user or a group"})
            self._games[game_id] = known | changes | {"holder": holder, "updated": self.now()}

    def not_found(self) -> Refused:
        return Refused(404, {"errors": [{"code": 0, "message": "NotFound"}]})

    def _put_user(self, request: Request, user_id: str) -> Response:
        self.put_user(user_id, str(told(request, "username").get("username", _name(user_id))))
        return Response(status=204)

    def _put_group(self, request: Request, group_id: str) -> Response:
        self.put_group(group_id, **told(request, *GROUP_FIELDS))
        return Response(status=204)

    def _put_member(self, request: Request, group_id: str, user_id: str) -> Response:
        self.put_member(group_id, user_id)
        return Response(status=204)

    def _put_game(self, request: Request, game_id: str) -> Response:
        self.put_game(game_id, **told(request, *GAME_FIELDS))
        return Response(status=204)

    def _authorize(self, request: Request) -> Response:
        return self._oauth.authorize(request, self._users)

    def _token(self, request: Request) -> Response:
        return self._oauth.token(request)

    def _userinfo(self, request: Request) -> Response:
        grant = self._oauth.grant_of(request)
        if grant is None or "openid" not in grant.scopes:
            raise Refused(401, {"error": "invalid_token", "error_description": "The token is invalid or expired."})
        claims: dict[str, Any] = {"sub": grant.user_id}
        if "profile" in grant.scopes:
            username = self._users[grant.user_id]
            claims |= {
                "name": username,
                "nickname": username,
                "preferred_username": username,
                "created_at": 1584682495,
                "profile": f"https://www.roblox.com/users/{grant.user_id}/profile",
                "picture": None,
            }
        return as_json(claims)

    def _cloud_group(self, request: Request, group_id: str) -> Response:
        self._check_key(request)
        group = self._groups.get(group_id)
        if group is None:
            raise Refused(404, {"code": "NOT_FOUND", "message": "Group not found."})
        body = {
            "path": f"groups/{group_id}",
            "createTime": stamp(group["created"]),
            "updateTime": stamp(group["updated"]),
            "id": group_id,
            "displayName": group["name"],
            "description": group["description"],
            "memberCount": group["memberCount"],
            "publicEntryAllowed": group["publicEntryAllowed"],
            "locked": group["isLocked"],
            "verified": group["verified"],
        }
        if group["owner"] is not None:
            body["owner"] = f"users/{group['owner']}"
        return as_json(body)

    def _cloud_memberships(self, request: Request, group_id: str) -> Response:
        """Of one user alone: `filter=user == 'users/{id}'`."""
        self._check_key(request)
        named = _FILTER.fullmatch(request.args.get("filter", ""))
        if named is None:
            raise Refused(400, {"code": "INVALID_ARGUMENT", "message": "Invalid filter."})
        if group_id not in self._groups:
            raise Refused(404, {"code": "NOT_FOUND", "message": "Group not found."})
        user_id = named[1]
        row = {
            "path": f"groups/{group_id}/memberships/{user_id}",
            "createTime": stamp(self._groups[group_id]["created"]),
            "updateTime": stamp(self._groups[group_id]["updated"]),
            "user": f"users/{user_id}",
            "role": f"groups/{group_id}/roles/1",
        }
        rows = [row] if self._rank(group_id, user_id) else []
        return as_json({"groupMemberships": rows, "nextPageToken": ""})

    def _legacy_roles(self, request: Request, user_id: str) -> Response:
        ranks = {group_id: self._rank(group_id, user_id) for group_id in self._groups}
        rows = [self._role(group_id, rank) for group_id, rank in ranks.items() if rank]
        return as_json({"data": rows})

    def _role(self, group_id: str, rank: int) -> dict[str, Any]:
        name = "Owner" if rank == OWNER_RANK else "Member"
        group = {"id": int(group_id), "name": self._groups[group_id]["name"]}
        return {"group": group, "role": {"id": 1, "name": name, "rank": rank}}

    def _rank(self, group_id: str, user_id: str) -> int:
        """A user's rank in a group; 0 for one who is not in it."""
        if self._groups[group_id]["owner"] == user_id:
            return OWNER_RANK
        return int(user_id in self._members.get(group_id, ()))

    def _cloud_game(self, request: Request, game_id: str) -> Response:
        self._check_key(request)
        game = self._games.get(game_id)
        if game is None:
            raise Refused(404, {"code": "NOT_FOUND", "message": "Universe not found."})
        body = {
            "path": f"universes/{game_id}",
            "createTime": stamp(game["created"]),
            "updateTime": stamp(game["updated"]),
            "displayName": game["name"],
            "description": game["description"],
            "visibility": game["visibility"],
            "desktopEnabled": True,
        }
        return as_json(body | {kind: f"{kind}s/{holder}" for kind, holder in game["holder"].items()})

    def _legacy_group(self, request: Request, group_id: str) -> Response:
        group = self._groups.get(group_id)
        if group is None:
            raise Refused(400, {"errors": [{"code": 1, "message": "Group is invalid or does not exist."}]})
        body = {
            "id": int(group_id),
            "name": group["name"],
            "description": group["description"],
            "owner": None if group["owner"] is None else self._legacy_user(group["owner"]),
            "shout": None,
            "memberCount": group["memberCount"],
            "isBuildersClubOnly": False,
            "publicEntryAllowed": group["publicEntryAllowed"],
            "hasVerifiedBadge": group["verified"],
        }
        return as_json(body | ({"isLocked": True} if group["isLocked"] else {}))

    def _legacy_groups(self, request: Request) -> Response:
        """Many at once: without the lock, and without those that do not exist."""
        asked = request.args.get("groupIds", "").split(",")
        if len(asked) > MOST_IDS:
            raise Refused(400, {"errors": [{"code": 2, "message": "Too many ids in request."}]})
        if not all(one.isascii() and one.isdigit() for one in asked):
            raise Refused(400, {"errors": [{"code": 3, "message": "Ids could not be parsed from request."}]})
        return as_json({"data": [self._listed_group(one) for one in asked if one in self._groups]})

    def _listed_group(self, group_id: str) -> dict[str, Any]:
        group = self._groups[group_id]
        owner = group["owner"]
        named = {"id": int(owner), "type": "User", "name": self._users.get(owner, _name(owner))} if owner else None
        return {
            "id": int(group_id),
            "name": group["name"],
            "description": group["description"],
            "owner": named,
            "memberCount": group["memberCount"],
            "created": stamp(group["created"]),
            "hasVerifiedBadge": group["verified"],
        }

    def _legacy_games(self, request: Request) -> Response:
        asked = request.args.get("universeIds", "").split(",")
        if len(asked) > MOST_IDS or not all(one.isascii() and one.isdigit() for one in asked):
            raise Refused(400, {"errors": [{"code": 8, "message": "No universe IDs were specified, or too many."}]})
        return as_json({"data": [self._legacy_game(one) for one in asked if one in self._games]})

    def _legacy_game(self, game_id: str) -> dict[str, Any]:
        game = self._games[game_id]
        [(kind, holder)] = game["holder"].items()
        known = self._users if kind == "user" else {one: group["name"] for one, group in self._groups.items()}
        creator = {"id": int(holder), "name": known.get(holder, _name(holder)), "type": kind.capitalize()}
        return {
            "id": int(game_id),
            "rootPlaceId": int(game["rootPlaceId"]),
            "name": game["name"],
            "description": game["description"],
            "creator": creator | {"hasVerifiedBadge": False},
            "playing": game["playing"],
            "visits": game["visits"],
            "maxPlayers": 30,
            "created": stamp(game["created"]),
            "updated": stamp(game["updated"]),
        }

    def _legacy_user(self, user_id: str) -> dict[str, Any]:
        username = self._users.get(user_id, _name(user_id))
        return {"userId": int(user_id), "username": username, "displayName": username, "hasVerifiedBadge": False}

    def _check_key(self, request: Request) -> None:
        if request.headers.get("x-api-key") != self.secret["apiKey"]:
            raise Refused(401, {"errors": [{"code": 0, "message": "Invalid API Key"}]})


def _name(user_id: str) -> str:
    """What a user is called that nobody named."""
    return f"user{user_id}"
