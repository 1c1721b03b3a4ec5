"""Everything a function needs around its own few lines: an HTTP app, a task, a schedule, a consumer
(architecture.md)."""

import base64
import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.event_handler.request import Request
from aws_lambda_powertools.logging import correlation_paths

from bloxtr8 import clock, config, table
from bloxtr8.actors import Actor, IdempotencyKey
from bloxtr8.attempts import ATTEMPTS
from bloxtr8.attempts import again as again
from bloxtr8.attempts import each as each
from bloxtr8.attempts import work as work
from bloxtr8.entities import Idempotency
from bloxtr8.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    RateLimited,
    StaleWrite,
    TooLarge,
    Unauthenticated,
    Unprocessable,
    UnsupportedMedia,
)
from bloxtr8.logs import logger

NO_CONTENT = 204
BODY_LIMIT_BYTES = 256 * 1024
JSON = "application/json"
PROBLEM = "application/problem+json"

Handler = Callable[[dict[str, Any], Any], Any]


class HttpApp(APIGatewayRestResolver):
    """A resolver of one route. `stale` tells that the write of the answer just made lost its race."""

    stale: bool = False


def http_app() -> HttpApp:
    """A resolver that validates, and answers every DomainError as problem+json."""
    app = HttpApp(enable_validation=True, json_body_deserializer=_json)

    def _refuse(error: DomainError) -> Response[str]:
        return _replay(app) or _problem(error)

    def _lost_race(error: StaleWrite) -> Response[str]:
        logger.info("stale write", extra={"action": str(error)})
        replay = _replay(app)
        app.stale = replay is None
        return replay or _problem(Conflict("Somebody else was faster. Read it again."))

    def _invalid(error: RequestValidationError) -> Response[str]:
        fields = [
            {"field": ".".join(map(str, e["loc"])), "message": str(e.get("msg", e["type"]))} for e in error.errors()
        ]
        return _problem(Invalid("The request is not valid.", errors=fields))

    def _unsupported(_: RequestUnsupportedContentType) -> Response[str]:
        return _problem(UnsupportedMedia("Send application/json."))

    def _not_found(_: NotFoundError) -> Response[str]:
        return _problem(NotFound("There is nothing here."))

    app.exception_handler(DomainError)(_refuse)
    app.exception_handler(StaleWrite)(_lost_race)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(RequestUnsupportedContentType)(_unsupported)
    app.exception_handler(NotFoundError)(_not_found)
    return app


def entrypoint(app: HttpApp) -> Handler:
    """The Lambda handler of an HTTP function: logs with the correlation id, and runs again, up to three times, on a
    lost race."""

    @logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
    def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        refusal = _unreadable(event)
        if refusal is not None:
            return _readable(_proxy(_problem(refusal)))
        for _ in range(ATTEMPTS):
            app.stale = False
            answer = app.resolve(event, context)
            if not app.stale:
                break
        if answer["statusCode"] == NO_CONTENT:
            answer["body"] = ""  # Powertools says "null", and a 204 has no body
        return _readable(answer)

    return lambda_handler


def _unreadable(event: dict[str, Any]) -> DomainError | None:
    """What is wrong with a request before anything is read of it: its path's letters, its body's size, encoding and
    type."""
    path = str(event.get("path"))
    if not (path.isascii() and path.isprintable()):  # the resolver would overlook a line break at the end
        return NotFound("There is nothing here.")
    body = event.get("body")
    if not body:
        return None
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        raw.decode()
    except ValueError:
        return Invalid("The body is not text.")
    if len(raw) > BODY_LIMIT_BYTES:
        return TooLarge("The body is over 256 KiB.")
    kind = _header(event, "content-type") or JSON  # what API Gateway takes it for
    return None if kind.partition(";")[0].strip() == JSON else UnsupportedMedia("Send application/json.")


