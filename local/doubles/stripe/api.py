"""One request through the double: faults, key, parameters, the resource, the answer."""

import json
import threading
from collections.abc import Callable
from typing import Any

from stripe import api_version

from local.doubles.stripe import form
from local.doubles.stripe.errors import ApiError, Dropped, malformed
from local.doubles.stripe.faults import Fault, Faults
from local.doubles.stripe.idempotency import Fingerprint, Keys
from local.doubles.stripe.messages import Answer, Call, Object, Request
from local.doubles.stripe.routes import Parts, Route, routes

_SECRET, _PUBLISHABLE = "sk_test_", "pk_test_"
_REASONS = {
    409: ("invalid_request_error", "lock_timeout", "This object cannot be accessed right now."),
    429: ("invalid_request_error", "rate_limit", "Request rate limit exceeded."),
    503: ("api_error", None, "Stripe is temporarily unavailable."),
}


class Api:
    """Answers Stripe's paths. Safe to use from many threads: `lock` guards the world."""

    def __init__(self, parts: Parts, faults: Faults, lock: threading.RLock, sleep: Callable[[float], None]) -> None:
        self.parts, self.faults, self.lock = parts, faults, lock
        self.keys = Keys(parts.world.now)
        self.calls: list[Call] = []
        self._routes, self._sleep = routes(parts), sleep

    def handle(self, request: Request) -> Answer:
        """The answer, faults included. Raises Dropped where the connection dies."""
        fault = self.faults.take(request.method, request.path)
        call = self._log(request, fault)
        try:
            if fault and not fault.commits:
                self._sleep(fault.delay_seconds)
                if fault.drop:
                    raise Dropped
                raise _failure(fault)
            self._admit(request)
            answer = self._once(request, call, fault)
        except ApiError as error:
            answer = self._refusal(call, error)
        if fault and fault.drop:
            raise Dropped
        call.status = answer.status
        return answer

    def _once(self, request: Request, call: Call, fault: Fault | None) -> Answer:
        """Execute under the idempotency key, or replay what it kept."""
        key = call.idempotency_key
        if key is None:
            return self._execute(request, call, fault)[0]
        flat = tuple(sorted(form.pairs(request.body)))
        fingerprint: Fingerprint = (request.method, request.path, flat, request.headers.get("stripe-account"))
        kept = self.keys.begin(key, fingerprint)
        if kept is not None:
            call.replayed = True
            again = {"idempotent-replayed": "true", "original-request": kept.headers["request-id"]}
            return Answer(kept.status, {**kept.headers, **again, "request-id": call.request_id}, kept.body)
        answer, stored = None, False
        try:
            answer, stored = self._execute(request, call, fault)
            return answer
        finally:
            self.keys.finish(key, fingerprint, answer if stored else None)

    def _execute(self, request: Request, call: Call, fault: Fault | None) -> tuple[Answer, bool]:
        """The answer and whether a key keeps it."""
        if fault:
            self._sleep(fault.delay_seconds)
        with self.lock:
            self.parts.tick()
            world = self.parts.world
            world.request_id, world.idempotency_key = call.request_id, call.idempotency_key
            world.base_url = request.base_url
            try:
                body = self._dispatch(request)
            except ApiError as error:
                return self._refusal(call, error), error.stored
            finally:
                world.request_id = world.idempotency_key = None
                world.base_url = ""
        if fault and fault.status:
            return self._refusal(call, _failure(fault)), True
        return self._answer(call, 200, body), True

    def _dispatch(self, request: Request) -> Object:
        for route in self._routes:
            ids = route.match(request.method, request.path)
            if ids is not None:
                return self._call(route, ids, request)
        message = f"Unrecognized request URL ({request.method.upper()}: {request.path})."
        raise ApiError(404, "invalid_request_error", message, stored=False)

    def _call(self, route: Route, ids: tuple[str, ...], request: Request) -> Object:
        world, account = self.parts.world, request.headers.get("stripe-account")
        given = form.unflatten(form.pairs(request.query if request.method.upper() == "GET" else request.body))
        secret = given.pop("client_secret", None) if _publishable(request) else None
        expand = given.get("expand", {})
        arguments = route.arguments(given)
        if account is not None:
            if route.path != "/v1/balance":
                raise malformed("The double does not act for connected accounts on this path.", "not_modelled")
            arguments["account"] = world.get("account", account)["id"]
        if _publishable(request):
            self._check_client(route, ids, secret)
        answer = world.checked(route.handler(*ids, **arguments))
        return self.parts.lists.expanded(answer, list(expand.values()))

    def _check_client(self, route: Route, ids: tuple[str, ...], secret: Any) -> None:
        """A browser holds a publishable key: with the client secret it may see and confirm one PaymentIntent."""
        if route.path not in ("/v1/payment_intents/{id}", "/v1/payment_intents/{id}/confirm") or (
            route.path == "/v1/payment_intents/{id}" and route.method == "POST"
        ):
            message = "This API call cannot be made with a publishable API key. Please use a secret API key."
            raise ApiError(403, "invalid_request_error", message, "secret_key_required", stored=False)
        if secret != self.parts.world.get("payment_intent", ids[0])["client_secret"]:
            message = "The client_secret provided does not match the client_secret associated with the PaymentIntent."
            raise malformed(message, "payment_intent_invalid_parameter", "client_secret")

    def _admit(self, request: Request) -> None:
        """Only test keys, and only the API version that the installed package describes."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key.startswith((_SECRET, _PUBLISHABLE)):
            raise ApiError(401, "invalid_request_error", f"Invalid API Key provided: {key[:8]}***", stored=False)
        version = request.headers.get("stripe-version", api_version)
        if version != api_version:
            raise malformed(f"The double speaks {api_version}, not {version}.", "invalid_api_version")

    def _log(self, request: Request, fault: Fault | None) -> Call:
        posted = request.method.upper() == "POST"
        with self.lock:
            call = Call(
                request_id=self.parts.world.name("req"),
                method=request.method.upper(),
                path=request.path,
                params=dict(form.pairs(request.body if posted else request.query)),
                idempotency_key=request.headers.get("idempotency-key") if posted else None,
                at=self.parts.world.now(),
                fault=fault.name if fault else None,
            )
            self.calls.append(call)
            return call

    def _refusal(self, call: Call, error: ApiError) -> Answer:
        return self._answer(call, error.status, error.body, error.headers)

    def _answer(self, call: Call, status: int, body: Object, headers: dict[str, str] | None = None) -> Answer:
        basic = {
            "content-type": "application/json",
            "request-id": call.request_id,
            "stripe-version": api_version,
        }
        if call.idempotency_key is not None:
            basic["idempotency-key"] = call.idempotency_key
        return Answer(status, {**basic, **(headers or {})}, json.dumps(body, ensure_ascii=False))


def _publishable(request: Request) -> bool:
    return request.headers.get("authorization", "").startswith(f"Bearer {_PUBLISHABLE}")


def _failure(fault: Fault) -> ApiError:
    status = fault.status or 500
    reason = "api_error" if status >= 500 else "invalid_request_error", None, "An unknown error occurred."
    kind, code, message = _REASONS.get(status, reason)
    retry = "false" if fault.after_commit or status == 429 else "true"
    return ApiError(status, kind, message, code, stored=False, headers={"stripe-should-retry": retry})
