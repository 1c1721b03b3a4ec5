"""What every function is asked and what it asks: the demo's trades and a tour of the other actions, written down.

One recording feeds every measurement: cold and warm calls replay it without a network, the round trips and the bill
are counted from it.
"""

import base64
import contextlib
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connectionpool import HTTPConnectionPool

from benchmarks import tour
from local import invocation
from local.runner import InProcess
from local.stack import Stack

KEPT = {"GetSecretValue", "GetPublicKey", "eth_chainId"}  # asked once a process, so only its first call shows them
READS = {"GetItem", "BatchGetItem", "Query", "GetSecretValue"}
NODE = "https://rpc.test"  # where the measured tree finds the chain's node
CHAIN_SETTINGS = (
    "CHAIN_ID", "CHAIN_IDS", "USDC_ADDRESS", "ESCROW_CONTRACT", "FEE_ADDRESS", "SANCTIONS_ORACLE", "SIGNER_KEY_ID",
    "CHAIN_FINALITY", "PAYOUT_FINALITY",
)  # fmt: skip
HOPS = {"transfer-encoding", "content-length", "connection", "content-encoding"}


@dataclass
class Exchange:
    """One request over the network and its answer; `body` is base64."""

    service: str
    operation: str
    asked: Any
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Call:
    """One invocation. `now` is the platform's clock at its start; `trade` is the demo's trade under way, from 1."""

    action: str
    event: Any
    now: float
    trade: int
    failed: bool = False
    answer: Any = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def status(self) -> int | None:
        """The HTTP status, or None for what is no HTTP action."""
        return self.answer.get("statusCode") if isinstance(self.answer, dict) else None

    @property
    def good(self) -> bool:
        """Whether it did its work: neither an error nor a refusal."""
        return not self.failed and (self.status is None or self.status < 400)

    @property
    def on_chain(self) -> bool:
        """Whether it asked the chain's node."""
        return any(it.service == "rpc" for it in self.exchanges)

    def count(self, *operations: str) -> int:
        """How often it asked for one of these operations of DynamoDB."""
        return sum(it.service == "dynamodb" and it.operation in operations for it in self.exchanges)


@dataclass
class Recording:
    """All calls in the order of their start, the state transitions of the executions of trade 1, and the settings of
    the chain that they were made on."""

    calls: list[Call] = field(default_factory=list)
    transitions: int = 0
    chain: dict[str, str] = field(default_factory=dict)

    def firsts(self) -> dict[str, Call]:
        """The busiest good call of each action among its first ten: an answer of nothing to do measures nothing. What
        is asked by card and on chain is measured by card."""
        return {action: _busiest(_by_card(calls) or calls) for action, calls in self._good().items()}

    def on_chain(self) -> dict[str, Call]:
        """The same of the actions that go by card and on chain: the call on chain."""
        both = {action: calls for action, calls in self._good().items() if _by_card(calls)}
        found = {action: [call for call in calls if call.on_chain] for action, calls in both.items()}
        return {action: _busiest(calls) for action, calls in found.items() if calls}

    def _good(self) -> dict[str, list[Call]]:
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            if call.good:
                found.setdefault(call.action, []).append(call)
        return dict(sorted(found.items()))

    def secrets(self) -> list[Exchange]:
        """Reads of secrets, each once."""
        return [it for it in self.kept() if it.operation == "GetSecretValue"]

    def kept(self) -> list[Exchange]:
        """What a process asks once and keeps, each once."""
        asked = [it for call in self.calls for it in call.exchanges if it.operation in KEPT]
        return list({(it.operation, json.dumps(it.asked)): it for it in asked}.values())

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> "Recording":
        raw = json.loads(text)
        calls = [Call(**it | {"exchanges": [Exchange(**one) for one in it["exchanges"]]}) for it in raw["calls"]]
        return cls(calls, raw["transitions"], raw["chain"])


def _by_card(calls: list[Call]) -> list[Call]:
    """Those that did more than to look into the table, and nothing on chain."""
    return [call for call in calls if not call.on_chain and any(it.operation not in READS for it in call.exchanges)]


def _busiest(calls: list[Call]) -> Call:
    return max(calls[:10], key=_work)


def _work(call: Call) -> tuple[bool, int]:
    """Calls that nobody refused come first, then those that asked more."""
    return all(it.status < 400 for it in call.exchanges), len(call.exchanges)


