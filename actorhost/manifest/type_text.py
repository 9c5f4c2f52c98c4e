"""Types as a declaration's author writes them: WIT's words, maps for records, lists for enums.

A text is ``string``, ``option<list<u64>>``, ``string | s64`` or the name of a type of the same file; a
map is a record, a list of words an enum. One :class:`Types` belongs to one reading and ends with it.
Any file ends in types or findings: names are followed once, and what they add up to is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from typing import Final

from actorhost.contracts.types import SCALARS, Either, Enum, List, Option, Record, Tuple, Type
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.kinds import Unfit, text_of
from actorhost.manifest.nodes import Broken, Mapping, Sequence
from actorhost.manifest.wording import listed, shown, suggestion

MAX_PARTS: Final = 4000
"""Most parts that the types of one declaration may have together, with names written out."""

_TOKEN: Final = re.compile(r"\s*([a-z][a-z0-9_-]*|[<>,|])")
_GENERIC: Final = ("list", "option", "tuple")


class Types:
    """The types of one declaration; `named` are those under its key ``types``, not read yet."""

    def __init__(self, named: AnyMapping[str, Cursor]) -> None:
        self._named = named
        self._read: dict[str, Type] = {}
        self._parts: dict[str, int] = {}
        self._open: list[str] = []
        self._count = 0

    def read(self, cursor: Cursor) -> Type:
        """Return the type at `cursor`, or ``any`` after recording why it is none."""
        self._count += 1
        try:
            return self._of(cursor)
        except Unfit as error:
            cursor.refuse(error.message, error.hint)
            return "any"

    def read_named(self) -> None:
        """Read every named type, so that what is wrong in an unused one is found, too."""
        for name, cursor in self._named.items():
            if name in (*SCALARS, *_GENERIC):
                cursor.refuse_key(f"{name} is a type already", "give it another name")
            elif name not in self._read:
                self._follow_from(cursor, name)

    def _follow_from(self, cursor: Cursor, name: str) -> None:
        try:
            self._follow(name)
        except Unfit as error:
            cursor.refuse(error.message, error.hint)

    def _of(self, cursor: Cursor) -> Type:
        match cursor.node:
            case Broken():
                return "any"
            case Mapping(entries=entries):
                children = {
                    key: cursor.child(key, entry.node, entry.key_at) for key, entry in entries.items()
                }
                return Record({key: self.read(child) for key, child in children.items()})
            case Sequence(items=items):
                return Enum(tuple(text_of(item) for item in items))
        return self._expression(text_of(cursor.node))

    def _expression(self, text: str) -> Type:
        tokens = _tokens(text)
        found = self._alternatives(tokens, text)
        if tokens:
            raise Unfit(f"{shown(text)} goes on after the type", "write one type, such as option<string>")
        return found

    def _alternatives(self, tokens: list[str], text: str) -> Type:
        found = [self._single(tokens, text)]
        while tokens[:1] == ["|"]:
            del tokens[0]
            found.append(self._single(tokens, text))
        return found[0] if len(found) == 1 else Either(tuple(found))

    def _single(self, tokens: list[str], text: str) -> Type:
        self._count += 1
        word = tokens.pop(0) if tokens else ""
        if not word.isidentifier() and not word.replace("-", "_").isidentifier():
            raise Unfit(f"a type is missing in {shown(text)}", "write a type, such as option<string>")
        if word in _GENERIC:
            return self._generic(word, tokens, text)
        return word if word in SCALARS else self._follow(word)  # type: ignore[return-value]

    def _generic(self, word: str, tokens: list[str], text: str) -> Type:
        parts: list[Type] = []
        for mark in ("<", ","):
            while tokens[:1] == [mark]:
                del tokens[0]
                parts.append(self._alternatives(tokens, text))
                if mark == "<":
                    break
        if not parts or tokens[:1] != [">"] or (word != "tuple" and len(parts) != 1):
            raise Unfit(f"{shown(text)} is no whole type", f"write {word}<TYPE>; a tuple may have several")
        del tokens[0]
        if word == "tuple":
            return Tuple(tuple(parts))
        if word == "option":
            return Option(parts[0])
        return "list<u8>" if parts[0] == "u8" else List(parts[0])

    def _follow(self, name: str) -> Type:
        """Return the type of that name, read when it is first met."""
        if name not in self._named:
            words = {*self._named, *SCALARS, *_GENERIC}
            raise Unfit(f"there is no type {shown(name)}", suggestion(name, words, "types"))
        if name in self._open:
            raise Unfit(f"the type {name} holds itself", "a type cannot; use any for the inner one")
        if name not in self._read:
            before = self._count
            self._open.append(name)
            self._read[name] = self.read(self._named[name])
            self._open.pop()
            self._parts[name] = self._count - before
        else:
            self._count += self._parts[name]
        if self._count > MAX_PARTS:
            raise Unfit(f"the types have more than {MAX_PARTS} parts", "use any for what need not be checked")
        return self._read[name]


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        if (match := _TOKEN.match(text, at)) is None:
            known = listed(("string", "bool", "s64", "f64", "list<u8>", "option<...>", "any"))
            raise Unfit(f"{shown(text)} is no type", f"types are those of WIT, such as {known}")
        tokens.append(match[1])
        at = match.end()
    return tokens
