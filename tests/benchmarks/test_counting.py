"""What the benchmark counts, over small recordings made by hand; nothing here is timed."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cost, report, trips
from benchmarks.cold import PLAIN, PLAIN_TRIMMED, Cost
from benchmarks.record import Call, Exchange, Recording
from benchmarks.units import Meter, size
from benchmarks.warm import Warm
from tools import template

ROW = {"PK": {"S": "ESCROW#1"}, "SK": {"S": "META"}}


def exchange(
    operation: str, asked: Any, answer: Any = None, *, service: str = "dynamodb", status: int = 200
) -> Exchange:
    body = base64.b64encode(json.dumps(answer or {}).encode()).decode()
    return Exchange(service, operation, asked, status, {}, body)


def call(action: str, *exchanges: Exchange, status: int | None = 200, trade: int = 1, path: str = "/x") -> Call:
    event = {} if status is None else {"httpMethod": "POST", "path": path}
    answer = {} if status is None else {"statusCode": status}
    return Call(action, event, 0.0, trade, answer=answer, exchanges=list(exchanges))


def text(length: int) -> dict[str, Any]:
    return ROW | {"text": {"S": "x" * (length - size(ROW) - len("text"))}}


def test_a_read_takes_a_unit_for_four_kib_and_half_of_it_where_it_is_eventual() -> None:
    meter = Meter()
    meter.meet(exchange("GetItem", {"ConsistentRead": True}, {"Item": text(4097)}))
    meter.meet(exchange("Query", {}, {"Items": [text(2048), text(2048)]}))
    meter.meet(exchange("GetItem", {"ConsistentRead": True}))

    assert (meter.reads, meter.writes) == (2 + 0.5 + 1, 0)


def test_a_write_takes_a_unit_for_a_kib_of_the_larger_image_and_two_in_a_transaction() -> None:
    meter = Meter()
    meter.meet(exchange("PutItem", {"Item": text(1025)}))
    meter.meet(exchange("TransactWriteItems", {"TransactItems": [{"Put": {"Item": text(500)}}]}))
    meter.meet(exchange("TransactWriteItems", {"TransactItems": [{"ConditionCheck": {"Key": ROW}}]}))
    meter.meet(exchange("DeleteItem", {"Key": ROW}))

    assert meter.writes == 2 + 2 * 2 + 2 * 1 + 1
    assert meter.images == {}


def test_an_index_entry_costs_when_it_comes_moves_changes_or_goes() -> None:
    shelf = {"GSI3PK": {"S": "DUE#ESCROW"}}
    meter = Meter()
    meter.meet(exchange("PutItem", {"Item": ROW | shelf | {"GSI3SK": {"S": "1"}}}))
    meter.meet(exchange("PutItem", {"Item": ROW | shelf | {"GSI3SK": {"S": "2"}}}))
    meter.meet(exchange("PutItem", {"Item": ROW}))

    assert meter.writes == 3 * 1 + 1 + 2 + 1


def test_a_refused_write_is_paid_for_and_changes_nothing() -> None:
    meter = Meter()
    meter.meet(exchange("PutItem", {"Item": text(100)}, status=400))

    assert (meter.writes, meter.images) == (1, {})


def test_round_trips_over_a_limit_are_named() -> None:
    reads = [exchange("GetItem", {}), exchange("Query", {}), exchange("BatchGetItem", {})]
    recording = Recording([
        call("accept_offer", *reads, exchange("TransactWriteItems", {})),
        call("make_offer", reads[2], exchange("TransactWriteItems", {})),
        call("list_my_offers", reads[1], reads[2]),
        call("list_audit", *reads),
        call("hold_funds", *reads, *reads, status=None),
    ])  # fmt: skip
    counted = trips.count(recording)

    over = {it.action: it.over for it in counted if it.over}
    assert over == {"accept_offer": "4 of 3", "list_audit": "3 reads for a page"}
    assert trips.median_of_mutations(counted) == 3
    assert [(it.action, it.total) for it in trips.tasks(recording)] == [("hold_funds", 6)]


def test_refused_and_failed_calls_stand_for_no_action() -> None:
    good = call("get_escrow", exchange("Query", {}))
    refused, failed = call("get_escrow", status=404), call("get_me")
    failed.failed = True

    assert Recording([refused, good, failed]).firsts() == {"get_escrow": good}


def test_what_works_by_card_and_on_chain_is_measured_in_both_ways() -> None:
    asked = exchange("eth_call", None, service="rpc")
    card, chain = call("send_leg", exchange("PutItem", {"Item": ROW})), call("send_leg", exchange("Query", {}), asked)
    idle, poll = call("poll_chain", exchange("Query", {}), status=None), call("poll_chain", asked, asked, status=None)
    read = call("get_escrow")
    recording = Recording([card, chain, idle, poll, read])

    assert recording.firsts() == {"send_leg": card, "poll_chain": poll, "get_escrow": read}
    assert recording.on_chain() == {"send_leg": chain}


def test_what_a_process_asks_once_is_kept_for_every_other() -> None:
    secrets = [exchange("GetSecretValue", {"SecretId": name}, service="secretsmanager") for name in ("a", "b")]
    key = exchange("GetPublicKey", {"KeyId": "k"}, service="TrentService")
    recording = Recording([call("get_me", *secrets, exchange("Query", {})), call("send_leg", secrets[0], key)])

    assert recording.secrets() == secrets
    assert recording.kept() == [*secrets, key]


def test_a_recording_survives_its_file() -> None:
    calls = [call("get_escrow", exchange("Query", {"Limit": 1}))]
    recording = Recording(calls, transitions=3, chain={"CHAIN_ID": "31337"})

    assert Recording.parse(recording.dump()) == recording


def test_the_bill_counts_a_poll_once_and_nothing_of_another_trade() -> None:
    polls = [call("get_escrow", exchange("Query", {"ConsistentRead": True})) for _ in range(5)]
    guards = [call("authorize_request", status=None) for _ in range(6)]
    paid = call("confirm_delivery", exchange("PutEvents", {}, service="events"))
    other = call("get_me", exchange("Query", {}), trade=0)
    recording = Recording([*guards, *polls, paid, other], transitions=4)
    warm = dict.fromkeys(("get_escrow", "authorize_request", "confirm_delivery"), 10.0)

    lines = {line.what: line.amount for line in cost.bill(recording, warm)}

    network = cost.prices()["assumed"]["network_ms"]
    assert lines["API Gateway requests"] == 2
    assert lines["Lambda requests"] == 4
    assert lines["Step Functions transitions"] == 4
    assert lines["DynamoDB read units"] == 1
    assert lines["EventBridge events"] == 1
    assert lines["Lambda GB-seconds (arm64)"] == pytest.approx((40 + network["dynamodb"] + network["events"]) / 1000)


def test_the_page_says_what_holds_and_what_is_missed() -> None:
    costs = {
        PLAIN: Cost([90.0], [10.0], 1_000_000),
        PLAIN_TRIMMED: Cost([80.0], [10.0]),
        "send_leg": Cost([60.0], [20.0], 800_000, ["stripe"]),
    }
    recording = Recording([call("make_offer", exchange("TransactWriteItems", {}))])

    page = report.render(
        costs=costs,
        uncalled=["poll_chain"],
        counted=["send_leg"],
        warm={"make_offer": Warm(3.0, 2.0)},
        trips=trips.count(recording),
        tasks=[],
        bill=[cost.Line("S3 PUT", 2, 5e-6)],
        command="make bench",
    )

    assert "**0.80** holds" in page
    assert "| make_offer | 3.00 | 2.00 | 1.50 MISSED |" in page
    assert "- stripe: send_leg" in page
    assert "- fpdf: none" in page
    assert "calls them: poll_chain." in page
    assert "| **one trade** | | **10** ($0.00001) |" in page


def test_the_plain_function_is_a_function_of_the_tree_that_nothing_of_ours_is_in() -> None:
    source = Path(template.ROOT / "benchmarks/plain/app.py").read_text()

    assert "bloxtr8" not in source
