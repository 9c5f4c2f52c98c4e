"""Kinds of single values: text, names, choices; quantities are next door.

A kind reads one value and describes itself as JSON schema, so the two cannot drift. Kinds are
constants of the grammar, without state: they live as long as the process.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from actorhost.errors import InvalidName
from actorhost.manifest.cursor import Cursor, describe
from actorhost.manifest.nodes import Broken, Node, Scalar
from actorhost.manifest.wording import shown, suggestion

T_co = TypeVar("T_co", covariant=True)
Chosen = TypeVar("Chosen", bound=StrEnum)
Name = TypeVar("Name", bound="Parsed")
Schema = dict[str, Any]

_LINE_CHARACTERS: Final = {ord(char): None for char in "\t\r\n"}


class Kind(ABC, Generic[T_co]):
    """What a value may be."""

    @abstractmethod
    def read(self, cursor: Cursor) -> T_co | None:
        """Return the value, or None after recording why it is none."""

    @abstractmethod
    def schema(self) -> Schema:
        """Return the JSON schema (draft 2020-12) of the values that :meth:`read` takes."""


class Unfit(Exception):
    """A value that its kind does not take; `hint` says what it would take."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Single(Kind[T_co]):
    """A kind of single value; subclasses turn a node into the value or raise :class:`Unfit`."""

    @abstractmethod
    def value(self, node: Node) -> T_co:
        """Return the value of `node`."""

    def read(self, cursor: Cursor) -> T_co | None:
        """Return the value, or None after recording why it is none."""
        if isinstance(cursor.node, Broken):
            return None
        try:
            return self.value(cursor.node)
        except Unfit as error:
            cursor.refuse(error.message, error.hint)
            return None


class Parsed(Protocol):
    """A type of names as in :mod:`actorhost.ids`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return `text` as this type, or raise InvalidName."""

    @classmethod
    def pattern(cls) -> str:
        """Return the regular expression that the whole text matches."""


class Text(Single[str]):
    """Text of 1 to `most` printable characters."""

    def __init__(self, most: int) -> None:
        self._most = most

    def value(self, node: Node) -> str:
        """Return the text."""
        if not (text := text_of(node)):
            raise Unfit("the text is empty", "give it a value")
        if len(text) > self._most:
            raise Unfit(f"the text has {len(text)} characters", f"use at most {self._most}")
        if not text.isprintable():
            raise Unfit(f"{shown(text)} holds characters that cannot be printed", "delete them")
        return text

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "string", "minLength": 1, "maxLength": self._most}


class Prose(Single[str]):
    """Text of at most `most` characters; may be empty or have several lines."""

    def __init__(self, most: int) -> None:
        self._most = most

    def value(self, node: Node) -> str:
        """Return the text."""
        text = text_of(node)
        if len(text) > self._most:
            raise Unfit(f"the text has {len(text)} characters", f"use at most {self._most}")
        if not text.translate(_LINE_CHARACTERS).isprintable():
            raise Unfit("the text holds characters that cannot be printed", "delete them")
        return text

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "string", "maxLength": self._most}


class Matching(Single[str]):
    """Text of the form `pattern`, which is `what`; `rule` says the form in words."""

    def __init__(self, pattern: str, what: str, rule: str) -> None:
        self._pattern = re.compile(pattern)
        self._what = what
        self._rule = rule

    def value(self, node: Node) -> str:
        """Return the text."""
        text = text_of(node)
        if self._pattern.fullmatch(text) is None:
            raise Unfit(f"{shown(text)} is not {self._what}", f"use {self._rule}")
        return text

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "string", "pattern": whole_text(self._pattern.pattern)}


class Constant(Single[str]):
    """Exactly the text `only`."""

    def __init__(self, only: str) -> None:
        self._only = only

    def value(self, node: Node) -> str:
        """Return the text."""
        if (text := text_of(node)) != self._only:
            raise Unfit(f"{shown(text)} is not supported", f"write {self._only}")
        return text

    def schema(self) -> Schema:
        """Describe the value."""
        return {"const": self._only}


class Flag(Single[bool]):
    """``true`` or ``false``."""

    def value(self, node: Node) -> bool:
        """Return the value."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        raise Unfit(f"expected true or false, found {describe(node)}", "write true or false, without quotes")

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "boolean"}


class Named(Single[Name]):
    """Text that passes the rule of one of the types in :mod:`actorhost.ids`; `what` words a refusal."""

    def __init__(self, name: type[Name], what: str) -> None:
        self._name = name
        self._what = what

    def value(self, node: Node) -> Name:
        """Return the name."""
        text = text_of(node)
        try:
            return self._name.parse(text)
        except InvalidName as error:
            raise Unfit(f"{shown(text)} is not {self._what}", error.hint) from None

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "string", "pattern": whole_text(self._name.pattern())}


class Choice(Single[Chosen]):
    """One of the values of an enumeration; `meant` are words that people take for one of them."""

    def __init__(self, choices: type[Chosen], meant: Mapping[str, Chosen] = MappingProxyType({})) -> None:
        self._choices = {choice.value: choice for choice in choices}
        self._meant = meant

    def value(self, node: Node) -> Chosen:
        """Return the choice."""
        text = text_of(node)
        if text not in self._choices:
            guess = self._meant.get(text.lower())
            hint = f"did you mean {guess.value}?" if guess else suggestion(text, self._choices, "choices")
            raise Unfit(f"{shown(text)} is no choice here", hint)
        return self._choices[text]

    def schema(self) -> Schema:
        """Describe the value."""
        return {"enum": list(self._choices)}


def text_of(node: Node) -> str:
    """Return the text of `node`, or raise :class:`Unfit` saying what it is instead."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, str):
        return value
    if isinstance(node, Scalar) and value is not None:
        raise Unfit(f"expected text, found {describe(node)}", f'write it in quotes: "{node.text[:40]}"')
    raise Unfit(f"expected text, found {describe(node)}", "give it a text")


def whole_text(pattern: str) -> str:
    """Return `pattern` so that it matches only a text as a whole, as JSON schema needs it."""
    return f"^(?:{pattern})$"
