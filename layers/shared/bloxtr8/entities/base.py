"""What every row of the table shares: keys placed from its fields, a version, strict numbers (table.md)."""

import datetime as dt
import functools
from enum import StrEnum
from typing import Any, Self

from pynamodb.attributes import (
    Attribute,
    AttributeContainer,
    DiscriminatorAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import NUMBER, STRING
from pynamodb.exceptions import AttributeNullError

from bloxtr8 import clock
from bloxtr8.entities.keys import KEYS
from bloxtr8.ids import ulid_of


class EnumAttribute[E: StrEnum](Attribute[E]):
    """A StrEnum, stored as its text."""

    attr_type = STRING

    def __init__(self, enum: type[E], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enum = enum

    def serialize(self, value: E) -> str:
        return self.enum(value).value

    def deserialize(self, value: str) -> E:
        return self.enum(value)


class TimeAttribute(Attribute[dt.datetime]):
    """An aware UTC datetime, stored as sortable ISO text; a naive one is refused."""

    attr_type = STRING

    def serialize(self, value: dt.datetime) -> str:
        if value.tzinfo is None:
            raise TypeError("a naive datetime")
        return clock.iso(value)

    def deserialize(self, value: str) -> dt.datetime:
        return clock.parse(value)


class IntegerAttribute(Attribute[int]):
    """An integer; a float or a bool is refused, because these numbers are money, versions and counts (law 10)."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} takes an int, not {type(value).__name__}")
        return str(value)

    def deserialize(self, value: str) -> int:
        return int(value)


class TextSetAttribute(Attribute[frozenset[str]]):
    """A set of short words, stored as sorted text. DynamoDB's own sets can't be empty."""

    attr_type = STRING

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=frozenset(), **kwargs)

    def serialize(self, value: frozenset[str]) -> str:
        return " ".join(sorted(value))

    def deserialize(self, value: str) -> frozenset[str]:
        return frozenset(value.split())


@functools.cache
def _reading(kind: type[AttributeContainer]) -> tuple[dict[str, tuple[str, Any, Any]], list[tuple[str, Any]]]:
    """How a row of this kind is read: of each attribute, by its stored name, the field and what reads it; the
    defaults."""
    attributes = kind.get_attributes().items()
    readers = {one.attr_name: (name, one.get_value, one.deserialize) for name, one in attributes}
    return readers, [(name, one.default) for name, one in attributes if one.default is not None]


class Entity(AttributeContainer):
    """A row: pynamodb's attributes, without its models, which know a connection (and botocore, docs/decisions.md,
    Speed). Only table.py reads and writes them."""

    pk = UnicodeAttribute(attr_name="PK")
    sk = UnicodeAttribute(attr_name="SK")
    gsi1pk = UnicodeAttribute(null=True, attr_name="GSI1PK")
    gsi1sk = UnicodeAttribute(null=True, attr_name="GSI1SK")
    gsi2pk = UnicodeAttribute(null=True, attr_name="GSI2PK")
    gsi2sk = UnicodeAttribute(null=True, attr_name="GSI2SK")
    gsi3pk = UnicodeAttribute(null=True, attr_name="GSI3PK")
    gsi3sk = UnicodeAttribute(null=True, attr_name="GSI3SK")
    gsi4pk = UnicodeAttribute(null=True, attr_name="GSI4PK")
    gsi4sk = UnicodeAttribute(null=True, attr_name="GSI4SK")
    gsi5pk = UnicodeAttribute(null=True, attr_name="GSI5PK")
    gsi5sk = UnicodeAttribute(null=True, attr_name="GSI5SK")
    type = DiscriminatorAttribute()
    status_read: Any = None
    version = IntegerAttribute(default=0)
    ttl = TTLAttribute(null=True)

    def __init__(self, **fields: Any) -> None:
        """Fields by their names; what is left out has its default, or None."""
        super().__init__(**fields)

    @property
    def entity(self) -> str:
        """The entity's name, as in KEYS and in audit entries."""
        return self.__class__.__name__

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """A stored row, which remembers the status it was read with: that is the `from` of the audit entry. Raises
        ValueError where it is of another kind. One pass: pynamodb's own sets every default twice before it reads."""
        kind: Any = cls.type
        stored = kind.deserialize(data["type"]["S"])
        if not issubclass(stored, cls):
            raise ValueError(f"a {stored.__name__} is no {cls.__name__}")
        row: Self = stored.__new__(stored)
        readers, defaults = _reading(stored)
        row.attribute_values = values = {
            name: default() if callable(default) else default for name, default in defaults
        }
        for attr_name, held in data.items():
            if attr_name in readers:
                name, value_of, deserialize = readers[attr_name]
                values[name] = deserialize(value_of(held))
        row.status_read = values.get("status")
        return row

    def serialize(self) -> dict[str, dict[str, Any]]:
        """The row as stored: attributes of None are left out. Raises AttributeNullError where one must not be None."""
        item = {}
        for name, attribute in self.get_attributes().items():
            value = self.attribute_values.get(name)
            if value is not None:
                item[attribute.attr_name] = {attribute.attr_type: attribute.serialize(value)}
            elif not attribute.null:
                raise AttributeNullError(name)
        return item

    @property
    def label(self) -> str:
        """What audit entries call this row: its id, or its place where it has none."""
        return str(getattr(self, "id", None) or f"{self.pk}/{self.sk}")

    def place(self) -> Self:
        """Compute all keys from the fields. Called on every write, so that an index can never lag behind a status."""
        key = KEYS[self.entity]
        self.pk, self.sk = self._format(key.pk), self._format(key.sk)
        for index in ("gsi1", "gsi2", "gsi3", "gsi4", "gsi5"):
            template = getattr(key, index)
            parts = (None, None) if template is None else self._index_entry(template)
            setattr(self, f"{index}pk", parts[0])
            setattr(self, f"{index}sk", parts[1])
        return self

    def _index_entry(self, template: tuple[str, str]) -> tuple[str | None, str | None]:
        """Both keys of an index, or neither: a row is on a shelf only while every field that it names has a value."""
        try:
            return self._format(template[0]), self._format(template[1])
        except LookupError:
            return None, None

    def _format(self, template: str) -> str:
        return template.format_map(_Fields(self))


class _Fields(dict[str, Any]):
    """A row's attributes and properties by name, for str.format_map; one without a value raises LookupError."""

    def __init__(self, row: Entity) -> None:
        super().__init__()
        self._row = row

    def __missing__(self, name: str) -> Any:
        value = getattr(self._row, name)
        if value is None:
            raise LookupError(name)
        return clock.iso(value) if isinstance(value, dt.datetime) else value


class Root(Entity):
    """A row that heads an audit chain: the place of its last entry, and that entry's hash."""

    audit_seq = IntegerAttribute(default=0)
    audit_head = UnicodeAttribute(default="")
    parent = UnicodeAttribute(null=True)  # the entry of another root's chain that created this one: a trade is one path

    id: Any

    @property
    def root_id(self) -> str:
        """The id under which this chain is filed."""
        return str(self.id)


class HasUlid:
    """Rows whose key is the ULID behind the prefix of their id."""

    id: Any

    @property
    def ulid(self) -> str:
        return ulid_of(self.id)
