"""From template.yaml to plain values."""

from pathlib import Path
from typing import Any

import pytest

from local.intrinsics import Resolver, Unresolvable
from local.resources import Platform
from local.template import read
from tests.local.conftest import HOUSE

TEMPLATE = {
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "IsLocal": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsLocal"}]},
        "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsLocal"}]},
    },
    "Mappings": {"Sizes": {"local": {"memory": 128}}},
}


@pytest.fixture
def resolver() -> Resolver:
    names = {"Stage": "local", "AWS::Region": "us-east-1"}
    return Resolver(TEMPLATE, names, lambda name, attribute: f"{name}/{attribute}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Stage"}, "local"),
        ({"Ref": "Table"}, "Table/Ref"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table/Arn"),
        ({"Fn::GetAtt": "Table.Arn"}, "Table/Arn"),
        ({"Fn::Sub": "a-${Stage}-${Table}-${Table.Arn}-${!Literal}"}, "a-local-Table/Ref-Table/Arn-${Literal}"),
        ({"Fn::Sub": ["${x}-${AWS::Region}", {"x": {"Ref": "Stage"}}]}, "local-us-east-1"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Stage"}, 1]]}, "a/local/1"),
        ({"Fn::Select": [1, {"Fn::Split": ["-", "a-b-c"]}]}, "b"),
        ({"Fn::If": ["IsProd", 1, {"Fn::If": ["IsLocal", 2, 3]}]}, 2),
        ({"Fn::If": ["Either", {"Fn::If": ["Both", 1, 2]}, 3]}, 2),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}, 128),
        ({"kept": 1, "dropped": {"Fn::If": ["IsProd", 1, {"Ref": "AWS::NoValue"}]}}, {"kept": 1}),
        ([1, {"Ref": "AWS::NoValue"}, {"Ref": "Stage"}], [1, "local"]),
    ],
)
def test_an_intrinsic_function_becomes_its_value(resolver: Resolver, expression: Any, value: Any) -> None:
    assert resolver.resolve(expression) == value


@pytest.mark.parametrize("expression", [{"Fn::Cidr": ["10.0.0.0/8", 1, 8]}, {"Fn::If": ["Nobody", 1, 2]}])
def test_what_it_cannot_resolve_it_refuses(resolver: Resolver, expression: Any) -> None:
    with pytest.raises(Unresolvable):
        resolver.resolve(expression)


@pytest.fixture(scope="module")
def house() -> Platform:
    return read(HOUSE, {"Greeting": "good morning"})


def test_a_function_knows_its_folder_environment_and_dead_letters(house: Platform) -> None:
    function = house.functions["GreetFunction"]
    assert (function.action, function.handler, function.timeout_seconds) == ("greet", "app.lambda_handler", 15)
    assert function.folder == HOUSE.parent / "functions/greet"
    assert function.env["GREETING"] == "good morning"
    assert function.env["PLACE"] == "here-us-east-1"
    assert function.env["EVENT_BUS"] == function.env["TABLE_NAME"] == "house-local"
    assert function.dead_letters == "arn:aws:sqs:us-east-1:123456789012:house-local-dead-letters"
    assert function.env["LATER_ARN"] == house.functions["LaterFunction"].arn


def test_retries_are_two_unless_the_template_says_otherwise(house: Platform) -> None:
    assert house.functions["GreetFunction"].retries == 2
    assert house.functions["LaterFunction"].retries == 1


def test_a_stream_names_its_table_batch_and_filter(house: Platform) -> None:
    (mapping,) = house.mappings
    assert (mapping.function, mapping.table, mapping.batch_size) == ("OnStreamFunction", "house-local", 5)
    assert (mapping.bisects, mapping.reports_failures, mapping.retries) == (True, True, 2)
    assert mapping.patterns == [{"dynamodb": {"NewImage": {"PK": {"S": [{"prefix": "THING#"}]}}}}]


def test_rules_are_patterns_on_their_bus_and_schedules(house: Platform) -> None:
    rules = {rule.name: rule for rule in house.rules}
    assert {(rule.bus, rule.schedule) for rule in house.rules} == {
        ("house-local", None),
        ("default", "rate(5 minutes)"),
    }
    assert rules["Begun"].targets[0]["Arn"] == "arn:aws:states:us-east-1:123456789012:stateMachine:house-local-trade"


def test_a_definition_has_its_substitutions(house: Platform) -> None:
    (machine,) = house.machines
    assert machine.name == "house-local-trade"
    assert machine.definition["States"]["Open"]["Arguments"]["FunctionName"] == house.functions["MisbehaveFunction"].arn


def test_resources_whose_condition_fails_are_not_there(house: Platform) -> None:
    assert list(house.of("AWS::DynamoDB::Table")) == ["Table"]


def test_outputs_layers_and_gateway_responses_are_read(house: Platform) -> None:
    assert house.outputs == {"TableName": "house-local"}
    assert house.layers == [Path(HOUSE.parent / "layer")]
    assert house.gateway_responses["UNAUTHORIZED"]["statusCode"] in {401, "401"}
