"""The platform on one machine, put together.

    with Stack() as stack:
        requests.get(f"{stack.api}/health")
        stack.roblox.put_group("7", owner="1")       the doubles, in process
        stack.clock.advance(hours=73)                 what functions and doubles see as now
        stack.chain.mint(address, 5_000_000)          the chain: a real EVM with Circle's token (local/chain)
        stack.fire("expire_offers")                   a schedule, at once; the function's answer, or InvocationFailed
        stack.faults.kill("send_leg", before="TransactWriteItems")
        stack.wait_quiet()                            streams drained, nothing asynchronous under way

One stack runs in a process at a time, and no `mock_aws` beside it: both use moto's state.
"""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from local import pumps
from local.aws import CREDENTIALS, Aws
from local.clock import Clock
from local.doubles.discord import DiscordDouble
from local.doubles.roblox import RobloxDouble
from local.doubles.stripe import StripeDouble
from local.faults import Faults
from local.gateway import Gateway
from local.invoker import Invoker
from local.logs import Logs
from local.motofix import events, lambdas, stepfunctions
from local.processes import Processes
from local.resources import ACCOUNT, REGION, arn
from local.runner import InProcess, base_env
from local.servers import Server
from local.surface import Surface
from local.template import read

if TYPE_CHECKING:
    from local.chain.chain import Chain

ROOT = Path(__file__).parents[1]
WEBHOOK_SECRETS = ["whsec_local"]
STRIPE_SECRET = {"apiKey": "sk_test_local", "webhookSecrets": WEBHOOK_SECRETS}
RESERVE_CENTS = 1_000_000  # the platform's own money at Stripe: its fees and prompt refunds come out of that
_CHAIN_PARAMETER = "\n  UsdcAddress:\n"  # a template with it asks for a chain
_QUIET_SECONDS = 0.03
_WEBHOOK_SECONDS = 1.0  # how long an event of Stripe that nobody took yet counts as under way


