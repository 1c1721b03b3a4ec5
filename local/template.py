"""template.yaml, through the real SAM translator, as the resources the local platform makes."""

import functools
import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import intrinsics_multi_constructor

from local.intrinsics import Resolver, Unresolvable
from local.resources import ACCOUNT, REGION, Function, Machine, Mapping, Platform, Rule, arn

_ELSEWHERE = {"Bucket": "local", "Key": "local"}  # the translator wants code on S3; we run it from its folder
# a resource's type: the property that names it, the service and resource of its ARN, and what Ref is
_KINDS = {
    "Lambda::Function": (None, "lambda", "function:{}", "name"),
    "DynamoDB::Table": ("TableName", "dynamodb", "table/{}", "name"),
    "S3::Bucket": ("BucketName", "s3", "", "name"),
    "SQS::Queue": ("QueueName", "sqs", "{}", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{}}"),
    "SNS::Topic": ("TopicName", "sns", "{}", "arn"),
    "Events::EventBus": ("Name", "events", "event-bus/{}", "name"),
    "Events::Rule": ("Name", "events", "rule/{}", "name"),
    "StepFunctions::StateMachine": ("StateMachineName", "states", "stateMachine:{}", "arn"),
    "SecretsManager::Secret": ("Name", "secretsmanager", "secret:{}", "arn"),
    "KMS::Key": (None, "kms", "alias/{}", "alias/{}"),  # the emulator draws ids at random; an alias is known before
}


def read(path: Path, parameters: dict[str, str] | None = None) -> Platform:
    """Translate and resolve a template. Raises Unresolvable for what the local platform cannot understand."""
    path = path.resolve()
    text = path.read_text()
    source = _parsed(text)
    code = _take_code(source, path.parent)
    values = {name: str(about.get("Default", "")) for name, about in source.get("Parameters", {}).items()} | (
        parameters or {}
    )
    translated = _translate(text, values)
    reader = _Reader(translated, values, code)
    return Platform(
        path=path,
        source=_parsed(text),
        parameters=values,
        functions={function.id: function for function in reader.functions()},
        layers=[
            code[name]
            for name, about in source["Resources"].items()
            if about["Type"] == "AWS::Serverless::LayerVersion"
        ],
        mappings=reader.mappings(),
        rules=reader.rules(),
        machines=reader.machines(),
        gateway_responses=reader.gateway_responses(),
        outputs={
            name: str(reader.resolver.resolve(about["Value"])) for name, about in translated.get("Outputs", {}).items()
        },
        resources=reader.rest(),
    )


def _parsed(text: str) -> dict[str, Any]:
    return dict(yaml.load(text, Loader=_Loader))


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's tags (`!Ref`); written in C, eight times as fast."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def _take_code(source: dict[str, Any], root: Path) -> dict[str, Path]:
    """Where each function's, layer's and machine's files lie; the template is given an address on S3 instead."""
    globals_ = source.get("Globals", {}).get("Function", {})
    code = {}
    for name, about in source["Resources"].items():
        properties = about.get("Properties", {})
        match about["Type"]:
            case "AWS::Serverless::Function":
                code[name] = root / (properties.get("CodeUri") or globals_["CodeUri"])
                properties["CodeUri"] = _ELSEWHERE
            case "AWS::Serverless::LayerVersion":
                code[name] = root / properties["ContentUri"]
                properties["ContentUri"] = _ELSEWHERE
            case "AWS::Serverless::StateMachine" if "DefinitionUri" in properties:
                code[name] = root / properties["DefinitionUri"]
                properties["DefinitionUri"] = _ELSEWHERE
    return code


class _NoManagedPolicies:
    """In the place of a call to IAM: locally nobody checks policies."""

    def load(self) -> dict[str, str]:
        return {}


def marked(parameters: dict[str, str]) -> dict[str, str]:
    """The parameters with a mark in the place of each address: a stack's ports are others each time it starts."""
    return {name: f"https://{name}.mark" if "://" in value else value for name, value in parameters.items()}


def _translate(text: str, parameters: dict[str, str]) -> dict[str, Any]:
    """Of one template and its parameters once in a process, as the translator takes longer than all else of a start."""
    marks = marked(parameters)
    addresses = {mark: parameters[name] for name, mark in marks.items() if mark != parameters[name]}
    return dict(_filled(_translated(text, tuple(marks.items())), addresses))


@functools.lru_cache(maxsize=4)
def _translated(text: str, parameters: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator asks for one, whatever it is
    source = _parsed(text)
    _take_code(source, Path())
    return dict(transform(source, dict(parameters), _NoManagedPolicies()))


def _filled(value: Any, addresses: dict[str, str]) -> Any:
    """A copy with the addresses in the place of their marks."""
    if isinstance(value, dict):
        return {key: _filled(one, addresses) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, addresses) for one in value]
    if isinstance(value, str) and ".mark" in value:
        for mark, address in addresses.items():
            value = value.replace(mark, address)
    return value


