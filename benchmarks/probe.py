"""Runs in a fresh interpreter with the measured tree alone: imports an app, calls it, tells what that took.

    python probe.py <script.json>      {module, event, now, exchanges, kept, warm}

Prints, after whatever the function logs, one line: {import, first, warm, hand, modules} in CPU milliseconds. `module`
"" imports nothing: what the interpreter and this file cost. The network is answered from the recording, in order, in
urllib3's pool, below botocore, requests and our own client: signing, serialising and parsing are all real.
"""

import json
import resource
import sys

HEAVY = ("stripe", "web3", "fpdf", "uharfbuzz", "PIL", "fontTools", "requests", "boto3", "jwt", "regex")
CALLS, ROUNDS, ROUND_MS = 40, 4, 300


def cpu_ms():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


class Network:
    """Answers instead of a network: each kind of request by its recorded answers in turn."""

    def __init__(self, script):
        self.exchanges, self.kept = script["exchanges"], script["kept"]
        self.served = {}

    def rewind(self):
        self.served = {}

    def install(self):
        import urllib3
        from urllib3.connectionpool import HTTPConnectionPool

        def urlopen(pool, method, url, body=None, headers=None, **options):
            found = self.find(pool.host, method, headers or {}, body)
            return urllib3.HTTPResponse(
                self.opened(found["raw"]),
                headers=found["headers"],
                status=found["status"],
                preload_content=options.get("preload_content", True),
                decode_content=False,
                request_method=method,
            )

        HTTPConnectionPool.urlopen = urlopen

    def opened(self, raw):
        import io

        return io.BytesIO(raw)

    def find(self, host, method, headers, body):
        target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
        target = target.decode() if isinstance(target, bytes) else target
        node = service_of(host) == "rpc"
        asked = json.loads(body) if target or node else None
        method = method_of(asked) if node else method
        kind = f"rpc {method}" if node else target.partition(".")[2] or f"{service_of(host)} {method}"
        same = [it for it in self.kept if it["kind"] == kind and it["asked"] in (None, asked)]
        answers = same or [it for it in self.exchanges if it["kind"] == kind]
        if not answers:
            raise LookupError(f"nothing recorded for {kind}")
        turn = self.served[kind] = self.served.get(kind, 0) + 1
        found = answers[min(turn, len(answers)) - 1]
        return found | {"raw": numbered(found["raw"], asked)} if node else found


def method_of(asked):
    """Of a question to the chain's node, or of several at once."""
    return "batch" if isinstance(asked, list) else asked["method"]


def numbered(raw, asked):
    """The node's answer under the number of the question; several in their order."""
    said = json.loads(raw)
    if isinstance(asked, list):
        pairs = zip(sorted(said, key=lambda it: it["id"]), asked, strict=False)
        return json.dumps([one | {"id": it["id"]} for one, it in pairs]).encode()
    return json.dumps(said | {"id": asked["id"]}).encode()


def service_of(host):
    """`stripe.test` → stripe, `bucket.s3.us-east-1.amazonaws.com` → s3, `lambda.us-east-1.amazonaws.com` → lambda."""
    parts = host.split(".")
    return "s3" if "s3" in parts else parts[0]


def main():
    import base64

    with open(sys.argv[1]) as file:  # noqa: PTH123  (pathlib is no part of the floor)
        script = json.load(file)
    for it in [*script["exchanges"], *script["kept"]]:
        it["raw"] = base64.b64decode(it["body"])
        it["kind"] = it["operation"] if it["asked"] is not None else f"{it['service']} {it['operation'].split()[0]}"
    network, told = Network(script), {}
    if script["module"]:
        measure(script, network, told)
    print("\n" + json.dumps(told))


def measure(script, network, told):
    import importlib

    before = cpu_ms()
    app = importlib.import_module(script["module"])
    told["import"] = cpu_ms() - before
    if "bloxtr8.clock" in sys.modules:
        stand_still(script["now"])
    network.install()
    context = Context()
    before = cpu_ms()
    answer = app.lambda_handler(script["event"], context)
    told["first"] = cpu_ms() - before
    told["status"] = answer.get("statusCode") if isinstance(answer, dict) else None
    told["heavy"] = [name for name in HEAVY if name in sys.modules]
    told["modules"] = len(sys.modules)
    if script["warm"]:
        told["warm"] = warm(network, lambda: app.lambda_handler(script["event"], context))
        told["hand"] = warm(network, by_hand(script))


def warm(network, call):
    """CPU milliseconds of one call: the best of ROUNDS averages, over CALLS or what fits into ROUND_MS."""
    before = cpu_ms()
    network.rewind()
    call()
    calls = max(1, min(CALLS, int(ROUND_MS / max(cpu_ms() - before, 1))))
    best = None
    for _ in range(ROUNDS):
        before = cpu_ms()
        for _ in range(calls):
            network.rewind()
            call()
        took = (cpu_ms() - before) / calls
        best = took if best is None else min(best, took)
    return best


def by_hand(script):
    """The same reads and writes of the table with a bare botocore client, and nothing else."""
    import botocore.session

    client = botocore.session.Session().create_client("dynamodb")
    asked = [(it["operation"], it["asked"]) for it in script["exchanges"] if it["service"] == "dynamodb"]

    def call():
        for operation, arguments in asked:
            client._make_api_call(operation, arguments)

    return call


def stand_still(now):
    import datetime as dt

    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    sys.modules["bloxtr8.clock"].now = lambda: moment


class Context:
    """What Lambda gives a handler."""

    function_name = "bench"
    memory_limit_in_mb = "1024"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self):
        return 20_000


main()
