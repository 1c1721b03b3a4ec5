"""The deployment: rooms, routes behind the authorizer, dead letters behind asynchronous edges, its size."""

import re
import tomllib
from collections import defaultdict
from dataclasses import fields
from typing import Any

import pytest

from bloxtr8 import config, errors
from tests.shape.translated import translate
from tools import template

RESOURCE_LIMIT = 470  # of CloudFormation's 500 (D31)
DEAD_LETTERS = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
PUBLIC = {
    ("GET", "/auth/discord"),
    ("POST", "/auth/discord/finish"),
    ("POST", "/auth/refresh"),
    ("GET", "/listings"),
    ("GET", "/listings/{listing_id}"),
    ("GET", "/listings/{listing_id}/snapshots"),
    ("POST", "/contracts/sign-by-link"),
    ("POST", "/contracts/verify"),
    ("POST", "/webhooks/stripe"),
    ("POST", "/webhooks/chain"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
}


def without_room(text: str, written: dict[str, Any]) -> list[str]:
    """Functions outside the section of the room whose logs they write."""
    section, found = "", {}
    for line in text.splitlines():
        if banner := re.fullmatch(r"  # =+ (.+)", line):
            section = banner[1]
        elif block := re.fullmatch(r"  (\w+):.*", line):
            found[block[1]] = section
    return [
        f"{function.id} logs to {function.room or 'nothing'} in the section {found[function.id]}"
        for function in template.functions(written)
        if function.room not in template.ROOMS or found[function.id] != function.room
    ]


def off_the_globals(written: dict[str, Any]) -> list[str]:
    """Properties that belong to all functions or to none."""
    theirs = {"FunctionName", "Runtime", "Architectures", "Handler", "Layers", "Role", "Tracing", "DeadLetterQueue"}
    return [
        f"{function.id} sets {name}"
        for function in template.functions(written)
        for name in sorted(theirs & function.properties.keys())
    ]


def unguarded(deployed: dict[str, Any], public: set[tuple[str, str]]) -> list[str]:
    """Routes that the gateway would let anyone call, and do not belong to `public`."""
    return [
        f"{method.upper()} {path}"
        for resource in deployed["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::RestApi"
        for path, operations in resource["Properties"]["Body"]["paths"].items()
        for method, operation in operations.items()
        if method != "options"
        and (method.upper(), path) not in public
        and operation.get("security") != [{"Bearer": []}]
    ]


def ambiguous(paths: list[str]) -> list[str]:
    """Path parameters of two names at one place, which API Gateway refuses."""
    names: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        parts = path.split("/")
        for number, part in enumerate(parts):
            if part.startswith("{"):
                before = re.sub(r"{\w+}", "{}", "/".join(parts[:number]))
                names[before].add(part)
    return [f"{place}: {', '.join(sorted(found))}" for place, found in names.items() if len(found) > 1]


def without_dead_letters(written: dict[str, Any]) -> list[str]:
    """Asynchronous edges whose lost messages nobody would find."""
    wrong = []
    if written.get("Globals", {}).get("Function", {}).get("DeadLetterQueue", {}).get("TargetArn") != DEAD_LETTERS:
        wrong.append("Globals: asynchronous invocations")
    for function in template.functions(written):
        for name, event in function.events.items():
            properties = event["Properties"]
            match event["Type"]:
                case "Api":
                    continue
                case "Schedule" | "EventBridgeRule":
                    caught = properties.get("DeadLetterConfig", {}).get("Arn") == DEAD_LETTERS
                case "DynamoDB":
                    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
                    caught = destination == DEAD_LETTERS and "MaximumRetryAttempts" in properties
                case _:
                    caught = False
            if not caught:
                wrong.append(f"{function.id}: {name}")
    return wrong


def hurried(written: dict[str, Any]) -> list[str]:
    """Tasks and jobs that ask Stripe and would be killed before its client has tried again (3 × 11 s)."""
    shared = written.get("Globals", {}).get("Function", {}).get("Timeout", 3)
    return [
        f"{function.id} has {seconds} s"
        for function in template.functions(written)
        if {"Ref": "StripeSecretPolicy"} in function.properties.get("Policies", [])
        and not function.routes
        and (seconds := function.properties.get("Timeout", shared)) < 60
    ]


def test_every_function_is_in_the_section_of_its_room(written: dict[str, Any]) -> None:
    assert without_room(template.PATH.read_text(), written) == []


def test_what_all_functions_share_is_said_once(written: dict[str, Any]) -> None:
    assert off_the_globals(written) == []
    shared = written["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"], shared["Tracing"]) == ("python3.13", ["arm64"], "Active")


def test_every_route_that_is_not_public_asks_the_authorizer(deployed: dict[str, Any]) -> None:
    assert unguarded(deployed, PUBLIC) == []


def test_every_public_route_is_meant_to_be(written: dict[str, Any]) -> None:
    routes = [route for function in template.functions(written) for route in function.routes]
    assert {(route.method, route.path) for route in routes if route.public} <= PUBLIC


def test_a_path_parameter_has_one_name_at_one_place(written: dict[str, Any]) -> None:
    assert ambiguous([route.path for function in template.functions(written) for route in function.routes]) == []


def test_dead_letters_stand_behind_every_asynchronous_edge(written: dict[str, Any]) -> None:
    assert without_dead_letters(written) == []


def test_tasks_outlive_the_retries_of_stripes_client(written: dict[str, Any]) -> None:
    assert hurried(written) == []


def test_cloudformation_takes_the_number_of_resources(deployed: dict[str, Any]) -> None:
    assert len(deployed["Resources"]) < RESOURCE_LIMIT


def test_the_layer_is_built_for_the_processor_it_runs_on(written: dict[str, Any]) -> None:
    metadata = written["Resources"]["SharedLayer"]["Metadata"]
    assert metadata == {"BuildMethod": "python3.13", "BuildArchitecture": "arm64"}


def deployed_settings(written: dict[str, Any], stage: str) -> dict[str, str]:
    """The environment of all functions of a stage: the parameters' defaults, and what samconfig.toml says instead."""
    overrides = tomllib.loads((template.PATH.parent / "samconfig.toml").read_text())[stage]["deploy"]["parameters"]
    said = dict(each.split("=", 1) for each in overrides["parameter_overrides"].split())
    assert said.keys() <= written["Parameters"].keys()
    values = {name: str(each.get("Default", "")) for name, each in written["Parameters"].items()} | said
    variables = written["Globals"]["Function"]["Environment"]["Variables"]
    return {
        name: values[each["Ref"]]
        for name, each in variables.items()
        if isinstance(each, dict) and each.get("Ref") in values
    }


@pytest.mark.parametrize("name", ["UsdcAddress", "EscrowContract", "FeeAddress", "SanctionsOracle"])
def test_what_is_no_address_is_not_deployed(written: dict[str, Any], name: str) -> None:
    """Fees would go to what its digits happen to say, and every contract be one that nobody can print."""
    address, pattern = "d8dA6BF26964aF9D7eEd9e03E53415D37aA96045", written["Parameters"][name]["AllowedPattern"]
    assert all(re.fullmatch(pattern, good) for good in (f"0x{address}", written["Parameters"][name]["Default"]))
    assert not [bad for bad in (address, f"0x{address[:-2]}", f" 0x{address}", "a.eth") if re.fullmatch(pattern, bad)]


def test_every_setting_of_the_chain_is_a_parameter(written: dict[str, Any]) -> None:
    names = [field.name for field in fields(config.Settings)]
    chain = names[names.index("chain_rpc_url") : names.index("wallet_domain") + 1]
    ours = {"chain_rpc_url", "signer_key_id"}  # in the secret, and the template's own key
    assert {name.upper() for name in chain if name not in ours} <= deployed_settings(written, "prod").keys()
    assert "SIGNER_KEY_ID" in written["Globals"]["Function"]["Environment"]["Variables"]


def test_a_parameters_default_is_the_settings(written: dict[str, Any]) -> None:
    """But for what only a chain of one's own leaves open."""
    apart = {"USDC_ADDRESS", "SANCTIONS_ORACLE", "STAGE"}
    for name, value in deployed_settings(written, "dev").items():
        default = getattr(config.Settings(), name.lower(), None)
        if default is not None and name not in apart:
            assert value.lower() == str(default).lower(), name


@pytest.mark.parametrize(("stage", "chain"), [("dev", 84532), ("prod", None)])
def test_production_refuses_base_until_its_operator_lists_it(
    written: dict[str, Any], monkeypatch: pytest.MonkeyPatch, stage: str, chain: int | None
) -> None:
    for name, value in deployed_settings(written, stage).items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    try:
        assert (config.settings().stage, config.may_use_chain()) == (stage, chain is not None)
        if chain is None:
            with pytest.raises(errors.Unavailable, match="may not be used"):
                config.chain_id()
            monkeypatch.setenv("CHAIN_IDS", "8453")
            config.settings.cache_clear()
        assert config.chain_id() == (chain or 8453)
    finally:
        config.settings.cache_clear()


def test_the_environment_of_a_function_fits(written: dict[str, Any]) -> None:
    """Lambda takes 4 KB; arns and addresses are set at their longest."""
    environment = deployed_settings(written, "prod")
    variables = written["Globals"]["Function"]["Environment"]["Variables"]
    assert sum(len(name) + max(len(environment.get(name, "")), 60) for name in variables) < 4096


WRONG = """
Transform: AWS::Serverless-2016-10-31
Resources:
  # ====== offers
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1}
  AcceptOfferFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: accept
      Runtime: python3.13
      Handler: app.lambda_handler
      CodeUri: functions/accept_offer
      LoggingConfig: {LogGroup: !Ref MoneyLogs}
      Policies: [!Ref StripeSecretPolicy]
      Events:
        Http: {Type: Api, Properties: {RestApiId: !Ref Api, Method: post, Path: "/offers/{offer_id}/accept"}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Stream: {Type: DynamoDB, Properties: {Stream: "arn:t", StartingPosition: LATEST, MaximumRetryAttempts: 1}}
        Queue: {Type: SQS, Properties: {Queue: "arn:aws:sqs:::q"}}
"""


def test_a_wrong_template_is_found() -> None:
    written = template.load(WRONG)
    task = template.load(WRONG)
    del task["Resources"]["AcceptOfferFunction"]["Properties"]["Events"]["Http"]

    assert hurried(written) == []
    assert hurried(task) == ["AcceptOfferFunction has 3 s"]

    assert without_room(WRONG, written) == ["AcceptOfferFunction logs to money in the section offers"]
    assert off_the_globals(written) == [
        f"AcceptOfferFunction sets {name}" for name in ("FunctionName", "Handler", "Runtime")
    ]
    assert unguarded(translate(written), PUBLIC) == ["POST /offers/{offer_id}/accept"]
    assert ambiguous(["/offers/{offer_id}", "/offers/{id}/accept", "/me"]) == ["/offers: {id}, {offer_id}"]
    assert without_dead_letters(written) == [
        "Globals: asynchronous invocations",
        "AcceptOfferFunction: Daily",
        "AcceptOfferFunction: Stream",
        "AcceptOfferFunction: Queue",
    ]
