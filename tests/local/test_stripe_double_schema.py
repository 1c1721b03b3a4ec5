"""What the double may say and must refuse: the annotations of the installed stripe package decide."""

from typing import Any

import pytest
import stripe

from local.doubles.stripe import StripeDouble, form, schema
from local.doubles.stripe.errors import ApiError
from local.doubles.stripe.world import World
from tests.local.stripe_platform import Platform, in_process


@pytest.fixture
def platform() -> Platform:
    return in_process(StripeDouble())


def a_transfer() -> dict[str, Any]:
    double = StripeDouble()
    platform = in_process(double)
    seller, paid = platform.seller(), platform.pay()
    double.onboard(seller)
    platform.transfer(str(paid.latest_charge), seller, 100)
    made: dict[str, Any] = double.events[-1]["data"]["object"]
    return made


def test_the_double_speaks_the_version_of_the_package() -> None:
    double = StripeDouble()
    in_process(double).open()
    assert double.events[0]["api_version"] == stripe.api_version


def test_another_version_is_refused(platform: Platform) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.customers.create({}, {"stripe_version": "2020-08-27"})


def test_every_answer_was_possible() -> None:
    assert schema.problems(a_transfer()) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"amount": "100"}, "transfer.amount"),
        ({"amount": None}, "transfer.amount"),
        ({"surprise": 1}, "surprise"),
        ({"reversals": []}, "transfer.reversals"),
        ({"object": "payment_intent"}, "payment_intent"),
    ],
)
def test_an_impossible_answer_is_noticed(change: dict[str, Any], found: str) -> None:
    wrong = a_transfer() | change
    assert any(found in problem for problem in schema.problems(wrong))
    with pytest.raises(AssertionError, match="cannot"):
        World.checked(wrong)


def test_a_missing_field_is_noticed() -> None:
    wrong = a_transfer()
    del wrong["livemode"]
    assert schema.problems(wrong) == ["transfer.: 'livemode' is a required property"]


def test_only_documented_statuses_are_possible() -> None:
    shape = schema.definitions()["payment_intent"]["properties"]["status"]
    assert "succeeded" in shape["enum"]
    assert "paid" not in shape["enum"]


def test_blank_has_every_optional_field_and_no_other() -> None:
    blank = schema.blank("transfer_reversal")
    assert blank == dict.fromkeys(["balance_transaction", "destination_payment_refund", "metadata", "source_refund"])


@pytest.mark.parametrize(
    ("operation", "given", "fitted"),
    [
        ("transfer_create", "amount=5&currency=usd&destination=acct_1", {"amount": 5}),
        ("payment_intent_create", "amount=5&currency=usd&confirm=true", {"confirm": True}),
        ("payment_intent_create", "amount=5&currency=usd&metadata[1]=x", {"metadata": {"1": "x"}}),
        ("payment_intent_update", "metadata=", {"metadata": ""}),
        ("payment_intent_update", "metadata[a]=", {"metadata": {"a": ""}}),
        ("charge_list", "created[gte]=5", {"created": {"gte": 5}}),
        ("charge_list", "created=5", {"created": 5}),
        ("event_list", "types[]=a&types[]=b", {"types": ["a", "b"]}),
        ("event_list", "types[1]=b&types[0]=a", {"types": ["a", "b"]}),
    ],
)
def test_parameters_get_their_types(operation: str, given: str, fitted: dict[str, Any]) -> None:
    result = form.fit(schema.parameters(operation), form.unflatten(form.pairs(given)))
    assert result | fitted == result