def _json(text: str) -> Any:
    """A body's JSON: an object, or null. Whatever makes it unreadable is the sender's mistake: depth, numbers without
    end, two fields of one name, too; and of a list Powertools would take the first."""
    try:
        found = json.loads(text, object_pairs_hook=_unambiguous, parse_constant=_no_number)
        if found is not None and not isinstance(found, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(type(error).__name__, "", 0) from error
    return found


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("two fields of one name")
    return made


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _readable(answer: dict[str, Any]) -> dict[str, Any]:
    """Let the client's pages read the answer: tokens travel in a header, never in a cookie, so an origin is enough."""
    headers = answer.setdefault("multiValueHeaders", {})
    headers["Access-Control-Allow-Origin"] = [config.settings().allowed_origin]
    headers["Access-Control-Expose-Headers"] = ["Retry-After, Idempotency-Replayed"]
    return answer


# --- who is calling


def _actor(request: Request) -> Actor:
    event = request.resolved_event.raw_event
    claims = event.get("requestContext", {}).get("authorizer") or {}
    if "userId" not in claims:
        raise Unauthenticated("Sign in first.")
    return _actor_of(str(claims["userId"]), claims.get("sessionId"), request, event)


def _keyed_actor(request: Request) -> Actor:
    actor = _actor(request)
    if actor.idempotency is None:
        raise Invalid("This needs an Idempotency-Key.", "IDEMPOTENCY_KEY_REQUIRED")
    return actor


def _maybe_actor(request: Request) -> Actor | None:
    """The caller of a public route that shows more to those who sign in (D23): the bearer is proven in the function."""
    event = request.resolved_event.raw_event
    header = _header(event, "authorization")
    if header is None:
        return None
    from bloxtr8 import sessions

    session = sessions.authenticate(header)
    return _actor_of(session.user_id, session.id, request, event)


def _visitor(request: Request) -> Actor:
    """Whoever calls a public route: nobody yet, but a signature keeps the hash of where it came from."""
    return _actor_of("nobody", None, request, request.resolved_event.raw_event, keyed=False)


CurrentActor = Annotated[Actor, Depends(_actor)]
KeyedActor = Annotated[Actor, Depends(_keyed_actor)]
MaybeActor = Annotated[Actor | None, Depends(_maybe_actor)]
PublicActor = Annotated[Actor, Depends(_visitor)]


def _actor_of(
    user_id: str, session_id: str | None, request: Request, event: Mapping[str, Any], *, keyed: bool = True
) -> Actor:
    identity = event.get("requestContext", {}).get("identity") or {}
    return Actor(
        id=user_id,
        session_id=session_id,
        idempotency=_idempotency_key(user_id, request, event) if keyed else None,
        if_match=_if_match(event),
        address_hash=_hashed(identity.get("sourceIp")),
        agent_hash=_hashed(identity.get("userAgent")),
    )


def _idempotency_key(caller: str, request: Request, event: Mapping[str, Any]) -> IdempotencyKey | None:
    key = _header(event, "idempotency-key")
    if key is None or request.method != "POST":
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid("An Idempotency-Key has 1 to 255 printable characters.")
    text = json.dumps([request.method, event.get("path"), _canonical(event.get("body"))])
    action = f"{request.method} {request.route}"
    return IdempotencyKey(caller, action, key, hashlib.sha256(text.encode()).hexdigest())


def _canonical(body: str | None) -> str:
    """Two bodies that mean the same JSON are the same body."""
    if not body:
        return ""
    try:
        return json.dumps(_json(body), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return body


def _if_match(event: Mapping[str, Any]) -> int | None:
    text = _header(event, "if-match")
    if text is None or text == "*":
        return None
    match = re.fullmatch(r'"(\d{1,12})"', text)
    if match is None:
        raise Invalid('If-Match takes a version in quotes, for example "3".')
    return int(match.group(1))


def _header(event: Mapping[str, Any], name: str) -> str | None:
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return None


def _hashed(text: str | None) -> str | None:
    return hashlib.sha256(text.encode()).hexdigest() if text else None


# --- answers


def _problem(error: DomainError) -> Response[str]:
    """RFC 9457, with our `code` and `correlationId`."""
    logger.info("refused", extra={"code": error.code, "status": error.status})
    body = {
        "type": f"https://bloxtr8.com/problems/{error.code.lower().replace('_', '-')}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "correlationId": logger.get_correlation_id(),
        **error.details,
    }
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimited) else {}
    return Response(error.status, PROBLEM, json.dumps(body), headers=headers)


def _replay(app: HttpApp) -> Response[str] | None:
    """The stored answer, where this request was committed before under its Idempotency-Key; read only after a
    refusal."""
    key = _key_of(app)
    if key is None:
        return None
    row = table.find(Idempotency, caller=key.caller, action=key.action, key=key.key)
    if row is None or _expired(row):
        return None
    if row.fingerprint != key.fingerprint:
        return _problem(Unprocessable("This Idempotency-Key was used for another request.", "IDEMPOTENCY_KEY_REUSED"))
    return Response(app.context["_route"].status_code, JSON, row.answer, headers={"Idempotency-Replayed": "true"})


def _expired(row: Idempotency) -> bool:
    return row.ttl is not None and row.ttl <= clock.now()


def _key_of(app: HttpApp) -> IdempotencyKey | None:
    request = app.request
    claims = app.current_event.raw_event.get("requestContext", {}).get("authorizer") or {}
    if "userId" not in claims:
        return None
    try:
        return _idempotency_key(str(claims["userId"]), request, app.current_event.raw_event)
    except Invalid:
        return None


def _proxy(response: Response[str]) -> dict[str, Any]:
    """A response as API Gateway takes it, for what never reached the resolver."""
    headers = {
        "Content-Type": response.content_type or PROBLEM,
        **{k: str(v) for k, v in (response.headers or {}).items()},
    }
    return {
        "statusCode": response.status_code,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": response.body,
        "isBase64Encoded": False,
    }


# --- no HTTP


def task(function: Callable[[dict[str, Any]], Mapping[str, Any] | None]) -> Handler:
    """A Step Functions task: plain JSON in and out. An exception's bare class name is what Retry and Catch see.

    A lost race is run again here, because reading, deciding and committing again is safe.
    """

    @logger.inject_lambda_context(clear_state=True)
    @functools.wraps(function)
    def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        result = again(lambda: function(event))
        return dict(result) if result else {}

    return lambda_handler


def schedule(function: Callable[[], None]) -> Handler:
    """A job of an EventBridge rule: bounded, re-entrant, safe twice at once. Its event says nothing it needs."""

    @logger.inject_lambda_context(clear_state=True)
    @functools.wraps(function)
    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        function()

    return lambda_handler
