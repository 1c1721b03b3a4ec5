"""DynamoDB: items are answered as they are. Moto asks its model about ten possible members of every attribute of every
item, each under several names: most of the time of a request.
"""

from typing import Any

from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType

_AS_IT_IS = {"S", "N", "SS", "NS", "BOOL", "NULL"}


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


def apply() -> None:
    """Serialize DynamoDB's answers so."""
    SERVICE_SPECIFIC_SERIALIZERS.setdefault("dynamodb", {})["json"] = QuickSerializer
