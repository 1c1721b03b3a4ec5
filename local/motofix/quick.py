"""Shorter ways to the same answers, where moto spends most of the time of a test or of a local trade.

It asks its model of DynamoDB about ten possible members of every attribute of every item, each under several names;
casts every key it compares, and weighs an item anew for every attribute; walks through the arguments of a request by
its model, though they are JSON as they came; reads its own folder and lists its own methods at every request; parses
the same conditions again and again, and a state machine when it is made and for every execution. For a query it sorts
the whole table first, and then looks for what was asked.
"""

import functools
import json
from typing import Any

from antlr4 import ParserRuleContext
from moto import backends
from moto.core import models, responses
from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import table
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.responses import DynamoHandler
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

_MOST_BYTES = 405_000  # of an item: moto's own limit, between the 400 KB that AWS states and what it takes
_AS_IT_IS = {"S", "N", "SS", "NS", "BOOL", "NULL"}
_cast = DynamoType.cast_value.fget  # type: ignore[attr-defined]
_parse = AmazonStateLanguageParser.parse
_parse_arguments = DynamoHandler.parse_parameters
_parse_condition = ConditionExpressionParser.parse
_query = table.Table.query
_MOST_CONDITIONS = 5_000
_conditions: dict[tuple[str, ...], Any] = {}


def apply() -> None:
    """Take the shorter ways."""
    SERVICE_SPECIFIC_SERIALIZERS.setdefault("dynamodb", {})["json"] = QuickSerializer
    DynamoType.cast_value = property(_value)  # type: ignore[assignment, method-assign]
    DynamoType.__eq__ = _is_same  # type: ignore[assignment, method-assign]
    Item.__init__ = _fill  # type: ignore[method-assign]
    Item.size = _size  # type: ignore[method-assign]
    table.dynamo_json_dump = lambda _: " "  # the SizeBytes of a stream's record, which nobody asks for
    ConditionExpressionParser.parse = _condition  # type: ignore[method-assign]
    DynamoHandler.parse_parameters = _arguments  # type: ignore[method-assign]
    table.Table.query = _quick_query  # type: ignore[method-assign]
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    models.CallbackResponse = functools.cache(models.CallbackResponse)  # `mock_aws` makes 1,300 whenever it starts
    modules = list(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    AmazonStateLanguageParser.parse = staticmethod(_program)  # type: ignore[method-assign]
    valid = functools.cache(StepFunctionsParserBackend._validate_definition)  # raises of one that is not
    StepFunctionsParserBackend._validate_definition = staticmethod(valid)  # type: ignore[method-assign]


class QuickSerializer(JSONSerializer):
    """Moto's own but for attributes whose one member is what DynamoDB says; binary ones are moto's."""

    def _serialize_type_structure(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and key:
            serialized[key] = self._attribute(value, shape)
        else:
            super()._serialize_type_structure(serialized, value, shape, key)

    def _attribute(self, value: Any, shape: Any) -> dict[str, Any]:
        if isinstance(value, DynamoType):
            value = value.to_json()
        ((kind, content),) = value.items()
        if kind in _AS_IT_IS:
            return {kind: content}
        if kind == "M":
            return {kind: {name: self._attribute(one, shape) for name, one in content.items()}}
        if kind == "L":
            return {kind: [self._attribute(one, shape) for one in content]}
        plain: dict[str, Any] = {}
        super()._serialize_type_structure(plain, value, shape, kind)
        return dict(plain[kind])


def _arguments(self: DynamoHandler, request: Any) -> None:
    """Its arguments, but where some are bytes, which come in base64."""
    if b'"B"' in request.data or b'"BS"' in request.data:
        _parse_arguments(self, request)
    else:
        self.params = json.loads(request.data or b"{}")


def _value(self: DynamoType) -> Any:
    return self.value if self.type == "S" else _cast(self)


def _is_same(self: DynamoType, other: DynamoType) -> bool:
    if self.type != other.type:
        return False
    return bool(self.value == other.value if self.type == "S" else self.cast_value == other.cast_value)


def _fill(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
    for name, value in attrs.items():
        dict.__setitem__(self.attrs, name, DynamoType(value))
    if len(json.dumps(attrs, default=repr)) > _MOST_BYTES < self.size():  # its JSON is never shorter than an item
        raise ItemSizeTooLarge


def _size(self: Item) -> int:
    """Most attributes are texts."""
    return sum(
        len(name.encode()) + (len(value.value.encode()) if value.type == "S" else value.size())
        for name, value in self.attrs.items()
    )


def _condition(self: ConditionExpressionParser) -> Any:
    """What the expression means with these names and values; it keeps nothing of the items it is asked about."""
    names, values = self.expression_attribute_names, self.expression_attribute_values
    key = (str(self.condition_expression), repr(names), repr(values))
    found = _conditions.get(key)
    if found is None:
        if len(_conditions) >= _MOST_CONDITIONS:
            _conditions.clear()
        op = _parse_condition(self)
        found = _conditions[key] = op, self.expr_attr_names_found, self.expr_attr_values_found
    op, self.expr_attr_names_found, self.expr_attr_values_found = found[0], list(found[1]), list(found[2])
    return op


def _quick_query(self: table.Table, hash_key: DynamoType | None, *args: Any, **options: Any) -> Any:
    """Its own, of the rows of that partition, or of that part of the index, alone."""
    keys = options.get("hash_key_conditions")
    if not self.range_key_attr or not (hash_key or keys):
        return _query(self, hash_key, *args, **options)
    ((name, wanted), *_) = keys or [(self.hash_key_attr, hash_key)]
    parts = [self.items.get(wanted, {})] if name == self.hash_key_attr else self.items.values()
    rows = [row for part in parts for row in part.values() if _has(row, name, wanted)]  # type: ignore[union-attr]
    rows.sort(key=lambda row: (row.hash_key, row.range_key))
    self.all_items = lambda: rows  # type: ignore[method-assign]
    try:
        return _query(self, hash_key, *args, **options)
    finally:
        del self.all_items  # the class's own again


def _has(row: Any, name: str, wanted: DynamoType) -> bool:
    found = row.attrs.get(name)
    return found is not None and bool(found.value == wanted.value)


@functools.lru_cache(maxsize=64)
def _tree(definition: str) -> ParserRuleContext:
    return _parse(definition)[1]


def _program(definition: str) -> tuple[EvalComponent, ParserRuleContext]:
    """A program of its own for every execution, as it keeps their state, of a tree that nobody changes."""
    tree = _tree(definition)
    return Preprocessor().visit(tree), tree
