"""EventBridge: rules reach Lambda functions and state machines, which moto answers with NotImplementedError."""

import copy
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from moto.events.models import EventPattern, Rule
from moto.events.utils import EventTemplateParser

# (target as put by PutTargets, the event or what the rule makes of it)
Deliver = Callable[[dict[str, Any], Any], None]
_deliver: Deliver | None = None


def deliver(how: Deliver | None) -> None:
    """Let `how` bring events to Lambda and Step Functions targets. It must not wait for them."""
    global _deliver
    _deliver = how


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether an event, or a record of a stream, satisfies a pattern."""
    return EventPattern(json.dumps(pattern), pattern).matches_event(event)  # type: ignore[arg-type]


def apply() -> None:
    """Take Lambda and Step Functions targets out of moto's hands."""
    plain = Rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        if _deliver is None:
            plain(self, original_event, transform_input)
            return
        if self.state != "ENABLED" or self.scheduled_expression or not self.event_pattern.matches_event(original_event):
            return
        others = copy.copy(self)
        others.targets = []
        for target in self.targets:
            if target["Arn"].split(":")[2] in {"lambda", "states"}:
                _deliver(target, shape(target, original_event))
            else:
                others.targets.append(target)
        plain(others, original_event, transform_input)

    Rule.send_to_targets = send_to_targets  # type: ignore[method-assign]


def shape(target: dict[str, Any], event: dict[str, Any]) -> Any:
    """What a target receives: its fixed Input, its InputTransformer's or InputPath's result, or the event."""
    event = dict(event)
    if isinstance(event.get("time"), int | float):
        event["time"] = dt.datetime.fromtimestamp(event["time"], dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if "Input" in target:
        return json.loads(target["Input"])
    if transformer := target.get("InputTransformer"):
        return EventTemplateParser.parse(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), event)  # type: ignore[arg-type]
    event.pop("ingestion-time", None)
    if path := target.get("InputPath"):
        for step in path.removeprefix("$").split("."):
            event = event[step] if step else event
    return event
