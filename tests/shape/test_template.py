"""The deployment: rooms, routes behind the authorizer, dead letters behind asynchronous edges, its size."""

import re
from collections import defaultdict
from typing import Any

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
