"""API Gateway: SAM CLI's own LocalApigwService, with the refusals of the template's GatewayResponses.

The only file that imports SAM CLI's internals. Routes, events, authorizer and CORS are those of `sam local start-api`;
what is mended: GatewayResponses are honoured, every request has an id of its own, HEAD and double slashes are no
route, an authorizer that raises "Unauthorized" means 401 (as on AWS; SAM CLI answers 502), a body that is not UTF-8
reaches the function with replacement characters, bodies above 10 MB are refused, and nothing is reported to anyone.
"""

import datetime as dt
import io
import json
import uuid
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Request, Response, current_app, g, request
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.lib.telemetry.event import EventTracker
from samcli.local.apigw import local_apigw_service
from samcli.local.apigw.local_apigw_service import LocalApigwService
from werkzeug.exceptions import HTTPException

from local.motofix.lambdas import Answer
from local.resources import Platform
from local.servers import Server
from local.template import marked

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY_BYTES = 10_000_000
# what API Gateway says by itself, where the template says nothing: (status, message)
_DEFAULTS = {
    "UNAUTHORIZED": (401, "Unauthorized"),
    "ACCESS_DENIED": (403, "User is not authorized to access this resource"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "INTEGRATION_FAILURE": (502, "Internal server error"),
}


class FunctionFailed(Exception):
    """A function behind the gateway answered with an error object."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.payload)
        self.message = json.loads(answer.payload).get("errorMessage")


class Gateway:
    """The public address of the API. `invoke(logical_id, payload)` runs a function."""

    def __init__(self, platform: Platform, invoke: Callable[[str, str], Answer], port: int = 0) -> None:
        EventTracker.track_event = staticmethod(lambda *_, **__: None)
        local_apigw_service.ServiceErrorResponses = _Refusals
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of SAM CLI's own calls
            api = _api(platform)
        service = _Service(api=api, lambda_runner=_Functions(invoke), port=port, host="127.0.0.1")
        service.create()
        app = service._app
        app.before_request(_admit)
        app.url_map.merge_slashes = False  # API Gateway knows no redirects
        app.config["GATEWAY_RESPONSES"] = platform.gateway_responses
        self.routes = sorted(
            (method, route.path, route.function_name)
            for route in api.routes
            for method in set(route.methods) - {"OPTIONS"}
        )
        self.protected = {
            (method, route.path) for route in api.routes for method in route.methods if route.authorizer_object
        }
        self._server = Server(_bodies(app.wsgi_app, app), port)
        service.port = self._server.port
        self.url = self._server.url

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


_apis: dict[str, Any] = {}


def _api(platform: Platform) -> Any:
    """The routes of a template, read once in a process: it says the same to every stack."""
    said = json.dumps([str(platform.path), platform.source, marked(platform.parameters)], default=str)
    if said not in _apis:
        stacks, _ = SamLocalStackProvider.get_stacks(
            template_dictionary=platform.source, parameter_overrides=platform.parameters
        )
        _apis[said] = ApiProvider(stacks, cwd=str(platform.path.parent)).api
    return _apis[said]


class _Functions:
    """In the place of SAM CLI's Docker runner."""

    def __init__(self, invoke: Callable[[str, str], Answer]) -> None:
        self._invoke = invoke

    def is_debugging(self) -> bool:
        return False

    def invoke(self, name: str, event: str, stdout: Any, **_: Any) -> None:
        answer = self._invoke(name, event)
        if answer.failed:
            raise FunctionFailed(answer)
        stdout.write_str(answer.payload)


class _Service(LocalApigwService):  # type: ignore[misc]
    """SAM CLI's gateway; its requests have an id, a time and an agent of their own, and its authorizer may raise."""

    def _generate_lambda_event(self, flask_request: Request, *args: Any) -> dict[str, Any]:
        event: dict[str, Any] = super()._generate_lambda_event(flask_request, *args)
        context, now = event["requestContext"], dt.datetime.now(dt.UTC)
        context["requestId"] = g.request_id
        context["requestTime"] = now.strftime("%d/%b/%Y:%H:%M:%S +0000")
        context["requestTimeEpoch"] = int(now.timestamp() * 1000)
        context["identity"]["userAgent"] = flask_request.headers.get("User-Agent")
        return event

    def _invoke_parse_lambda_authorizer(self, *args: Any) -> None:
        try:
            super()._invoke_parse_lambda_authorizer(*args)
        except FunctionFailed as error:
            kind = "UNAUTHORIZED" if error.message == "Unauthorized" else "AUTHORIZER_FAILURE"
            raise HTTPException(response=_refuse(kind)) from error


class _Refusals:
    """In the place of SAM CLI's ServiceErrorResponses: the same occasions, the template's answers."""

    @staticmethod
    def missing_lambda_auth_identity_sources() -> Response:
        return _refuse("UNAUTHORIZED")

    @staticmethod
    def lambda_authorizer_unauthorized() -> Response:
        return _refuse("ACCESS_DENIED")

    @staticmethod
    def route_not_found(*_: Any) -> Response:
        return _refuse("MISSING_AUTHENTICATION_TOKEN")

    @staticmethod
    def lambda_failure_response(*_: Any) -> Response:
        return _refuse("INTEGRATION_FAILURE")

    lambda_body_failure_response = lambda_not_found_response = lambda_failure_response
    not_implemented_locally = container_creation_failed = tenant_id_validation_error = lambda_failure_response


def _admit() -> Response | None:
    """SAM CLI gives every request the same id, and Flask takes HEAD wherever there is a GET."""
    g.request_id = str(uuid.uuid4())
    return _refuse("MISSING_AUTHENTICATION_TOKEN") if request.method == "HEAD" else None


def _refuse(kind: str) -> Response:
    status, message = _DEFAULTS[kind]
    told = current_app.config["GATEWAY_RESPONSES"]
    about = told.get(kind) or told.get("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX") or {}
    body = about.get("responseTemplates", {}).get("application/json", '{"message":$context.error.messageString}')
    for name, value in {
        "requestId": str(uuid.uuid4()),
        "error.messageString": json.dumps(message),
        "error.message": message,
    }.items():
        body = body.replace(f"$context.{name}", value)
    response = Response(body, int(about.get("statusCode") or status), content_type="application/json")
    for name, value in about.get("responseParameters", {}).items():
        response.headers[name.removeprefix("gatewayresponse.header.")] = str(value).strip("'")
    return response


def _bodies(app: "WSGIApplication", flask: Any) -> "WSGIApplication":
    """Bodies as API Gateway passes them on: bounded, and always text."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_BODY_BYTES:
            with flask.app_context():
                return _refuse("REQUEST_TOO_LARGE")(environ, start_response)
        if length:
            body = environ["wsgi.input"].read(length).decode("utf-8", "replace").encode()
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return app(environ, start_response)

    return wrapped