class _Reader:
    """Reads the translated template; answers Ref and Fn::GetAtt with the names things have on the local platform."""

    def __init__(self, translated: dict[str, Any], parameters: dict[str, str], code: dict[str, Path]) -> None:
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        names = {
            **parameters,
            **pseudo,
            "AWS::StackName": "local",
            "AWS::StackId": arn("cloudformation", "stack/local"),
        }
        self.resolver = Resolver(translated, names, self._attribute)
        self._code = code
        self._all = {
            key: about for key, about in translated["Resources"].items() if self.resolver.holds(about.get("Condition"))
        }
        self._names: dict[str, str] = {}

    def functions(self) -> list[Function]:
        retries = {
            about["FunctionName"]: about.get("MaximumRetryAttempts", 2)
            for about in self._of("AWS::Lambda::EventInvokeConfig").values()
        }
        return [
            Function(
                id=name,
                action=self._code[name].name,
                folder=self._code[name],
                handler=about["Handler"],
                env={key: str(value) for key, value in about.get("Environment", {}).get("Variables", {}).items()},
                timeout_seconds=int(about.get("Timeout", 3)),
                memory_mb=int(about.get("MemorySize", 128)),
                retries=int(retries.get(name, 2)),
                dead_letters=about.get("DeadLetterConfig", {}).get("TargetArn"),
            )
            for name, about in self._of("AWS::Lambda::Function").items()
        ]

    def mappings(self) -> list[Mapping]:
        return [
            Mapping(
                function=about["FunctionName"],
                table=re.sub(r"^.*:table/([^/]+)/.*$", r"\1", about["EventSourceArn"]),
                batch_size=int(about.get("BatchSize", 100)),
                patterns=[json.loads(one["Pattern"]) for one in about.get("FilterCriteria", {}).get("Filters", [])],
                reports_failures="ReportBatchItemFailures" in about.get("FunctionResponseTypes", []),
                bisects=bool(about.get("BisectBatchOnFunctionError", False)),
                retries=int(about.get("MaximumRetryAttempts", -1)),
                on_failure=about.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
            )
            for about in self._of("AWS::Lambda::EventSourceMapping").values()
        ]

    def rules(self) -> list[Rule]:
        return [
            Rule(
                id=name,
                name=self._attribute(name, "Ref"),
                bus=about.get("EventBusName", "default").rsplit("/", 1)[-1],
                pattern=about.get("EventPattern"),
                schedule=about.get("ScheduleExpression"),
                enabled=about.get("State", "ENABLED") == "ENABLED",
                targets=about.get("Targets", []),
            )
            for name, about in self._of("AWS::Events::Rule").items()
        ]

    def machines(self) -> list[Machine]:
        found = []
        for name, about in self._of("AWS::StepFunctions::StateMachine").items():
            text = json.dumps(yaml.safe_load(self._code[name].read_text()))
            for key, value in about.get("DefinitionSubstitutions", {}).items():
                text = text.replace(f"${{{key}}}", str(value))
            found.append(Machine(name, self._named(name, "StateMachineName"), json.loads(text)))
        return found

    def gateway_responses(self) -> dict[str, dict[str, Any]]:
        for about in self._of("AWS::ApiGateway::RestApi").values():
            return dict(about.get("Body", {}).get("x-amazon-apigateway-gateway-responses", {}))
        return {}

    def rest(self) -> dict[str, dict[str, dict[str, Any]]]:
        kinds = {
            "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::KMS::Key",
            "AWS::SecretsManager::Secret", "AWS::Events::EventBus", "AWS::SSM::Parameter",
        }  # fmt: skip
        return {kind: self._of(kind) for kind in kinds}

    def _of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {
            key: self.resolver.resolve(about.get("Properties", {}))
            for key, about in self._all.items()
            if about["Type"] == kind
        }

    def _named(self, name: str, *properties: str) -> str:
        """A resource's own name where the template gives it one, else its logical id."""
        if name not in self._names:
            about = self._all[name].get("Properties", {})
            given = next((about[key] for key in properties if key in about), name)
            self._names[name] = str(self.resolver.resolve(given))
        return self._names[name]

    def _attribute(self, name: str, attribute: str) -> Any:
        if name not in self._all:
            raise Unresolvable(f"the template has no resource {name}")
        ref, its_arn = self._identity(name)
        match attribute:
            case "Ref":
                return ref
            case "Arn" | "TopicArn":
                return its_arn
            case "StreamArn":
                return f"{its_arn}/stream/local"
            case _:
                return self._named(
                    name, "QueueName", "Name", "TopicName", "TableName", "BucketName", "StateMachineName"
                )

    def _identity(self, name: str) -> tuple[str, str]:
        """What Ref and the Arn of a resource are."""
        kind = self._all[name]["Type"].removeprefix("AWS::")
        if kind not in _KINDS:
            return name, name
        property_, service, resource, ref = _KINDS[kind]
        own = self._named(name, property_) if property_ else name
        its_arn = f"arn:aws:s3:::{own}" if service == "s3" else arn(service, resource.format(own))
        return {"name": own, "arn": its_arn}.get(ref, ref.format(own)), its_arn
