"""The probe runs a function in an interpreter of its own and answers its network from a recording."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import runtime
from benchmarks.cold import PROBE

READ = {"RequestItems": {"bloxtr8-local": {"Keys": [{"PK": {"S": "A"}, "SK": {"S": "B"}}]}}}
WRITE = {"TransactItems": [{"Put": {"TableName": "bloxtr8-local", "Item": {"PK": {"S": "A"}, "SK": {"S": "B"}}}}]}


def exchange(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
    answer = {"service": "dynamodb", "operation": operation, "asked": asked, "status": 200}
    return answer | {"headers": {}, "body": base64.b64encode(b"{}").decode()}


def probe(tmp_path: Path, exchanges: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    event = {
        "httpMethod": "POST",
        "path": "/listings/lst_1/offers",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {},
        "body": json.dumps({"amount": 5, "currency": "USD"}),
    }
    script = {"module": "app", "event": event, "now": 0.0, "exchanges": exchanges, "kept": [], "warm": True}
    (tmp_path / "script.json").write_text(json.dumps(script))
    asked = json.dumps({"BatchGetItem": READ, "TransactWriteItems": WRITE})
    place = {"PYTHONPATH": str(PROBE.with_name("plain")), "PLAIN_ASKED": asked, "PATH": os.environ["PATH"]}
    command = [sys.executable, str(PROBE), str(tmp_path / "script.json")]
    return subprocess.run(command, env=runtime.ENVIRONMENT | place, capture_output=True, text=True, check=False)


def test_a_function_is_imported_called_and_compared_with_its_calls_by_hand(tmp_path: Path) -> None:
    done = probe(tmp_path, [exchange("BatchGetItem", READ), exchange("TransactWriteItems", WRITE)])

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == 200
    assert "boto3" in told["heavy"]
    assert "stripe" not in told["heavy"]
    assert all(told[name] > 0 for name in ("import", "first", "warm", "hand"))


def test_what_was_never_recorded_ends_the_probe(tmp_path: Path) -> None:
    done = probe(tmp_path, [exchange("BatchGetItem", READ)])

    assert done.returncode != 0
    assert "nothing recorded for TransactWriteItems" in done.stderr


def test_the_node_is_answered_under_the_numbers_of_the_questions(tmp_path: Path) -> None:
    said = [{"id": 7, "result": "0x1"}, {"id": 6, "result": "0x0"}]
    one: dict[str, Any] = {"service": "rpc", "operation": "eth_call", "asked": None, "status": 200, "headers": {}}
    answers = [
        one | {"body": base64.b64encode(json.dumps(said[0]).encode()).decode()},
        one | {"operation": "batch", "body": base64.b64encode(json.dumps(said).encode()).decode()},
    ]
    (tmp_path / "app.py").write_text(NODE_APP)
    script = {"module": "app", "event": {}, "now": 0.0, "exchanges": answers, "kept": [], "warm": False}
    (tmp_path / "script.json").write_text(json.dumps(script))
    command = [sys.executable, str(PROBE), str(tmp_path / "script.json")]
    place = {"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]}

    done = subprocess.run(command, env=runtime.ENVIRONMENT | place, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert '[{"id": 1, "result": "0x1"}, [{"id": 1, "result": "0x0"}, {"id": 2, "result": "0x1"}]]' in done.stdout


NODE_APP = """
import json, urllib3
def lambda_handler(event, context):
    ask = urllib3.HTTPSConnectionPool("rpc.test").urlopen
    asked = [{"id": 1, "method": "eth_call"}, {"id": 2, "method": "eth_call"}]
    answers = [ask("POST", "/", body=json.dumps(it).encode()) for it in (asked[0], asked)]
    print(json.dumps([json.loads(it.data) for it in answers]))
"""