@pytest.mark.parametrize(
    ("operation", "given", "param"),
    [
        ("transfer_create", "currency=usd", "destination"),
        ("transfer_create", "amount=1.5&currency=usd&destination=a", "amount"),
        ("transfer_create", "amount[]=1&currency=usd&destination=a", "amount"),
        ("transfer_create", "amount=1&currency=usd&destination=", "destination"),
        ("payment_intent_create", "amount=1&currency=usd&confirm=yes", "confirm"),
        ("payment_intent_create", "amount=1&currency=usd&transfer_data[x]=1", "transfer_data[x]"),
        (
            "payment_intent_create",
            "amount=1&currency=usd&allowed_payment_method_types=card",
            "allowed_payment_method_types",
        ),
        (
            "payment_intent_create",
            "amount=1&currency=usd&allowed_payment_method_types[0]=gold",
            "allowed_payment_method_types[0]",
        ),
        ("refund_create", "reason=bored", "reason"),
        ("refund_create", "metadata[a][b]=1", "metadata[a]"),
        ("refund_create", "metadata=1", "metadata"),
        ("charge_list", "created[after]=1", "created[after]"),
        ("refund_create", "metadata[a]=1&metadata[a][b]=2", "metadata[a][b]"),
    ],
)
def test_wrong_parameters_name_themselves(operation: str, given: str, param: str) -> None:
    with pytest.raises(ApiError) as caught:
        form.fit(schema.parameters(operation), form.unflatten(form.pairs(given)))
    assert caught.value.status == 400
    assert caught.value.body["error"]["param"] == param
    assert not caught.value.stored


def test_what_is_not_modelled_is_refused(platform: Platform) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        platform.open(on_behalf_of="acct_1")
    assert (caught.value.code, caught.value.param) == ("not_modelled", "on_behalf_of")


@pytest.mark.parametrize("metadata", [{"k" * 41: "v"}, {"k": "v" * 501}, {f"k{number}": "v" for number in range(51)}])
def test_metadata_has_limits(platform: Platform, metadata: dict[str, str]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.customers.create({"metadata": metadata})


def test_objects_are_expanded_as_deep_as_asked(platform: Platform) -> None:
    paid = platform.pay()
    paths = ["latest_charge.balance_transaction", "customer"]
    deep = platform.client.v1.payment_intents.retrieve(paid.id, {"expand": paths})
    assert isinstance(deep.latest_charge, stripe.Charge)
    assert isinstance(deep.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert deep.latest_charge.balance_transaction.fee == 320
    listed = platform.client.v1.charges.list({"expand": ["data.payment_intent"]})
    assert isinstance(listed.data[0].payment_intent, stripe.PaymentIntent)
    for path in ("amount", "nothing", "a.b.c.d.e"):
        with pytest.raises(stripe.InvalidRequestError):
            platform.client.v1.payment_intents.retrieve(paid.id, {"expand": [path]})


def test_lists_are_filtered(platform: Platform) -> None:
    paid, other = platform.pay(), Platform(platform.client, "esc_other").pay()
    charges = platform.client.v1.charges
    assert [one.id for one in charges.list({"transfer_group": "esc_other"})] == [other.latest_charge]
    assert [one.id for one in charges.list({"payment_intent": paid.id})] == [paid.latest_charge]
    assert charges.list({"created": {"gt": 4_000_000_000}}).data == []
    events = platform.client.v1.events.list({"types": ["charge.succeeded"], "limit": 1})
    assert [one.data.object["id"] for one in events] == [other.latest_charge]
    older = platform.client.v1.payment_intents.list({"starting_after": other.id}).data
    newer = platform.client.v1.payment_intents.list({"ending_before": paid.id}).data
    assert ([one.id for one in older], [one.id for one in newer]) == ([paid.id], [other.id])
    for wrong in ({"limit": 101}, {"starting_after": "pi_none"}, {"customer": "cus_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            platform.client.v1.payment_intents.list(wrong)  # type: ignore[arg-type]


def test_the_balance_has_its_history(platform: Platform) -> None:
    paid = platform.pay("pm_card_bypassPending")
    platform.refund(paid, amount=100)
    rows = platform.client.v1.balance_transactions.list().data
    assert [(row.type, row.amount, row.fee) for row in rows] == [("refund", -100, 0), ("charge", 10_000, 320)]
    (charged,) = platform.client.v1.balance_transactions.list({"source": str(paid.latest_charge)}).data
    assert platform.client.v1.balance_transactions.retrieve(charged.id).net == 9_680