class _Recorder:
    def __init__(self, stack: Stack) -> None:
        self.stack, self.recording, self.trade = stack, Recording(), 0
        self._lock = threading.Lock()
        self._open: dict[str, Call] = {}

    def run(self, plain: Any, runner: InProcess, it: invocation.Invocation, payload: str, *rest: Any) -> Any:
        call = Call(it.function.action, json.loads(payload), self.stack.clock().timestamp(), self.trade)
        with self._lock:
            self.recording.calls.append(call)
            self._open[it.request_id] = call
        answer = plain(runner, it, payload, *rest)
        call.failed, call.answer = answer.failed, json.loads(answer.payload or "null")
        del self._open[it.request_id]
        return answer

    def ask(self, plain: Any, pool: HTTPConnectionPool, method: str, url: str, *args: Any, **options: Any) -> Any:
        here = invocation.current()
        response = plain(pool, method, url, *args, **options)
        if here is None or here.request_id not in self._open:
            return response
        body = response.data
        left_out = HOPS if method != "HEAD" else HOPS - {"content-length"}  # of a HEAD it is the answer
        headers = {name: value for name, value in response.headers.items() if name.lower() not in left_out}
        asked = options.get("headers") or {}
        service, operation, arguments = self._named(pool, method, url, asked, options.get("body"))
        exchange = Exchange(service, operation, arguments, response.status, headers, _coded(body or b""))
        moved = replace(exchange, body=_coded(self._moved(operation, body or b"")))
        self._open[here.request_id].exchanges.append(moved)
        return answer_of(exchange, method, preload=options.get("preload_content", True))

    def _moved(self, operation: str, body: bytes) -> bytes:
        """A secret names the node, which is elsewhere for whoever is measured."""
        node = self.stack.addresses.get("rpc")
        return body.replace(node.encode(), NODE.encode()) if node and operation == "GetSecretValue" else body

    def _named(self, pool: HTTPConnectionPool, method: str, url: str, headers: Any, body: Any) -> tuple[str, str, Any]:
        """(service, operation, arguments) of a request: AWS's JSON services name theirs in a header."""
        target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
        target = target.decode() if isinstance(target, bytes) else str(target)
        if target:
            prefix, _, operation = target.partition(".")
            service = {"DynamoDB_20120810": "dynamodb", "AWSStepFunctions": "states", "AWSEvents": "events"}
            return service.get(prefix, prefix), operation, json.loads(body or b"{}")
        base = f"{pool.scheme}://{pool.host}:{pool.port}"
        names = {urlsplit(address).netloc: name for name, address in self.stack.addresses.items() if "//" in address}
        service_name = names.get(urlsplit(base).netloc, "s3")
        if service_name == "rpc":
            question = json.loads(body)
            return service_name, "batch" if isinstance(question, list) else question["method"], None
        path = urlsplit(url).path
        if service_name == "aws":
            service_name = "lambda" if path.startswith("/2015-03-31") else "s3"
        return service_name, f"{method} {path}" if service_name not in {"s3", "lambda"} else method, None


def _coded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def answer_of(exchange: Exchange, method: str, *, preload: bool = False) -> urllib3.HTTPResponse:
    """The answer once more, unread."""
    return urllib3.HTTPResponse(
        io.BytesIO(base64.b64decode(exchange.body)),
        headers=exchange.headers,
        status=exchange.status,
        preload_content=preload,
        decode_content=False,
        request_method=method,
    )


@contextlib.contextmanager
def _listening(stack: Stack) -> Iterator[_Recorder]:
    """Write down what functions do from here on."""
    recorder = _Recorder(stack)
    run, ask = InProcess._run, HTTPConnectionPool.urlopen

    def recorded_run(runner: InProcess, it: invocation.Invocation, payload: str, *rest: Any) -> Any:
        return recorder.run(run, runner, it, payload, *rest)

    def recorded_ask(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **options: Any) -> Any:
        return recorder.ask(ask, pool, method, url, *args, **options)

    InProcess._run = recorded_run  # type: ignore[method-assign, assignment]
    HTTPConnectionPool.urlopen = recorded_ask  # type: ignore[method-assign, assignment]
    try:
        yield recorder
    finally:
        InProcess._run, HTTPConnectionPool.urlopen = run, ask  # type: ignore[method-assign]


def record(tell: Any) -> Recording:
    """Play everything once on a platform of its own."""
    with Stack() as stack, _listening(stack) as recorder:

        def trade(number: int) -> None:
            stack.wait_quiet(20)
            recorder.trade = number

        tour.play(stack, trade, tell)
        stack.wait_quiet(20)
        recorder.recording.transitions = _transitions(stack)
        recorder.recording.chain = _chain_settings(stack)
    return recorder.recording


def _chain_settings(stack: Stack) -> dict[str, str]:
    """As some function has them in its environment."""
    found = {name: value for it in stack.platform.functions.values() for name, value in it.env.items()}
    return {name: found[name] for name in CHAIN_SETTINGS}


def _transitions(stack: Stack) -> int:
    """States entered by the executions of the first trade, which are the oldest of each machine."""
    client = stack.client("stepfunctions")
    count = 0
    for machine in client.list_state_machines()["stateMachines"]:
        runs = client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        first = min(runs, key=lambda it: it["startDate"])
        history = client.get_execution_history(executionArn=first["executionArn"])["events"]
        count += sum(event["type"].endswith("StateEntered") for event in history)
    return count
