"""The table's stream: what waits is started, once; the bus learns ids, and what it did not take comes again."""

import json
from functools import partial
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from bloxtr8 import table
from bloxtr8.entities import AuditEntry, Contract, Settlement
from local.doubles.stripe.double import StripeDouble
from local.motofix import dynamodb, events
from local.resources import ACCOUNT, REGION
from tests import factories
from tests.checks import together
from tests.emulator import Platform, template
from tests.functions.webhooks import Machines, event, stored
from tests.wire import Wire


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def stream(aws: Platform) -> list[dict[str, Any]]:
    """The records of the table's stream so far that the template's filter lets through."""
    mapping = template()["Resources"]["DispatchEventsFunction"]["Properties"]["Events"]["Stream"]["Properties"]
    (filtering,) = mapping["FilterCriteria"]["Filters"]
    pattern = json.loads(filtering["Pattern"])
    records = dynamodb.stream_records(ACCOUNT, REGION, "bloxtr8-local", 0, 10_000)
    return [record for record in records if events.matches(pattern, record)]


def dispatch(aws: Platform, records: list[dict[str, Any]]) -> list[str]:
    """Bring records; the sequence numbers of those that failed."""
    answer = aws.invoke("dispatch_events", {"Records": records})
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def number(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def test_the_filter_lets_new_entries_and_webhooks_through_and_nothing_else(aws: Platform, machines: Machines) -> None:
    factories.user()
    stored(aws, event("customer.updated", {"id": "cus_1"}))

    kinds = [record["dynamodb"]["NewImage"]["type"]["S"] for record in stream(aws)]

    assert sorted(kinds) == ["AuditEntry", "WebhookEvent"]


def test_every_entry_is_published_as_ids_alone(aws: Platform, machines: Machines) -> None:
    user = factories.user(email="ada@example.com", username="Lovelace")
    aws.call("update_me", user, {"phone": "+15550100"})

    assert dispatch(aws, stream(aws)) == []

    assert [kind for kind, _ in machines.published] == ["finish_discord_login", "update_me"]
    detail = machines.published[-1][1]
    assert detail == {
        "rootId": user.id,
        "seq": 2,
        "action": "update_me",
        "escrowId": None,
        "changes": [{"type": "User", "id": user.id}],
        "created": [],
    }
    assert not [word for word in ("ada@", "Lovelace", "5550100") if word in json.dumps(machines.published)]


def test_a_stored_webhook_is_handed_to_its_processor(aws: Platform, machines: Machines) -> None:
    sent = event("account.updated", {"id": "acct_1", "email": "ada@example.com"}, account="acct_1")
    stored(aws, sent)

    dispatch(aws, stream(aws))

    assert machines.published == [
        ("webhook_stored", {"provider": "stripe", "account": "acct_1", "eventId": sent["id"]})
    ]


def test_an_accepted_offer_has_its_contract_rendered(aws: Platform, machines: Machines) -> None:
    contract = factories.accepted()

    dispatch(aws, stream(aws))

    assert machines.rendered == [contract.id]


def test_a_contract_that_is_ready_by_now_is_not_rendered_again(aws: Platform, machines: Machines) -> None:
    factories.contract()
    dispatch(aws, stream(aws))
    assert machines.rendered == []


def test_the_second_signature_starts_the_funding_once(aws: Platform, machines: Machines) -> None:
    escrow = factories.executed()

    for _ in range(3):
        assert dispatch(aws, stream(aws)) == []

    assert machines.started == [f"{escrow.id}-1"]
    assert machines.inputs == {f"{escrow.id}-1": {"escrowId": escrow.id}}


def test_two_readers_of_one_record_start_it_once(aws: Platform, machines: Machines) -> None:
    escrow = factories.executed()
    records = stream(aws)
    together(*[partial(dispatch, aws, records)] * 2)
    assert machines.started == [f"{escrow.id}-1"]


def test_a_run_that_ended_is_not_followed_by_another(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    answer = aws.call(
        "refund_escrow",
        escrow.seller_id,
        {"reason": "no"},
        headers={"Idempotency-Key": "refund"},
        escrow_id=escrow.id,
    )
    assert answer.status == 202, answer.body
    settlement_id = str(factories.escrow_row(escrow).settlement_id)
    dispatch(aws, stream(aws))
    assert machines.started[-1] == f"{settlement_id}-1"
    machines.ended.add(f"{settlement_id}-1")
    factories.settle(escrow)  # the refund is slow: the attempt ends, and its entries come down the stream

    dispatch(aws, stream(aws))

    assert machines.started[-1] == f"{settlement_id}-1"
    settlement = table.get(Settlement, escrow_ulid=escrow.ulid, id=settlement_id)
    assert settlement.run == 1


def test_what_the_bus_did_not_take_comes_again_and_the_rest_does_not(aws: Platform, machines: Machines) -> None:
    for _ in range(3):
        factories.user()
    records = stream(aws)
    machines.refusing = 1

    assert dispatch(aws, records) == [number(records[0])]

    assert len(machines.published) == 2
    assert dispatch(aws, records[:1]) == []
    assert len(machines.published) == 3


def test_a_batch_that_failed_whole_is_an_error_of_the_function(aws: Platform, machines: Machines) -> None:
    factories.user()
    machines.refusing = 1
    with pytest.raises(BatchProcessingError):
        dispatch(aws, stream(aws))


def test_a_row_nobody_can_read_is_reported_and_stops_no_other(aws: Platform, machines: Machines) -> None:
    factories.user()
    (good,) = stream(aws)
    image = good["dynamodb"]["NewImage"] | {"type": {"S": "Unheard"}}
    bad = good | {"dynamodb": good["dynamodb"] | {"NewImage": image, "SequenceNumber": "1"}}

    assert dispatch(aws, [bad, good]) == ["1"]
    assert len(machines.published) == 1


def test_an_entry_of_rows_that_are_gone_starts_nothing(aws: Platform, machines: Machines) -> None:
    contract = factories.accepted()
    records = stream(aws)
    aws.call("void_contract", contract.buyer_id, {"reason": "no"}, contract_id=contract.id)

    assert dispatch(aws, records) == []

    assert table.get(Contract, ulid=contract.ulid).status == "VOID"
    assert (machines.rendered, machines.started) == ([], [])
    assert len(machines.published) == len(records)


def test_entries_are_read_back_as_they_were_written(aws: Platform, machines: Machines) -> None:
    user = factories.user()
    (record,) = stream(aws)
    entry = AuditEntry.from_raw_data(record["dynamodb"]["NewImage"])
    assert (entry.root_id, entry.hash) == (user.id, table.get(type(user), id=user.id).audit_head)
