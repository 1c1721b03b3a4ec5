"""What the platform reads past moto's handling is what moto would have answered."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import motofix
from local.motofix import direct, reads

INDEXES = ("GSI1", "GSI2")


@pytest.fixture(autouse=True)
def _house() -> Iterator[None]:
    """Two partitions of 12 rows; some on the first index, and half on the second."""
    motofix.apply()
    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1")
        client.create_table(
            TableName="house",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_schema(""),
            AttributeDefinitions=[
                {"AttributeName": f"{of}{name}", "AttributeType": "S"} for of in ("", *INDEXES) for name in ("PK", "SK")
            ],
            GlobalSecondaryIndexes=[
                {"IndexName": one, "KeySchema": _schema(one), "Projection": {"ProjectionType": "ALL"}}
                for one in INDEXES
            ],
        )
        for n in range(12):
            row: dict[str, Any] = {"n": {"N": str(n)}, "map": {"M": {"list": {"L": [{"N": "1"}, {"BOOL": False}]}}}}
            if n % 4:
                row |= {"GSI1PK": {"S": "open"}, "GSI1SK": {"S": f"2026-0{n % 3 + 1}"}}
            if n % 2:
                row |= {"GSI2PK": {"S": "open"}, "GSI2SK": {"S": f"2026-{n:02}"}}
            for pk in ("a", "b"):
                client.put_item(TableName="house", Item=_key(pk, f"{'AB'[n % 2]}#{n:02}") | row)
        yield


def _schema(of: str) -> Any:
    return [{"AttributeName": f"{of}{name}", "KeyType": kind} for name, kind in (("PK", "HASH"), ("SK", "RANGE"))]


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"PK": {"S": pk}, "SK": {"S": sk}}


def _asked(operation: str, **arguments: Any) -> dict[str, Any]:
    """What came of it, asked as the platform asks."""
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
    found = direct.answer("https://dynamodb.us-east-1.amazonaws.com/", headers, json.dumps(arguments).encode())
    assert found is not None
    assert found.status == 200, found.body
    assert found.headers["x-amz-crc32"] == str(zlib.crc32(found.body))
    told = json.loads(found.body)
    return {name: told[name] for name in ("Item", "Items", "Count", "Responses", "LastEvaluatedKey") if name in told}


def _pages(pk: str, where: str = "", *, sk: str = "", index: str = "", forward: bool = True, limit: int = 3) -> Any:
    """Every page of a query."""
    asked: dict[str, Any] = {"IndexName": index} if index else {"ConsistentRead": True}
    asked |= {"TableName": "house", "KeyConditionExpression": f"{index}PK = :pk{where}", "ScanIndexForward": forward}
    asked["ExpressionAttributeValues"] = {":pk": {"S": pk}} | ({":sk": {"S": sk}} if sk else {})
    found = [_asked("Query", Limit=limit, **asked)]
    while "LastEvaluatedKey" in found[-1]:
        found.append(_asked("Query", Limit=limit, **asked, ExclusiveStartKey=found[-1]["LastEvaluatedKey"]))
    return found


def _everything() -> Iterator[Any]:
    for pk, sk in (("a", "B#03"), ("a", "none"), ("none", "A#01")):
        yield _asked("GetItem", TableName="house", Key=_key(pk, sk), ConsistentRead=True)
    for keys in ([_key("b", "A#00"), _key("a", "none"), _key("a", "B#01")], [_key("a", "none")]):
        yield _asked("BatchGetItem", RequestItems={"house": {"Keys": keys, "ConsistentRead": True}})
    for forward in (True, False):
        yield _pages("a", forward=forward)
        yield _pages("a", forward=forward, limit=12)
        yield _pages("none", forward=forward)
        yield _pages("a", " AND begins_with(SK, :sk)", sk="A#", forward=forward)
        for index in INDEXES:
            yield _pages("open", index=index, forward=forward)
            yield _pages("open", f" AND {index}SK <= :sk", sk="2026-02", index=index, forward=forward)
            prefix = f" AND begins_with({index}SK, :sk)"
            yield _pages("open", prefix, sk="2026-01", index=index, forward=forward, limit=2)


def test_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(direct, "_of_the_table", pytest.fail)
        short = list(_everything())
    assert len(short) == 25
    assert any("LastEvaluatedKey" in page for pages in short if isinstance(pages, list) for page in pages)
    monkeypatch.setattr(reads, "_READERS", {})
    assert list(_everything()) == short


def test_what_is_more_than_a_page_is_left_to_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _pages("a", limit=12)
    monkeypatch.setattr(reads, "_MOST_BYTES", 500)
    plain, asked = direct._of_the_table, []

    def of_moto(handler: Any) -> Any:
        asked.append(handler.params)
        return plain(handler)

    monkeypatch.setattr(direct, "_of_the_table", of_moto)
    assert _pages("a", limit=12) == whole
    assert len(asked) == 1
