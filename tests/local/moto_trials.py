"""One trial for each correction of moto: what it returns is right only on a corrected moto.

The same trials run corrected (test_motofix.py) and plain, in a process of their own (test_motofix_needed.py):
`python -m tests.local.moto_trials name…` prints {name: what came out}. They import corrections, but don't apply them.
"""

import base64
import hashlib
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key
from moto import mock_aws
from moto.core.config import DefaultConfig
from moto.stepfunctions.parser.asl.jsonata import jsonata

from local.motofix import events, lambdas, stepfunctions

TABLE = "sums"
THREADS = 16
ACCOUNTS = 8
START = 50
EXECUTE: DefaultConfig = {"stepfunctions": {"execute_state_machine": True}}
TAGS = [{"key": str(number), "value": ""} for number in range(50)]
ROLE = "arn:aws:iam::123456789012:role/r"


def table(**options: Any) -> Any:
    """A DynamoDB client with an empty table."""
    client = boto3.client("dynamodb", "us-east-1")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        **options,
    )
    return client


def put(name: str, amount: int) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {"PK": {"S": name}, "amount": {"N": str(amount)}}}}


def transfer(client: Any, source: str, target: str) -> None:
    """Move 1, if there is one; under versions, as the product writes: read both, put both if they are as read."""
    rows = [
        client.get_item(TableName=TABLE, Key={"PK": {"S": one}}, ConsistentRead=True)["Item"]
        for one in (source, target)
    ]
    amounts = [int(row["amount"]["N"]) for row in rows]
    if amounts[0] < 1:
        return
    changed = [put(source, amounts[0] - 1), put(target, amounts[1] + 1)]
    for change, old in zip(changed, amounts, strict=True):
        change["Put"] |= {
            "ConditionExpression": "amount = :old",
            "ExpressionAttributeValues": {":old": {"N": str(old)}},
        }
    client.transact_write_items(TransactItems=changed)


def conserved_sum() -> int:
    """What 16 threads leave of a sum of 400 after conditional transfers that may fail, but not make or lose money."""
    client = table()
    names = [f"a{number}" for number in range(ACCOUNTS)]
    for name in names:
        client.put_item(TableName=TABLE, Item=put(name, START)["Put"]["Item"])
    pairs = list(itertools.permutations(names, 2))
    cancelled = client.exceptions.TransactionCanceledException  # botocore makes its classes at the first look

    def work(number: int) -> None:
        for step in range(12):
            try:
                transfer(client, *pairs[(number * 7 + step * 5) % len(pairs)])
            except cancelled:
                continue

    together(work)
    found = [client.get_item(TableName=TABLE, Key={"PK": {"S": name}})["Item"] for name in names]
    return sum(int(row["amount"]["N"]) for row in found)