class Stack:
    """Everything, from `__enter__` (or `start`) to `__exit__` (or `stop`).

    `folder` gets stack.json, the logs and the clock's file; without it they go to a folder that is removed at the end.
    `port` is the API's (0: a free one). `processes` runs every function in AWS's own runtime interface emulator.
    `parameters` override the template's, `stripe` are options of StripeDouble. What is tried again, by Retry of a state
    machine, by Lambda or by a stream, waits the `pace`-th part of its time (1: all of it).
    """

    def __init__(
        self,
        template: Path = ROOT / "template.yaml",
        *,
        folder: Path | None = None,
        port: int = 0,
        processes: bool = False,
        parameters: dict[str, str] | None = None,
        stripe: dict[str, Any] | None = None,
        pace: float = 1.0,
    ) -> None:
        self._template, self._folder, self._port, self._processes = template, folder, port, processes
        self._parameters, self._stripe_options = parameters or {}, stripe or {}
        self._pace = pace
        self._exits = ExitStack()
        self.addresses: dict[str, str] = {}
        self._chain: Chain | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start everything; where that fails, nothing is left."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything, newest first, and put the process back as it was."""
        self._exits.close()

    def _start(self) -> None:
        folder = self._folder or Path(
            self._exits.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        )
        self.logs = Logs(folder / "logs")
        self.clock = Clock(folder / "clock")
        self._serve_doubles()
        told = {**self._double_parameters(), **self._serve_chain()}
        self.platform = read(self._template, {"Stage": "local", **told, **self._parameters})
        secrets: dict[str, Any] = {
            "stripe": STRIPE_SECRET,
            "chain": {"webhookSigningKeys": WEBHOOK_SECRETS, "rpcUrl": self.addresses.get("rpc", "")},
            "discord": self.discord.secret,
            "roblox": self.roblox.secret,
        }
        self.aws = self._closing(Aws(self.platform, secrets))
        if self.has_chain:
            self._name_signer()
        self._serve_functions()
        self.gateway = self._closing(Gateway(self.platform, self.invoker.invoke, self._port))
        self._serve_pumps()
        surface = self._closing(Server(Surface(self).wsgi))
        self._note_addresses(surface.url)
        note = folder / "stack.json"
        self._exits.callback(note.unlink, missing_ok=True)
        note.write_text(json.dumps(self.addresses, indent=2) + "\n")

    # --- what it is made of

    def _serve_doubles(self) -> None:
        self.stripe = StripeDouble(self.clock, **{"opening_balance": RESERVE_CENTS, **self._stripe_options})
        self.discord = DiscordDouble(self.clock)
        self.roblox = RobloxDouble(self.clock)
        self._exits.callback(self.stripe.stop)
        doubles: dict[str, Any] = {"stripe": self.stripe, "discord": self.discord, "roblox": self.roblox}
        self.addresses |= {name: self._closing(Server(double.wsgi)).url for name, double in doubles.items()}

    def _double_parameters(self) -> dict[str, str]:
        stripe, discord, roblox = (self.addresses[name] for name in ("stripe", "discord", "roblox"))
        return {
            "StripeApiBase": stripe,
            "DiscordApiBase": discord,
            "RobloxApiBase": roblox,
            "RobloxGroupsBase": roblox,
            "RobloxGamesBase": roblox,
        }

    @property
    def has_chain(self) -> bool:
        """Whether the template asks for a chain."""
        return _CHAIN_PARAMETER in self._template.read_text()

    @property
    def chain(self) -> "Chain":
        """The chain. Raises LookupError where the template asks for none."""
        if self._chain is None:
            raise LookupError("the template asks for no chain")
        return self._chain

    def _serve_chain(self) -> dict[str, str]:
        """Start the chain, if one is asked for; the parameters that tell of it."""
        if not self.has_chain:
            return {}
        from local.chain import settings
        from local.chain.chain import Chain

        self._chain = chain = self._closing(Chain(self.logs.folder / "anvil.log"))
        self.clock.tell(lambda now: chain.catch_up(int(now.timestamp())))
        self.addresses |= settings.addresses(chain)
        return settings.parameters(chain)

    def _name_signer(self) -> None:
        """The Escrow's owner lets the account of the key settle."""
        from local.chain.settings import address_of

        key = self.client("kms").get_public_key(KeyId="alias/SignerKey")
        self.chain.allow_operator(address_of(key["PublicKey"]))

    def _serve_functions(self) -> None:
        functions, env = list(self.platform.functions.values()), base_env(self.aws.url, CREDENTIALS)
        self.faults = self._closing(Faults(in_reach=not self._processes))
        kind = Processes if self._processes else InProcess
        runner = self._closing(kind(functions, self.platform.layers, env, self.clock, self.logs))
        self.invoker = Invoker(functions, runner, self._send_dead_letter, self._pace)
        self._exits.callback(self.invoker.wait_idle, 2.0)
        self._closing(self.invoker)
        self._exits.callback(lambdas.serve, None)
        lambdas.serve(self.invoker.serve)
        self._exits.callback(stepfunctions.pace, 1.0)
        stepfunctions.pace(self._pace)

    def _serve_pumps(self) -> None:
        self._exits.callback(events.deliver, None)
        events.deliver(self._deliver)
        self.streams = [self._closing(pumps.StreamPump(mapping, self.invoker)) for mapping in self.platform.mappings]
        self._schedules = self._closing(pumps.Schedules(self.platform.rules, self._deliver))
        self.stripe.deliver_to(f"{self.gateway.url}/webhooks/stripe", WEBHOOK_SECRETS)
        self.stripe.start_delivery()

    def _note_addresses(self, surface: str) -> None:
        tables, buckets = (self.platform.of(f"AWS::{kind}") for kind in ("DynamoDB::Table", "S3::Bucket"))
        self.api, self.local = self.gateway.url, surface
        self.addresses |= {"api": self.api, "local": surface, "lambda": surface, "aws": self.aws.url}
        if tables:
            self.addresses["table"] = next(iter(tables.values()))["TableName"]
        self.addresses |= {f"{name[0].lower()}{name[1:]}": about["BucketName"] for name, about in buckets.items()}
        for machine in self.platform.machines:
            name = f"{machine.id[0].lower()}{machine.id[1:]}"
            self.addresses[name] = arn("states", f"stateMachine:{machine.name}")

    def _closing[T: Any](self, part: T) -> T:
        self._exits.callback(part.close)
        return part

    # --- what tests and operators ask of it

    def client(self, service: str) -> Any:
        """A boto3 client of the emulated AWS."""
        return self.aws.client(service)

    def invoke(self, name: str, event: Any = None) -> Any:
        """Call a function by action, logical id or ARN. Raises InvocationFailed, or KeyError for an unknown name."""
        return self.invoker.ask(name, event)

    def fire(self, name: str) -> Any:
        """Do at once what a function's schedule does. Raises KeyError where it has none."""
        function = self.invoker.function(name)
        for rule in self._schedules.rules:
            for target in rule.targets:
                if target["Arn"] == function.arn:
                    return self.invoker.ask(name, events.shape(target, pumps.scheduled_event(rule)))
        raise KeyError(name)

    def log(self, name: str) -> str:
        """What a function has printed so far."""
        path = self.logs.path(self.invoker.function(name).action)
        return path.read_text() if path.exists() else ""

    def wait_quiet(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until nothing happens by itself any more; False where something does. A waiting execution is quiet."""
        started, seen, quiet_since = time.monotonic(), -1, None
        while time.monotonic() - started < timeout_seconds:
            now = time.monotonic()
            if self.invoker.count != seen or self._is_busy(now - started):
                seen, quiet_since = self.invoker.count, None
            elif quiet_since is None:
                quiet_since = now
            elif now - quiet_since >= _QUIET_SECONDS:
                return True
            time.sleep(0.005)
        return False

    def overview(self) -> dict[str, Any]:
        """What `GET /_local` tells."""
        return {
            "addresses": self.addresses,
            "clock": {"offsetSeconds": self.clock.offset_seconds, "now": self.clock().isoformat()},
            "routes": [
                {"method": method, "path": path, "function": name} for method, path, name in self.gateway.routes
            ],
            "functions": {function.action: function.id for function in self.platform.functions.values()},
            "schedules": {rule.name: rule.schedule for rule in self._schedules.rules},
            "streamBacklog": sum(stream.backlog for stream in self.streams),
            "executions": self._executions(),
            "deadLetters": len(self.invoker.dead_letters),
            "logs": str(self.logs.folder),
        }

    def _executions(self) -> list[dict[str, str]]:
        client = self.client("stepfunctions")
        machines = [about["stateMachineArn"] for about in client.list_state_machines()["stateMachines"]]
        found = [
            one for arn in machines for one in client.list_executions(stateMachineArn=arn, maxResults=100)["executions"]
        ]
        return [{"name": one["name"], "status": one["status"]} for one in found]

    def _is_busy(self, waited_seconds: float) -> bool:
        undelivered = waited_seconds < _WEBHOOK_SECONDS and any(
            parcel["attempts"] == 0 for parcel in self.stripe.outbox
        )
        return (
            undelivered
            or self.invoker.is_busy
            or any(stream.backlog for stream in self.streams)
            or stepfunctions.is_busy(ACCOUNT, REGION)
        )

    def _deliver(self, target: dict[str, Any], event: Any) -> None:
        """An event of EventBridge to its target. Doesn't wait."""
        if target["Arn"].split(":")[2] == "lambda":
            self.invoker.send(target["Arn"], json.dumps(event))
        else:
            self.client("stepfunctions").start_execution(stateMachineArn=target["Arn"], input=json.dumps(event))

    def _send_dead_letter(self, queue: str, message: str) -> None:
        url = self.client("sqs").get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
        self.client("sqs").send_message(QueueUrl=url, MessageBody=message)
