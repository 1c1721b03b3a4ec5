"""CloudFormation's intrinsic functions, as far as templates like ours use them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_NOTHING = object()  # AWS::NoValue: the property is left out


class Unresolvable(Exception):
    """The template names something that isn't there, or a function nobody needed until now."""


class Resolver:
    """Turns what a template says into plain values.

    `names` answers Ref for parameters and pseudo parameters; `attribute(logical_id, name)` answers Ref (name "Ref") and
    Fn::GetAtt of resources.
    """

    def __init__(
        self, template: Mapping[str, Any], names: Mapping[str, Any], attribute: Callable[[str, str], Any]
    ) -> None:
        self._template = template
        self._names = names
        self._attribute = attribute

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function replaced by its result. Raises Unresolvable."""
        if isinstance(value, list):
            return [found for item in value if (found := self.resolve(item)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref":
                return self._ref(argument)
            if key.startswith("Fn::"):
                return self._function(key.removeprefix("Fn::"), argument)
        return {key: found for key, item in value.items() if (found := self.resolve(item)) is not _NOTHING}

    def holds(self, condition: str | None) -> bool:
        """Whether a condition of the template's Conditions holds; None is a resource without one."""
        if condition is None:
            return True
        if condition not in self._template.get("Conditions", {}):
            raise Unresolvable(f"no condition {condition}")
        return self._truth(self._template["Conditions"][condition])

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        return self._names[name] if name in self._names else self._attribute(name, "Ref")

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(parts[0], self.resolve(parts[1]))
            case "Sub":
                return self._substitute(argument)
            case "Join":
                return str(argument[0]).join(str(item) for item in self.resolve(argument[1]))
            case "Select":
                return self.resolve(argument[1])[int(argument[0])]
            case "Split":
                return self.resolve(argument[1]).split(argument[0])
            case "If":
                return self.resolve(argument[1] if self.holds(argument[0]) else argument[2])
            case "FindInMap":
                first, second, third = self.resolve(argument)
                return self._template["Mappings"][first][second][third]
            case "Equals" | "Not" | "And" | "Or":
                return self._truth({f"Fn::{name}": argument})
            case _:
                raise Unresolvable(f"Fn::{name} is not supported here")

    def _substitute(self, argument: Any) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))

        def one(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return str(local[name])
            owner, _, attribute = name.partition(".")
            return str(self._attribute(owner, attribute) if attribute else self._ref(name))

        return _PLACEHOLDER.sub(one, text)

    def _truth(self, expression: Any) -> bool:
        ((name, argument),) = expression.items()
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return bool(str(left) == str(right))
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(item) for item in argument)
            case "Fn::Or":
                return any(self._truth(item) for item in argument)
            case _:
                raise Unresolvable(f"{name} is not a condition")