def together(work: Callable[[int], None]) -> None:
    """Run `work(0)` … `work(15)` at the same time, with very frequent switches between the threads."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    ready = threading.Barrier(THREADS)

    def begin(number: int) -> None:
        ready.wait()
        work(number)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(THREADS)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)


def token_acts_once() -> str:
    """A counter after the same transaction was sent twice under one ClientRequestToken."""
    client = table()
    add = {"TableName": TABLE, "Key": {"PK": {"S": "n"}}, "UpdateExpression": "ADD n :one"}
    add["ExpressionAttributeValues"] = {":one": {"N": "1"}}
    for _ in range(2):
        client.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken="once")
    return str(client.get_item(TableName=TABLE, Key={"PK": {"S": "n"}})["Item"]["n"]["N"])


def token_of_another() -> str:
    """What becomes of another transaction under a token that was used."""
    client = table()
    client.transact_write_items(TransactItems=[put("x", 1)], ClientRequestToken="mine")
    try:
        client.transact_write_items(TransactItems=[put("x", 2)], ClientRequestToken="mine")
    except client.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return "accepted"


def transaction_copies_nothing() -> bool:
    """Whether a transaction of 20 rows in a table of 2,000 takes less than a quarter of a second of CPU."""
    client = table()
    for first in range(0, 2000, 25):
        rows = [{"PutRequest": {"Item": put(f"r{first + n}", 1)["Put"]["Item"]}} for n in range(25)]
        client.batch_write_item(RequestItems={TABLE: rows})
    started = time.process_time()
    client.transact_write_items(TransactItems=[put(f"n{number}", 1) for number in range(20)])
    return time.process_time() - started < 0.25


def digest_verifies() -> bool:
    """Whether a signature of a digest verifies with the public key, outside."""
    client = boto3.client("kms", "us-east-1")
    key = client.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    digest = hashlib.sha256(b"a transaction").digest()
    signed = client.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    public = load_der_public_key(client.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    try:
        public.verify(signed, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return bool(
        client.verify(
            KeyId=key, Message=digest, MessageType="DIGEST", Signature=signed, SigningAlgorithm="ECDSA_SHA_256"
        )["SignatureValid"]
    )


def object_written_once() -> int:
    """How many of 16 writers were told that they were the first, in the worst of 10 rounds."""
    client = boto3.client("s3", "us-east-1")
    client.create_bucket(Bucket="bucket")
    worst = 0
    for key in range(10):
        first: list[int] = []

        def work(number: int, key: int = key, first: list[int] = first) -> None:
            try:
                client.put_object(Bucket="bucket", Key=str(key), Body=b"x" * 1000, IfNoneMatch="*")
            except client.exceptions.ClientError:
                return
            first.append(number)

        together(work)
        worst = max(worst, len(first))
    return worst


def checksum_of_a_link() -> Any:
    """What HEAD says of a file that came by a link bound to its hash, and what other bytes are told."""
    client = boto3.client("s3", "us-east-1")
    client.create_bucket(Bucket="bucket")
    named = base64.b64encode(hashlib.sha256(b"a file").digest()).decode()
    where = {"Bucket": "bucket", "Key": "file"}
    url = client.generate_presigned_url("put_object", Params=where | {"ChecksumSHA256": named})
    told = [
        requests.put(url, data=data, headers={"x-amz-checksum-sha256": named}, timeout=10).status_code
        for data in (b"another", b"a file")
    ]
    return [*told, client.head_object(**where, ChecksumMode="ENABLED").get("ChecksumSHA256")]


def machine(states: dict[str, Any], **options: Any) -> dict[str, Any]:
    """How an execution of a JSONata machine ends: the answer of DescribeExecution."""
    client = boto3.client("stepfunctions", "us-east-1")
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})
    arn = client.create_state_machine(name="m", definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn, name="e", input=json.dumps(options))["executionArn"]
    for _ in range(500):
        found = client.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            break
        time.sleep(0.01)
    return dict(found)


def jsonata_evaluates() -> Any:
    """The output of a machine that computes."""
    state = {"Type": "Pass", "Output": "{% $sum($states.input.amounts) / 2 %}", "End": True}
    return machine({"Add": state}, amounts=[1, 2, 3]).get("output")


def quotes_survive() -> Any:
    """A text with quotes, through a variable (on a moto that evaluates at least)."""
    jsonata._eval_jsonata = jsonata._eval_jsonata or stepfunctions.evaluate
    text = 'a "quote" and a \\ in it'
    return machine(
        {
            "Keep": {"Type": "Pass", "Assign": {"text": "{% $states.input.text %}"}, "Next": "Show"},
            "Show": {"Type": "Pass", "Output": {"text": "{% $text %}"}, "End": True},
        },
        text=text,
    ).get("output")


def started_once() -> int:
    """How many executions 16 threads that start the same name at the same time make of it."""
    client = boto3.client("stepfunctions", "us-east-1")
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    arn = client.create_state_machine(name="m", definition=json.dumps(wait), roleArn=ROLE, tags=TAGS)["stateMachineArn"]
    worst = 0
    for round_ in range(10):
        together(lambda _, name=f"e{round_}": client.start_execution(stateMachineArn=arn, name=name, input="{}"))  # type: ignore[misc]
        running = client.list_executions(stateMachineArn=arn)["executions"]
        worst = max(worst, sum(one["name"] == f"e{round_}" for one in running))
    return worst


def token_while_others_start() -> str:
    """What an unknown token is called while an execution still reads its definition."""
    client = boto3.client("stepfunctions", "us-east-1")
    states = {f"W{number}": {"Type": "Wait", "Seconds": 1, "Next": f"W{number + 1}"} for number in range(80)}
    states["W80"] = {"Type": "Wait", "Seconds": 1, "End": True}
    definition = json.dumps({"StartAt": "W0", "States": states})
    arn = client.create_state_machine(name="m", definition=definition, roleArn=ROLE)["stateMachineArn"]
    for number in range(5):
        client.start_execution(stateMachineArn=arn, name=f"e{number}", input="{}")
        try:
            client.send_task_success(taskToken="nobody's", output="{}")
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "InvalidToken":
                return str(error.response["Error"]["Code"])
        except Exception as error:  # in process, moto's own errors come through
            return type(error).__name__
    return "InvalidToken"


def cause_kept() -> Any:
    """The cause of a failed task, as its Catch sees it."""
    sqs, client = boto3.client("sqs", "us-east-1"), boto3.client("stepfunctions", "us-east-1")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody.$": "$$.Task.Token"},
        "Catch": [{"ErrorEquals": ["Withdrawn"], "Next": "Show"}],
        "End": True,
    }
    definition = json.dumps({"StartAt": "Ask", "States": {"Ask": ask, "Show": {"Type": "Pass", "End": True}}})
    arn = client.create_state_machine(name="m", definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn, name="e", input="{}")["executionArn"]
    token = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))[0]["Body"]
    client.send_task_failure(taskToken=token, error="Withdrawn", cause="the buyer left")
    until(lambda: client.describe_execution(executionArn=execution)["status"] != "RUNNING")
    return json.loads(client.describe_execution(executionArn=execution).get("output", "{}")).get("Cause")


def events_reach_functions() -> int:
    """How many events a rule brought to a function and to a state machine."""
    brought: list[Any] = []
    events.deliver(lambda target, event: brought.append(event))
    client = boto3.client("events", "us-east-1")
    client.put_rule(Name="r", EventPattern=json.dumps({"source": ["house"]}))
    arns = ["arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:states:us-east-1:123456789012:stateMachine:m"]
    client.put_targets(Rule="r", Targets=[{"Id": str(number), "Arn": arn} for number, arn in enumerate(arns)])
    try:
        for source in ("house", "elsewhere"):
            client.put_events(Entries=[{"Source": source, "DetailType": "said", "Detail": "{}"}])
    finally:
        events.deliver(None)
    return len(brought)


def functions_answer() -> Any:
    """What comes of invoking a function: its answer, whether it failed, and whether an Event request waits for it."""
    client = boto3.client("lambda", "us-east-1")
    later: list[str] = []

    def serve(name: str, payload: str, asynchronous: bool) -> lambdas.Answer:
        if asynchronous:
            later.append(name)
            return lambdas.Answer("", failed=False)
        return lambdas.Answer(payload, failed="bad" in payload)

    lambdas.serve(serve)
    try:
        answers = [client.invoke(FunctionName="f", Payload=json.dumps(what)) for what in ("good", "bad")]
        event = client.invoke(FunctionName="f", Payload=b"{}", InvocationType="Event")
    finally:
        lambdas.serve(None)
    told = [(one["Payload"].read().decode(), one.get("FunctionError")) for one in answers]
    return [told[0], told[1], event["StatusCode"], later]


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    for _ in range(500):
        if found := look():
            return found
        time.sleep(0.01)
    raise TimeoutError


TRIALS: dict[str, tuple[Callable[[], Any], Any]] = {
    "conserved_sum": (conserved_sum, ACCOUNTS * START),
    "token_acts_once": (token_acts_once, "1"),
    "token_of_another": (token_of_another, "IdempotentParameterMismatchException"),
    "transaction_copies_nothing": (transaction_copies_nothing, True),
    "digest_verifies": (digest_verifies, True),
    "object_written_once": (object_written_once, 1),
    "checksum_of_a_link": (checksum_of_a_link, [400, 200, "c2XQKYYeMsUh+AibAKb7MtrwYVAltptZnRzlNQG4RcI="]),
    "jsonata_evaluates": (jsonata_evaluates, "3"),
    "quotes_survive": (quotes_survive, json.dumps({"text": 'a "quote" and a \\ in it'})),
    "cause_kept": (cause_kept, "the buyer left"),
    "events_reach_functions": (events_reach_functions, 2),
    "functions_answer": (functions_answer, [('"good"', None), ('"bad"', "Unhandled"), 202, ["f"]]),
    "started_once": (started_once, 1),
    "token_while_others_start": (token_while_others_start, "InvalidToken"),
}


def attempt(name: str) -> Any:
    """One trial on an empty emulator; what it raises is what came out."""
    with mock_aws(config=EXECUTE):
        try:
            return TRIALS[name][0]()
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def attempts(name: str) -> Any:
    """The first of ten attempts that goes wrong, as a race doesn't every time."""
    for _ in range(10):
        found = attempt(name)
        if found != TRIALS[name][1]:
            break
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: attempts(name) for name in sys.argv[1:]}))
