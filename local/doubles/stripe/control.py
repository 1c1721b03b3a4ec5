"""The control surface `/_double/…`: how tests and operators drive the double over HTTP."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect

from local.doubles.stripe.api import Api
from local.doubles.stripe.errors import ApiError
from local.doubles.stripe.faults import of_json
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Call, Object
from local.doubles.stripe.webhooks import Webhooks

_POLICY: dict[str, tuple[type, ...]] = {
    "duplicate": (int,),
    "shuffle": (bool,),
    "drop": (int,),
    "delaySeconds": (int, float),
    "paused": (bool,),
}


class Control:
    """Each method answers one path; bodies and answers are JSON."""

    def __init__(self, api: Api, webhooks: Webhooks, advance: Callable[[float], None]) -> None:
        self._api, self._webhooks, self._advance = api, webhooks, advance
        self._lock: threading.RLock = api.lock
        parts = api.parts
        self._actions: dict[str, Callable[..., Any]] = {
            "account": lambda body, id: parts.accounts.onboard(id, body.get("succeeds", True)),
            "advance": self._move_time,
            "authenticate": lambda body, id: parts.payments.authenticate(id, body.get("succeeds", True)),
            "calls": lambda body: {"calls": [_told(call) for call in api.calls]},
            "clear": lambda body: api.faults.clear(),
            "close_dispute": lambda body, id: parts.disputes.close(id, body.get("status", "")),
            "decide": lambda body, id: parts.identity.decide(id, body.get("succeeds", True)),
            "dispute": lambda body, id: parts.disputes.open(id, **body),
            "end_review": lambda body, id: parts.disputes.end_review(id, body.get("reason", "approved")),
            "reinstate": lambda body, id: parts.disputes.reinstate(id),
            "escalate": lambda body, id: parts.disputes.escalate(id),
            "fail_refund": lambda body, id: parts.refunds.fail(id),
            "fault": lambda body: api.faults.add(of_json(body)),
            "faults": lambda body: {"faults": api.faults.view()},
            "ledger": lambda body: self.ledger(),
            "outbox": lambda body: {"events": webhooks.outbox()},
            "pay_slowly": lambda body, id: parts.payments.pay_slowly(id, body.get("payment_method", "pm_card_visa")),
            "top_up": self._top_up,
            "travel": self._travel,
            "warn": lambda body, id: parts.disputes.warn(id),
        }

    def respond(self, request: Request) -> Response:
        """The answer to one request of the control surface: 400 for nonsense, 404 for what is not there."""
        try:
            name, ids = _MAP.bind_to_environ(request.environ).match()
            if name == "visit":
                return self._visit(**ids)
            body = _body(request)
            with self._lock:
                self._api.parts.tick()
                answer = self._actions[name](body, **ids)
        except ApiError as error:
            return _json(error.body, error.status)
        except (ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        except HTTPException as error:
            return _json({"error": error.description}, error.code or 500)
        return Response(status=204) if answer is None else _json(answer)

    def ledger(self) -> Object:
        """What every account has, in cents, and the sum over all of them: zero."""
        world = self._api.parts.world
        rows = {name: asdict(world.ledger.balance(name, world.now())) for name in world.ledger.accounts()}
        rows.setdefault(PLATFORM, {"available": 0, "pending": 0})
        return {"accounts": rows, "sum": world.ledger.total()}

    def _move_time(self, body: Object) -> Object:
        self._advance(float(body["seconds"] if "seconds" in body else _missing("seconds")))
        return {"now": self._api.parts.world.now()}

    def _top_up(self, body: Object) -> Object:
        amount = body.get("amount")
        if not isinstance(amount, int) or amount < 1:
            raise BadRequest("amount: cents, an integer above zero")
        world = self._api.parts.world
        world.move(PLATFORM, amount, "topup", world.name("tu"))
        return self.ledger()

    def _travel(self, body: Object) -> Object:
        for name, value in body.items():
            if type(value) not in _POLICY.get(name, ()):
                raise BadRequest(f"unknown or mistyped: {name}")
        changes = {"delay_seconds" if name == "delaySeconds" else name: value for name, value in body.items()}
        policy = asdict(self._webhooks.travel(**changes))
        policy["delaySeconds"] = policy.pop("delay_seconds")
        return policy

    def _visit(self, account: str, token: str) -> Response:
        """The page behind an account link: its owner answers everything and is sent back."""
        try:
            with self._lock:
                return redirect(self._api.parts.accounts.visit(token))
        except LookupError:
            return _json({"error": "This link was used or has expired. Ask for a new one."}, 410)


_PATHS = [
    ("POST", "/_double/accounts/<id>/onboard", "account"),
    ("POST", "/_double/advance", "advance"),
    ("GET", "/_double/calls", "calls"),
    ("POST", "/_double/charges/<id>/dispute", "dispute"),
    ("POST", "/_double/charges/<id>/warning", "warn"),
    ("POST", "/_double/disputes/<id>/close", "close_dispute"),
    ("POST", "/_double/disputes/<id>/escalate", "escalate"),
    ("POST", "/_double/disputes/<id>/reinstate", "reinstate"),
    ("PUT", "/_double/faults", "fault"),
    ("GET", "/_double/faults", "faults"),
    ("DELETE", "/_double/faults", "clear"),
    ("GET", "/_double/ledger", "ledger"),
    ("GET", "/_double/onboarding/<account>/<token>", "visit"),
    ("GET", "/_double/outbox", "outbox"),
    ("POST", "/_double/payment_intents/<id>/authenticate", "authenticate"),
    ("POST", "/_double/payment_intents/<id>/pay_slowly", "pay_slowly"),
    ("POST", "/_double/refunds/<id>/fail", "fail_refund"),
    ("POST", "/_double/reviews/<id>/close", "end_review"),
    ("POST", "/_double/top_up", "top_up"),
    ("POST", "/_double/verification_sessions/<id>/decide", "decide"),
    ("POST", "/_double/webhooks", "travel"),
]
_MAP = Map([Rule(path, methods=[method], endpoint=name) for method, path, name in _PATHS])


def _body(request: Request) -> Object:
    text = request.get_data(as_text=True)
    body = json.loads(text) if text else {}
    if not isinstance(body, dict):
        raise BadRequest("the body is a JSON object")
    return body


def _json(answer: Any, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, content_type="application/json")


def _told(call: Call) -> Object:
    at = datetime.fromtimestamp(call.at, UTC).isoformat()
    asked = {"at": at, "requestId": call.request_id, "method": call.method, "path": call.path, "params": call.params}
    done = {"status": call.status, "replayed": call.replayed, "fault": call.fault}
    return {**asked, "idempotencyKey": call.idempotency_key, **done}


def _missing(name: str) -> Any:
    raise BadRequest(f"missing: {name}")
