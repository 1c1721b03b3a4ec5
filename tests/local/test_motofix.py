"""Moto as the platform corrects it: each trial comes out right."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from local import motofix
from local.motofix import stepfunctions
from tests.local import moto_trials
from tests.local.moto_trials import TABLE, TRIALS, put, table


@pytest.fixture(autouse=True)
def _corrected() -> None:
    motofix.apply()


@pytest.mark.parametrize("name", TRIALS)
def test_comes_out_right(name: str) -> None:
    assert moto_trials.attempt(name) == TRIALS[name][1]


@pytest.fixture
def client() -> Any:
    with mock_aws():
        yield table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})


def _everything(client: Any) -> list[tuple[str, str]]:
    items = client.scan(TableName=TABLE)["Items"]
    return sorted((item["PK"]["S"], item.get("amount", {}).get("N", "")) for item in items)


def _stream() -> list[tuple[str, str]]:
    client = boto3.client("dynamodbstreams", "us-east-1")
    arn = client.list_streams(TableName=TABLE)["Streams"][0]["StreamArn"]
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = client.get_records(ShardIterator=start["ShardIterator"])["Records"]
    return [(record["eventName"], record["dynamodb"]["Keys"]["PK"]["S"]) for record in records]


def test_a_refused_transaction_leaves_nothing_in_table_and_stream(client: Any) -> None:
    client.put_item(TableName=TABLE, Item={"PK": {"S": "old"}, "amount": {"N": "1"}})
    refused = put("old", 2)
    refused["Put"]["ConditionExpression"] = "attribute_not_exists(PK)"
    delete = {"Delete": {"TableName": TABLE, "Key": {"PK": {"S": "gone"}}}}
    check = {
        "ConditionCheck": {"TableName": TABLE, "Key": {"PK": {"S": "x"}}, "ConditionExpression": "attribute_exists(PK)"}
    }
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(TransactItems=[put("new", 1), refused, delete, check])
    codes = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"]
    assert _everything(client) == [("old", "1")]
    assert _stream() == [("INSERT", "old")]


def test_a_transaction_that_breaks_half_way_is_undone(client: Any) -> None:
    client.put_item(TableName=TABLE, Item={"PK": {"S": "text"}, "amount": {"S": "no number"}})
    client.put_item(TableName=TABLE, Item={"PK": {"S": "gone"}, "amount": {"N": "3"}})
    add = {"TableName": TABLE, "Key": {"PK": {"S": "text"}}, "UpdateExpression": "SET amount = amount + :one"}
    add["ExpressionAttributeValues"] = {":one": {"N": "1"}}
    delete = {"Delete": {"TableName": TABLE, "Key": {"PK": {"S": "gone"}}}}
    with pytest.raises(client.exceptions.ClientError):
        client.transact_write_items(TransactItems=[put("new", 1), delete, {"Update": add}])
    assert _everything(client) == [("gone", "3"), ("text", "")]
    assert _stream() == [("INSERT", "text"), ("INSERT", "gone")]


def test_a_transaction_writes_puts_updates_and_deletes(client: Any) -> None:
    client.put_item(TableName=TABLE, Item={"PK": {"S": "gone"}, "amount": {"N": "3"}})
    add = {"TableName": TABLE, "Key": {"PK": {"S": "n"}}, "UpdateExpression": "ADD amount :two"}
    add["ExpressionAttributeValues"] = {":two": {"N": "2"}}
    delete = {
        "Delete": {"TableName": TABLE, "Key": {"PK": {"S": "gone"}}, "ConditionExpression": "attribute_exists(PK)"}
    }
    client.transact_write_items(TransactItems=[put("new", 1), {"Update": add}, delete])
    assert _everything(client) == [("n", "2"), ("new", "1")]


def test_an_item_is_answered_as_it_was_put(client: Any) -> None:
    """Of every type, nested, and binary, as GetItem, Query, Scan and the stream tell of it."""
    item = {
        "PK": {"S": "all"}, "n": {"N": "1.50"}, "yes": {"BOOL": True}, "no": {"BOOL": False}, "none": {"NULL": True},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "b": {"B": b"\x00\xff"}, "empty": {"S": ""},
        "map": {"M": {"list": {"L": [{"N": "1"}, {"M": {}}, {"L": []}, {"NULL": True}]}, "S": {"S": "Ωé🤝"}}},
    }  # fmt: skip
    client.put_item(TableName=TABLE, Item=item)
    key = {"PK": {"S": "all"}}
    names = {"KeyConditionExpression": "PK = :pk", "ExpressionAttributeValues": {":pk": {"S": "all"}}}
    assert client.get_item(TableName=TABLE, Key=key)["Item"] == item
    assert client.query(TableName=TABLE, **names)["Items"] == [item]
    assert client.scan(TableName=TABLE)["Items"] == [item]
    assert motofix.dynamodb.items("123456789012", "us-east-1", TABLE) == [item]
    batch = client.batch_get_item(RequestItems={TABLE: {"Keys": [key]}})
    assert batch["Responses"] == {TABLE: [item]}
    assert client.delete_item(TableName=TABLE, Key=key, ReturnValues="ALL_OLD")["Attributes"] == item
    assert client.scan(TableName=TABLE, Limit=1)["Items"] == []


@pytest.mark.parametrize(("size", "kept"), [(400_000, True), (410_000, False)])
def test_an_item_may_weigh_400_kb(client: Any, size: int, kept: bool) -> None:
    item = {"PK": {"S": "heavy"}, "half": {"S": "x" * (size // 2)}, "rest": {"L": [{"S": "y" * (size // 2)}]}}
    if kept:
        client.put_item(TableName=TABLE, Item=item)
    else:
        with pytest.raises(client.exceptions.ClientError, match="size has exceeded"):
            client.put_item(TableName=TABLE, Item=item)
    assert len(_everything(client)) == int(kept)


def test_one_item_twice_in_a_transaction_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.transact_write_items(TransactItems=[put("x", 1), put("x", 2)])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert _everything(client) == []


def test_a_refused_transaction_may_use_its_token_again(client: Any) -> None:
    new = put("x", 1)
    new["Put"]["ConditionExpression"] = "attribute_not_exists(PK)"
    client.put_item(TableName=TABLE, Item={"PK": {"S": "x"}})
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[new], ClientRequestToken="again")
    client.delete_item(TableName=TABLE, Key={"PK": {"S": "x"}})
    client.transact_write_items(TransactItems=[new], ClientRequestToken="again")
    assert _everything(client) == [("x", "1")]


def test_an_empty_emulator_remembers_no_token() -> None:
    for _ in range(2):
        with mock_aws():
            client = table()
            client.transact_write_items(TransactItems=[put("x", 1)], ClientRequestToken="same")
            assert _everything(client) == [("x", "1")]


@pytest.mark.parametrize(("share", "waits"), [(1.0, 3.0), (0.5, 1.5), (0.0, 0.0)])
def test_a_retry_waits_the_share_of_its_interval_that_was_asked_for(
    share: float, waits: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(stepfunctions, "time", SimpleNamespace(sleep=slept.append))
    monkeypatch.setattr(stepfunctions, "_share", 1.0)
    stepfunctions.pace(share)
    retrier_decl.time.sleep(3.0)
    assert slept == [waits]
