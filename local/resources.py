"""What a template asks for, in plain values: what every other part of the local platform works with."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REGION = "us-east-1"
ACCOUNT = "123456789012"


def arn(service: str, resource: str) -> str:
    """The ARN of something of the local platform."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@dataclass(frozen=True)
class Function:
    """One Lambda function. `action` is its folder's name, `id` its name in the template and on the local platform."""

    id: str
    action: str
    folder: Path
    handler: str
    env: dict[str, str]
    timeout_seconds: int = 3
    memory_mb: int = 128
    retries: int = 2
    dead_letters: str | None = None

    @property
    def arn(self) -> str:
        return arn("lambda", f"function:{self.id}")


@dataclass(frozen=True)
class Mapping:
    """A table's stream that feeds a function."""

    function: str
    table: str
    batch_size: int
    patterns: list[dict[str, Any]]
    reports_failures: bool
    bisects: bool
    retries: int
    on_failure: str | None


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule: a pattern on a bus, or a schedule."""

    id: str
    name: str
    bus: str
    pattern: dict[str, Any] | None
    schedule: str | None
    enabled: bool
    targets: list[dict[str, Any]]


@dataclass(frozen=True)
class Machine:
    """A state machine; `definition` is its ASL with every substitution made."""

    id: str
    name: str
    definition: dict[str, Any]


@dataclass(frozen=True)
class Platform:
    """Everything the template asks for, in plain values; `source` is the template as it was written."""

    path: Path
    source: dict[str, Any]
    parameters: dict[str, str]
    functions: dict[str, Function]
    layers: list[Path]
    mappings: list[Mapping]
    rules: list[Rule]
    machines: list[Machine]
    gateway_responses: dict[str, dict[str, Any]]
    outputs: dict[str, str]
    resources: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of every resource of a type, for example "AWS::DynamoDB::Table"."""
        return self.resources.get(kind, {})
