"""The platform as a function's test sees it: call an action as API Gateway does, and look at what it left behind."""

import base64
import contextlib
import datetime as dt
import functools
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse

from local import motofix, threads

ROOT = Path(__file__).parents[1]
SECRETS: dict[str, dict[str, Any]] = {
    "tokens": {"key": "a signing key of the tests, long enough for HS256"},
    "stripe": {"apiKey": "sk_test_local", "webhookSecrets": ["whsec_local"]},
    "chain": {"webhookSigningKeys": ["whsec_chain"]},
    "discord": {"clientId": "1000", "clientSecret": "discord-secret", "publicKey": "00" * 32, "botToken": "bot"},
    "roblox": {"clientId": "2000", "clientSecret": "roblox-secret", "apiKey": "roblox-key"},
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: dt.datetime) -> None:
        self.moment = start

    def now(self) -> dt.datetime:
        self.moment += dt.timedelta(microseconds=1)  # two rows are never made at the very same time
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += dt.timedelta(**by)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is its JSON, or None."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])


@functools.cache
def client(service: str) -> Any:
    """One client a service for all tests: making one takes longer than most of them."""
    return boto3.client(service)


@functools.cache
def template() -> dict[str, Any]:
    return dict(yaml_parse((ROOT / "template.yaml").read_text()))


@functools.cache
def function_module(action: str) -> ModuleType:
    """A function's app.py, loaded once under a name of its own: what calls outside of races run in."""
    return load_module(action)


def load_module(action: str) -> ModuleType:
    """A function's app.py, loaded anew: an environment of Lambda, which serves one request at a time."""
    name = f"functions.{action}.app"
    spec = importlib.util.spec_from_file_location(name, ROOT / "functions" / action / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_idle: dict[str, list[ModuleType]] = {}


@contextlib.contextmanager
def environment(action: str) -> Iterator[ModuleType]:
    """An environment of the function that nobody else is in: racers in threads must not share one."""
    idle = _idle.setdefault(action, [function_module(action)])
    try:
        module = idle.pop()
    except IndexError:
        module = load_module(action)
    try:
        yield module
    finally:
        idle.append(module)


def route_of(action: str) -> tuple[str, str]:
    """Method and path of an action, as the template has them."""
    block = template()["Resources"]["".join(part.title() for part in action.split("_")) + "Function"]
    for event in block["Properties"].get("Events", {}).values():
        if event["Type"] == "Api":
            return event["Properties"]["Method"].upper(), event["Properties"]["Path"]
    raise LookupError(f"{action} has no route")


@dataclass
class Platform:
    """One test's platform."""

    clock: Clock
    context: Any = field(
        default_factory=lambda: SimpleNamespace(
            function_name="test",
            memory_limit_in_mb=1024,
            invoked_function_arn="arn:aws:lambda:test",
            aws_request_id="test",
            get_remaining_time_in_millis=lambda: 20_000,
        )
    )

    def call(
        self,
        action: str,
        actor: str | Any = None,
        /,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        raw: str | bytes | None = None,
        session_id: str = "ses_00000000000000000000000000",
        **path: str,
    ) -> Answer:
        """Call an HTTP action as API Gateway does, behind its authorizer: `actor` is a user, his id, or None (nobody).

        `path` are the path parameters; `raw` replaces the JSON of `body` (bytes as base64, as the gateway sends them).
        """
        event = self.event(action, actor, body, query=query, headers=headers, raw=raw, session_id=session_id, **path)
        with environment(action) as module:
            answer = module.lambda_handler(event, self.context)
        heads = {k: v[0] for k, v in (answer.get("multiValueHeaders") or {}).items()} | (answer.get("headers") or {})
        text = answer.get("body")
        return Answer(answer["statusCode"], _json(text), heads)

    def event(
        self,
        action: str,
        actor: str | Any = None,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        raw: str | bytes | None = None,
        session_id: str = "ses_00000000000000000000000000",
        **path: str,
    ) -> dict[str, Any]:
        """The proxy event of such a call."""
        method, resource = route_of(action)
        heads = {"Content-Type": "application/json", **(headers or {})}
        text = raw if raw is not None else (None if body is None else json.dumps(body))
        coded = isinstance(text, bytes)
        actor_id = actor if actor is None or isinstance(actor, str) else actor.id
        place = re.sub(r"{(\w+)\+?}", lambda match: path[match.group(1)], resource)
        return {
            "resource": resource,
            "path": place,
            "httpMethod": method,
            "headers": heads,
            "multiValueHeaders": {k: [v] for k, v in heads.items()},
            "queryStringParameters": query,
            "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
            "pathParameters": path or None,
            "requestContext": {
                "requestId": "req-test",
                "httpMethod": method,
                "path": place,
                "resourcePath": resource,
                "stage": "v1",
                "identity": {"sourceIp": "203.0.113.7", "userAgent": "pytest"},
                **({"authorizer": {"userId": actor_id, "sessionId": session_id}} if actor_id else {}),
            },
            "body": base64.b64encode(text).decode() if isinstance(text, bytes) else text,
            "isBase64Encoded": coded,
        }

    def invoke(self, action: str, event: dict[str, Any] | None = None) -> Any:
        """Run a function that has no HTTP: a job, a task, a consumer."""
        with environment(action) as module:
            return module.lambda_handler(event or {}, self.context)

    def rows(self) -> list[dict[str, Any]]:
        """Every item of the table, for 'nothing was written'."""
        items = motofix.dynamodb.items("123456789012", "us-east-1", "bloxtr8-local")
        return sorted(items, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))

    def overwrite(self, row: Any) -> None:
        """Put a row as it is, past the platform's one writer."""
        client("dynamodb").put_item(TableName="bloxtr8-local", Item=row.serialize())

    def erase(self, row: Any) -> None:
        """Delete a row, past the platform's one writer."""
        client("dynamodb").delete_item(TableName="bloxtr8-local", Key={"PK": {"S": row.pk}, "SK": {"S": row.sk}})

    def audit(self, root_id: str) -> list[Any]:
        """The audit entries of a root, in order; asserts that the chain holds."""
        from bloxtr8 import audit, table

        entries = table.partition(f"AUDIT#{root_id}")
        assert audit.verify(entries).ok  # type: ignore[arg-type]
        return entries


