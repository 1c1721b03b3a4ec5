"""Discord on loopback: OAuth2, the user's own account and guilds, and a guild's member as the bot sees him.

    PUT /_double/users/{id}   {username, avatar?}
    PUT /_double/guilds/{id}  {name, ownerId, members: {user id: permissions}}
    GET /_double/messages     what the bot sent

`GET /oauth2/authorize?…&as={user id}` agrees in that user's name.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from werkzeug.wrappers import Request, Response

from local.doubles.oauth import AuthorizationServer, Grant
from local.doubles.web import Clock, Double, Refused, as_json, digits, told, utc_now

SECRET = {
    "clientId": "1090000000000000001",
    "clientSecret": "local-discord-client-secret",
    "publicKey": "0" * 64,
    "botToken": "local-discord-bot-token",
}
CODE_SECONDS = 60
TOKEN_SECONDS = 604_800
JOINED_AT = "2024-01-01T00:00:00.000000+00:00"
UNAUTHORIZED = {"message": "401: Unauthorized", "code": 0}
MISSING_ACCESS = {"message": "Missing Access", "code": 50001}
UNKNOWN_GUILD = {"message": "Unknown Guild", "code": 10004}
UNKNOWN_MEMBER = {"message": "Unknown Member", "code": 10007}


class DiscordDouble(Double):
    """The double. Its `secret` is what the product's secret `discord` must hold to be let in."""

    routes: ClassVar[dict[str, str]] = {
        "PUT /_double/users/<user_id>": "_put_user",
        "PUT /_double/guilds/<guild_id>": "_put_guild",
        "GET /_double/messages": "_messages",
        "GET /oauth2/authorize": "_authorize",
        "POST /api/v10/oauth2/token": "_token",
        "GET /api/v10/users/@me": "_me",
        "GET /api/v10/users/@me/guilds": "_my_guilds",
        "GET /api/v10/users/@me/guilds/<guild_id>/member": "_my_member",
        "GET /api/v10/guilds/<guild_id>/members/<user_id>": "_member",
    }

    def __init__(self, clock: Clock = utc_now, secret: Mapping[str, str] = SECRET) -> None:
        super().__init__(clock)
        self.secret = dict(secret)
        self.messages: list[dict[str, Any]] = []
        self._oauth = AuthorizationServer(clock, self.secret, CODE_SECONDS, TOKEN_SECONDS)
        self._users: dict[str, dict[str, Any]] = {}
        self._guilds: dict[str, dict[str, Any]] = {}

    def put_user(self, user_id: str, username: str, avatar: str | None = None) -> None:
        """Make or rename a user."""
        user_id = digits(user_id)
        with self.lock:
            self._users[user_id] = {
                "id": user_id,
                "username": username,
                "discriminator": "0",
                "global_name": username,
                "avatar": avatar,
            }

    def put_guild(self, guild_id: str, name: str, owner_id: str, members: dict[str, int | str]) -> None:
        """Make or replace a guild. `members`: a user's id → his permission bits; the owner is a member with all."""
        with self.lock:
            everyone = {digits(user_id): str(int(bits)) for user_id, bits in members.items()}
            everyone.setdefault(digits(owner_id), str((1 << 53) - 1))
            self._guilds[digits(guild_id)] = {"name": name, "owner_id": digits(owner_id), "members": everyone}

    def not_found(self) -> Refused:
        return Refused(404, {"message": "404: Not Found", "code": 0})

    def _put_user(self, request: Request, user_id: str) -> Response:
        body = told(request, "username", "avatar")
        self.put_user(user_id, str(body.get("username", f"user{user_id}")), body.get("avatar"))
        return Response(status=204)

    def _put_guild(self, request: Request, guild_id: str) -> Response:
        body = told(request, "name", "ownerId", "members")
        members = body.get("members", {})
        if "ownerId" not in body or not isinstance(members, dict):
            raise Refused(400, {"message": "a guild has an ownerId, and members: {user id: permissions}"})
        self.put_guild(guild_id, str(body.get("name", f"Guild {guild_id}")), body["ownerId"], members)
        return Response(status=204)

    def _messages(self, request: Request) -> Response:
        return as_json({"messages": self.messages})

    def _authorize(self, request: Request) -> Response:
        return self._oauth.authorize(request, self._users)

    def _token(self, request: Request) -> Response:
        return self._oauth.token(request)

    def _me(self, request: Request) -> Response:
        return as_json(self._users[self._granted(request, "identify").user_id])

    def _my_guilds(self, request: Request) -> Response:
        user_id = self._granted(request, "guilds").user_id
        mine = [
            {
                "id": guild_id,
                "name": guild["name"],
                "icon": None,
                "banner": None,
                "owner": guild["owner_id"] == user_id,
                "permissions": guild["members"][user_id],
                "features": [],
            }
            for guild_id, guild in sorted(self._guilds.items())
            if user_id in guild["members"]
        ]
        return as_json(mine)

    def _my_member(self, request: Request, guild_id: str) -> Response:
        user_id = self._granted(request, "guilds.members.read").user_id
        guild = self._guilds.get(guild_id)
        if guild is None or user_id not in guild["members"]:
            raise Refused(404, UNKNOWN_GUILD)
        return self._as_member(user_id)

    def _member(self, request: Request, guild_id: str, user_id: str) -> Response:
        if request.headers.get("Authorization") != f"Bot {self.secret['botToken']}":
            raise Refused(401, UNAUTHORIZED)
        guild = self._guilds.get(guild_id)
        if guild is None:
            raise Refused(404, UNKNOWN_GUILD)
        if user_id not in guild["members"]:
            raise Refused(404, UNKNOWN_MEMBER)
        return self._as_member(user_id)

    def _as_member(self, user_id: str) -> Response:
        unnamed = {"id": user_id, "username": f"user{user_id}", "avatar": None}
        user = self._users.get(user_id, unnamed)
        member: dict[str, Any] = {
            "user": user,
            "nick": None,
            "roles": [],
            "joined_at": JOINED_AT,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return as_json(member)

    def _granted(self, request: Request, scope: str) -> Grant:
        grant = self._oauth.grant_of(request)
        if grant is None:
            raise Refused(401, UNAUTHORIZED)
        if scope not in grant.scopes:
            raise Refused(403, MISSING_ACCESS)
        return grant
