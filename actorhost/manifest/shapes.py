"""Shapes of compound values: lists, maps, records with known keys, and free configuration.

Shapes are kinds too: they read a value with everything in it, and describe themselves as JSON
schema. They are constants of the grammar, without state; the records they return belong to one
reading.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from actorhost.errors import InternalError
from actorhost.manifest.cursor import Cursor, describe
from actorhost.manifest.kinds import Kind, Schema, Single, Unfit
from actorhost.manifest.nodes import Broken, Mapping, Node, Scalar, Sequence
from actorhost.manifest.references import check_references
from actorhost.manifest.wording import listed, nearest, shown, suggestion

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field(Generic[T_co]):
    """One known key of a record; `default` stands in when the key is left out."""

    key: str
    kind: Kind[T_co]
    about: str
    required: bool = False
    default: T_co | None = None


class Record:
    """A map that was read by its shape: the values of its known keys, and where they stand."""

    def __init__(self, shape: Object, cursor: Cursor) -> None:
        self.shape = shape
        self.cursor = cursor
        self._values: dict[str, object] = {}
        self._cursors: dict[str, Cursor] = {}
        self._broken: set[str] = set()

    def read(self, field: Field[T], cursor: Cursor) -> None:
        """Read the value of `field` at `cursor` and remember whether it has findings."""
        before = cursor.findings.count
        value = field.kind.read(cursor)
        self._cursors[field.key] = cursor
        if value is not None:
            self._values[field.key] = value
        if value is None or cursor.findings.count != before:
            self._broken.add(field.key)

    def find(self, field: Field[T]) -> T | None:
        """Return the value of `field`, its default, or None."""
        return cast("T | None", self._values.get(field.key, field.default))

    def need(self, field: Field[T]) -> T:
        """Return the value of `field`, which a record without findings has."""
        if (value := self.find(field)) is None:
            raise InternalError(f"manifest key {field.key} was used without a value")
        return value

    def place(self, field: Field[T]) -> Cursor:
        """Return where the value of `field` stands, or the record itself if it was left out."""
        return self._cursors.get(field.key, self.cursor)

    def sound(self, field: Field[T]) -> bool:
        """Whether nothing was found wrong in `field`; a key left out is sound."""
        return field.key not in self._broken


class Object(Kind[Record]):
    """A map with the known keys `fields` and no others."""

    def __init__(self, about: str, *fields: Field[Any]) -> None:
        self._about = about
        self._fields = {field.key: field for field in fields}

    def read(self, cursor: Cursor) -> Record | None:
        """Return the record with every value that could be read; see :meth:`Kind.read`."""
        if not isinstance(cursor.node, Mapping):
            cursor.expect("a map", f"known keys are {listed(self._fields)}")
            return None
        record = Record(self, cursor)
        met = set(cursor.node.entries)
        for key, entry in cursor.node.entries.items():
            inner = cursor.child(key, entry.node, entry.key_at)
            if (field := self._fields.get(key)) is not None:
                record.read(field, inner)
            else:
                met.add(self._refuse_unknown(inner, key))
        for key, field in self._fields.items():
            if field.required and key not in met:
                cursor.refuse_key(f"the key {key} is missing", f"add {key}: {field.about}")
        return record

    def _refuse_unknown(self, cursor: Cursor, key: str) -> str:
        """Refuse a key and return the known one it was probably meant to be, which is then not missing."""
        guess = "" if cursor.findings.full else nearest(key, self._fields)
        hint = f"did you mean {guess}?" if guess else f"known keys are {listed(self._fields)}"
        cursor.refuse_key("unknown key", hint)
        return guess

    def schema(self) -> Schema:
        """Describe the record; see :meth:`Kind.schema`."""
        return {
            "type": "object",
            "description": self._about,
            "properties": {key: _described(field) for key, field in self._fields.items()},
            "required": [key for key, field in self._fields.items() if field.required],
            "additionalProperties": False,
        }


class Variants(Kind[Record]):
    """A map whose key ``type`` chooses its shape; the types in `later` come in later versions."""

    def __init__(self, what: str, shapes: AnyMapping[str, Object], later: tuple[str, ...]) -> None:
        self._what = what
        self._shapes = shapes
        self._later = later

    def read(self, cursor: Cursor) -> Record | None:
        """Return the record of the shape that ``type`` names; see :meth:`Kind.read`."""
        if not isinstance(cursor.node, Mapping):
            cursor.expect(f"a map that describes a {self._what}", self._choices())
            return None
        if (entry := cursor.node.entries.get("type")) is None:
            cursor.refuse_key("the key type is missing", self._choices())
            return None
        value = entry.node.value if isinstance(entry.node, Scalar) else None
        if isinstance(value, str) and value in self._shapes:
            return self._shapes[value].read(cursor)
        self._refuse(cursor.child("type", entry.node, entry.key_at), value)
        return None

    def _refuse(self, cursor: Cursor, value: object) -> None:
        if not isinstance(value, str):
            cursor.expect(f"the type of a {self._what}", self._choices())
        elif value in self._later:
            cursor.refuse(f"{self._what} type {value} is not supported by this version", self._choices())
        else:
            hint = suggestion(value, self._shapes, f"{self._what} types")
            cursor.refuse(f"{shown(value)} is no {self._what} type", hint)

    def _choices(self) -> str:
        return f"{self._what} types are {listed(self._shapes)}"

    def schema(self) -> Schema:
        """Describe the shapes; see :meth:`Kind.schema`."""
        return {"oneOf": [shape.schema() for shape in self._shapes.values()]}


class ListOf(Kind[tuple[T, ...]]):
    """A list of `low` to `high` values of one kind; those that are wrong are left out."""

    def __init__(self, kind: Kind[T], low: int, high: int) -> None:
        self._kind = kind
        self._low = low
        self._high = high

    def read(self, cursor: Cursor) -> tuple[T, ...] | None:
        """Return the values that could be read; see :meth:`Kind.read`."""
        if not isinstance(cursor.node, Sequence):
            cursor.expect("a list", "write one item a line, each after '- '")
            return None
        if not self._low <= (count := len(cursor.node.items)) <= self._high:
            cursor.refuse_key(f"the list has {count} items", f"use {self._low} to {self._high}")
        read = (self._kind.read(cursor.item(index, node)) for index, node in enumerate(cursor.node.items))
        return tuple(value for value in read if value is not None)

    def schema(self) -> Schema:
        """Describe the list; see :meth:`Kind.schema`."""
        return {"type": "array", "items": self._kind.schema(), "minItems": self._low, "maxItems": self._high}


class MapOf(Kind[dict[str, T]]):
    """A map from free keys of kind `key` to values of kind `kind`."""

    def __init__(self, key: Single[str], kind: Kind[T]) -> None:
        self._key = key
        self._kind = kind

    def read(self, cursor: Cursor) -> dict[str, T] | None:
        """Return the entries that could be read; see :meth:`Kind.read`."""
        if not isinstance(cursor.node, Mapping):
            cursor.expect("a map", "write key: value lines")
            return None
        result: dict[str, T] = {}
        for key, entry in cursor.node.entries.items():
            inner = cursor.child(key, entry.node, entry.key_at)
            named = self._key.read(cursor.child(key, Scalar(entry.key_at, key, key), entry.key_at))
            value = self._kind.read(inner)
            if named is not None and value is not None:
                result[key] = value
        return result

    def schema(self) -> Schema:
        """Describe the map; see :meth:`Kind.schema`."""
        names, values = self._key.schema(), self._kind.schema()
        return {"type": "object", "propertyNames": names, "additionalProperties": values}


class Configuration(Single[dict[str, object]]):
    """A map of anything JSON can hold; its reader is whoever is configured by it.

    Texts in it may be references to secrets: see :mod:`actorhost.manifest.references`.
    """

    def read(self, cursor: Cursor) -> dict[str, object] | None:
        """Return the map, or what can be read of it; see :meth:`Kind.read`."""
        check_references(cursor)
        return super().read(cursor)

    def value(self, node: Node) -> dict[str, object]:
        """Return the map."""
        if not isinstance(node, Mapping):
            raise Unfit(f"expected a map, found {describe(node)}", "write key: value lines, or {}")
        return {key: _plain(entry.node) for key, entry in node.entries.items()}

    def schema(self) -> Schema:
        """Describe the map; see :meth:`Kind.schema`."""
        return {"type": "object"}


def _plain(node: Node) -> object:
    match node:
        case Mapping():
            return {key: _plain(entry.node) for key, entry in node.entries.items()}
        case Sequence():
            return [_plain(item) for item in node.items]
        case Scalar():
            return node.value
        case Broken():
            return None  # has its finding: the manifest is refused, this value is never used


def _described(field: Field[Any]) -> Schema:
    schema = {"description": field.about} | field.kind.schema()
    return schema if field.default is None else schema | {"default": field.default}