def _json(text: str | None) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def build(clock: Clock) -> Platform:
    """The template's table, buckets and secrets, on the emulator."""
    from bloxtr8 import config

    motofix.apply()
    threads.isolate()
    config.settings.cache_clear()
    _forget_parameters()
    resources = template()["Resources"]
    known = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode", "StreamSpecification")
    table = {name: value for name, value in resources["Table"]["Properties"].items() if name in known}
    table["StreamSpecification"] = {**table["StreamSpecification"], "StreamEnabled": True}
    _made(table)
    return Platform(clock)


def _made(table: dict[str, Any]) -> None:
    """Past botocore and moto's parsing, which take longer than many a test."""
    from moto.dynamodb.models import dynamodb_backends
    from moto.s3.models import s3_backends
    from moto.secretsmanager.models import secretsmanager_backends

    account, region = "123456789012", "us-east-1"
    dynamodb_backends[account][region].create_table(
        "bloxtr8-local", schema=table["KeySchema"], attr=table["AttributeDefinitions"],
        global_indexes=table["GlobalSecondaryIndexes"], streams=table["StreamSpecification"],
        billing_mode=table["BillingMode"], throughput=None, indexes=None, sse_specification=None, tags=[],
        deletion_protection_enabled=False, warm_throughput=None,
    )  # fmt: skip
    for bucket in ("contracts", "evidence"):
        s3_backends[account]["global"].create_bucket(f"bloxtr8-local-{bucket}", region)
    for name, value in SECRETS.items():
        secretsmanager_backends[account][region].create_secret(
            f"bloxtr8/local/{name}", secret_string=json.dumps(value), secret_binary=None, description=None, tags=None,
            kms_key_id=None, client_request_token=None, replica_regions=[], force_overwrite=False,
        )  # fmt: skip


def _forget_parameters() -> None:
    """What the last test's secrets were, but not the client that read them."""
    from bloxtr8 import config

    config._kept.clear()
