"""YAML text to located values: scalars, lists and maps that know their line and column.

The YAML accepted is one document without anchors, aliases, tags, duplicate keys or keys that are
not text; plain scalars follow the YAML 1.2 core schema, numbers in JSON's form only, so ``yes``
and ``012`` are text. Events are read one at a time and bounded in depth and count, and no Python
object is ever constructed from a tag: a hostile file costs no more than a large honest one.
Values belong to the caller; the parser ends with :func:`compose`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Protocol

import yaml

from actorhost.manifest.findings import START, Findings, Position, position_of
from actorhost.manifest.wording import shown, step

MAX_DEPTH: Final = 32
MAX_NODES: Final = 100_000

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNREADABLE: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_LONGEST_INTEGER: Final = len(str(-(1 << 63)))
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number, a boolean or nothing; `text` is how it was written."""

    at: Position
    value: str | float | bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values."""

    at: Position
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a map: where the key stands, and its value."""

    key_at: Position
    node: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map from text to values, in the order of the file."""

    at: Position
    entries: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that already has its finding; whoever reads it stays silent."""

    at: Position


Node = Scalar | Sequence | Mapping | Broken


_SYNTAX: Final = "look for a missing quote, bracket or colon, or wrong indentation, here or just above"


class _Mark(Protocol):
    """A place as PyYAML counts it, from 0; both of its parsers have their own class."""

    line: int
    column: int


_Marked = yaml.SequenceStartEvent | yaml.MappingStartEvent | yaml.ScalarEvent


class _Unreadable(Exception):
    """Nothing after this place can be read."""


def compose(text: str, findings: Findings) -> Node | None:
    """Return the one document in `text`, or None when it cannot be read at all.

    Everything wrong is added to `findings`; parts that are wrong but do not hide the rest
    become :class:`Broken`.
    """
    if (bad := _UNREADABLE.search(text)) is not None:
        hint = 'save the file as text; in double quotes a character may be written as "\\u0007"'
        findings.add(position_of(text, bad.start()), "", f"the character {bad[0]!a} is not allowed", hint)
        return None
    composer = _Composer(text, findings)
    try:
        return composer.document()
    except _Unreadable:
        return None
    finally:
        composer.close()


class _Composer:
    """Turns the event stream of one text into nodes; closed by :func:`compose`."""

    def __init__(self, text: str, findings: Findings) -> None:
        self._loader = _LOADER(text)
        self._findings = findings
        self._count = 0
        self._last = START

    def close(self) -> None:
        self._loader.dispose()

    def document(self) -> Node | None:
        self._event()
        if isinstance(event := self._event(), yaml.StreamEndEvent):
            self._findings.add(START, "", f"the {self._findings.whole} is empty", self._findings.start)
            return None
        node = self._node(self._event(), "", 0)
        self._event()
        if not isinstance(event := self._event(), yaml.StreamEndEvent):
            hint = f"keep one {self._findings.whole} in one file; delete the line '---' and what follows"
            self._findings.add(_start(event), "", "a second document starts here", hint)
        return node

    def _event(self) -> yaml.Event:
        try:
            event: yaml.Event = self._loader.get_event()
        except yaml.MarkedYAMLError as error:
            at = _position(error.problem_mark) or self._last
            begun = _position(error.context_mark)
            place = f" {error.context} that begins on line {begun.line}" if error.context and begun else ""
            raise self._stop(at, "", f"not YAML: {error.problem}{place}", _SYNTAX) from None
        except (yaml.YAMLError, ValueError, OverflowError):
            # PyYAML lets these out for escapes and version numbers beyond what Python can hold.
            raise self._stop(self._last, "", "not YAML from here on", _SYNTAX) from None
        self._last = _position(event.end_mark) or self._last
        return event

    def _stop(self, at: Position, path: str, message: str, hint: str) -> _Unreadable:
        self._findings.add(at, path, message, hint)
        return _Unreadable()

    def _node(self, event: yaml.Event, path: str, depth: int) -> Node:
        at = _start(event)
        self._count += 1
        if depth > MAX_DEPTH:
            raise self._stop(at, path, f"nested more than {MAX_DEPTH} levels deep", "flatten the value")
        if self._count > MAX_NODES:
            raise self._stop(at, path, f"more than {MAX_NODES} values", "split the application")
        node: Node
        match event:
            case yaml.SequenceStartEvent():
                node = self._sequence(at, path, depth)
            case yaml.MappingStartEvent():
                node = self._mapping(at, path, depth)
            case yaml.ScalarEvent():
                node = self._scalar(event, at, path)
            case _:
                self._findings.add(at, path, "aliases are not supported", "write the value out")
                return Broken(at)
        return self._unmarked(event, node, path)

    def _unmarked(self, event: _Marked, node: Node, path: str) -> Node:
        if event.anchor is not None:
            self._findings.add(node.at, path, "anchors are not supported", f"delete &{event.anchor[:60]}")
        if event.tag is None:
            return node
        self._findings.add(node.at, path, "tags are not supported", f"delete the tag {shown(event.tag)}")
        return Broken(node.at)

    def _sequence(self, at: Position, path: str, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := self._event(), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
        return Sequence(at, tuple(items))

    def _mapping(self, at: Position, path: str, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        while not isinstance(event := self._event(), yaml.MappingEndEvent):
            key_at = _start(event)
            key = self._key(event, path, depth)
            inner = f"{path}.{step(key)}".lstrip(".") if key is not None else path
            node = self._node(self._event(), inner, depth + 1)
            if key is None:
                continue
            if key in entries:
                hint = f"delete one of them; the first is on line {entries[key].key_at.line}"
                self._findings.add(key_at, inner, "the key is given twice", hint)
            else:
                entries[key] = Entry(key_at, node)
        return Mapping(at, entries)

    def _key(self, event: yaml.Event, path: str, depth: int) -> str | None:
        before = self._findings.count
        node = self._node(event, path, depth + 1)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        if self._findings.count == before:
            written = f': "{node.text}"' if isinstance(node, Scalar) and node.text else ""
            self._findings.add(node.at, path, "a key must be text", f"write it in quotes{written}")
        return None

    def _scalar(self, event: yaml.ScalarEvent, at: Position, path: str) -> Scalar | Broken:
        text: str = event.value
        if (bad := re.search("[\0\ud800-\udfff]", text)) is not None:
            self._findings.add(at, path, f"the character {bad[0]!a} is not allowed", "delete it")
            return Broken(at)
        if event.style:
            return Scalar(at, text, text)
        if (value := _plain(text)) == math.inf or value == -math.inf:
            hint = "write a smaller one, or put it in quotes if it is text"
            self._findings.add(at, path, f"the number {shown(text)} is too large", hint)
            return Broken(at)
        return Scalar(at, value, text)


def _position(mark: _Mark | None) -> Position | None:
    return None if mark is None else Position(mark.line + 1, mark.column + 1)


def _start(event: yaml.Event) -> Position:
    return _position(event.start_mark) or START


def _plain(text: str) -> str | float | bool | None:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NUMBER.fullmatch(text) is None:
        return text
    if _INTEGER.fullmatch(text) is None:
        return float(text)
    # An integer of more than 64 bits has no exact form on the wire; infinity stands for "too large".
    return int(text) if len(text) <= _LONGEST_INTEGER and -(1 << 63) <= int(text) < 1 << 63 else math.inf
