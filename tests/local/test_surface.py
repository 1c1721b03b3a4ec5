"""What is reached over HTTP: Lambda's Invoke API, the clock, the overview; and what a stack consists of."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from local.stack import Stack


@pytest.fixture
def functions(stack: Stack) -> Any:
    """A Lambda client at the `lambda` address."""
    return boto3.client("lambda", endpoint_url=stack.addresses["lambda"])


@pytest.mark.parametrize("name", ["misbehave", "arn:aws:lambda:us-east-1:123456789012:function:MisbehaveFunction"])
def test_boto3_reaches_a_function(functions: Any, name: str) -> None:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps({"return": {"a": 1}}))
    assert (answer["StatusCode"], json.loads(answer["Payload"].read())) == (200, {"a": 1})
    assert "FunctionError" not in answer


def test_a_functions_error_is_told_as_lambda_does(functions: Any) -> None:
    payload = json.dumps({"fail": "RailRefused", "key": "surface"})
    answer = functions.invoke(FunctionName="misbehave", Payload=payload)
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "RailRefused"


def test_an_unknown_function_is_not_found(functions: Any) -> None:
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="nobody")


@pytest.mark.parametrize(("kind", "status"), [("Event", 202), ("DryRun", 204)])
def test_other_kinds_of_invocation(functions: Any, kind: str, status: int) -> None:
    assert functions.invoke(FunctionName="misbehave", InvocationType=kind)["StatusCode"] == status


def test_the_clock_moves_for_functions_and_doubles(stack: Stack) -> None:
    url = f"{stack.local}/_local/clock"
    try:
        told = requests.put(url, json={"offsetSeconds": 86400 * 3}, timeout=5).json()
        assert told["offsetSeconds"] == 86400 * 3
        now = dt.datetime.fromisoformat(json.loads(stack.invoke("greet")["body"])["now"])
        assert now - dt.datetime.now(dt.UTC) > dt.timedelta(days=2.9)
        assert stack.clock.file.read_text() == str(86400 * 3)
    finally:
        assert requests.put(url, json={"offsetSeconds": 0}, timeout=5).ok
    assert requests.get(url, timeout=5).json()["offsetSeconds"] == 0


@pytest.mark.parametrize("body", [{}, {"offsetSeconds": "1"}, {"offsetSeconds": True}, [], {"offsetSeconds": 1e300}])
def test_the_clock_refuses_what_is_no_offset(stack: Stack, body: Any) -> None:
    assert requests.put(f"{stack.local}/_local/clock", json=body, timeout=5).status_code == 400
    assert stack.clock.offset_seconds == 0


def test_a_schedule_is_fired_over_http(stack: Stack) -> None:
    assert requests.post(f"{stack.local}/_local/fire/later", timeout=5).json() == {
        "answer": {"told": "Scheduled Event"}
    }
    assert requests.post(f"{stack.local}/_local/fire/greet", timeout=5).status_code == 404


def test_the_overview_names_what_runs(stack: Stack) -> None:
    told = requests.get(f"{stack.local}/_local", timeout=5).json()
    assert told["addresses"]["api"] == stack.api
    assert told["functions"]["save_thing"] == "SaveThingFunction"
    assert {"method": "GET", "path": "/greet", "function": "GreetFunction"} in told["routes"]
    assert set(told["schedules"].values()) == {"rate(5 minutes)"}
    assert told["streamBacklog"] == 0
    assert requests.get(f"{stack.local}/_local/dead-letters", timeout=5).json() == {"items": []}
    assert requests.get(f"{stack.local}/nothing", timeout=5).status_code == 404


def test_the_addresses_are_those_of_stack_json(stack: Stack) -> None:
    assert {"api", "local", "lambda", "aws", "stripe", "discord", "roblox", "table", "contractsBucket"} <= set(
        stack.addresses
    )
    assert stack.addresses["table"] == "house-local"
    assert stack.addresses["contractsBucket"] == "house-local-contracts-123456789012"
    assert json.loads((stack.clock.file.parent / "stack.json").read_text()) == stack.addresses
    for name in ("api", "local", "lambda", "aws", "stripe", "discord", "roblox"):
        assert stack.addresses[name].startswith("http://127.0.0.1:")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's list of sockets")
def test_nothing_listens_to_the_network(stack: Stack) -> None:
    ours = {int(url.rsplit(":", 1)[1]) for url in stack.addresses.values() if url.startswith("http")}
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    hosts = {port: host for host, port in (address.split(":") for address in listening)}
    assert {hosts[f"{port:04X}"] for port in ours} == {"0100007F"}
    assert not {address.split()[1] for address in Path("/proc/net/tcp6").read_text().splitlines()[1:]} & {
        f"{'0' * 32}:{port:04X}" for port in ours
    }


def test_the_emulated_aws_holds_what_the_template_asks_for(stack: Stack) -> None:
    about = stack.client("dynamodb").describe_table(TableName="house-local")["Table"]
    assert about["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    ttl = stack.client("dynamodb").describe_time_to_live(TableName="house-local")["TimeToLiveDescription"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("ttl", "ENABLED")
    bucket = stack.addresses["contractsBucket"]
    assert stack.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert stack.client("kms").describe_key(KeyId="alias/Key")["KeyMetadata"]["KeySpec"] == "ECC_SECG_P256K1"
    secret = stack.client("secretsmanager").get_secret_value(SecretId="house/local/tokens")["SecretString"]
    assert len(json.loads(secret)["key"]) == 64


def test_a_presigned_link_can_be_followed(stack: Stack) -> None:
    client, place = stack.client("s3"), {"Bucket": stack.addresses["contractsBucket"], "Key": "contracts/a.pdf"}
    client.put_object(**place, Body=b"%PDF", IfNoneMatch="*")
    assert (
        requests.get(client.generate_presigned_url("get_object", Params=place, ExpiresIn=60), timeout=5).content
        == b"%PDF"
    )


def test_the_doubles_answer_on_the_platforms_clock(stack: Stack) -> None:
    for name in ("discord", "roblox"):
        assert requests.put(f"{stack.addresses[name]}/_double/users/1", json={"username": "ann"}, timeout=5).ok
    assert requests.get(f"{stack.addresses['stripe']}/_double/calls", timeout=5).ok


def test_a_template_that_asks_for_no_chain_gets_none(stack: Stack) -> None:
    answer = requests.get(f"{stack.local}/_local/chain", timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (404, "there is no chain: the template asks for none")
    assert "rpc" not in stack.addresses
    with pytest.raises(LookupError):
        stack.chain  # noqa: B018
