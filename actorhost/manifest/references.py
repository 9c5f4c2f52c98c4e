"""References in configuration: texts that stand for a secret kept elsewhere, and how they are written.

``env:NAME`` is the value of an environment variable of the host, ``file:PATH`` the content of a file
there, and ``literal:TEXT`` the rest of the text as it is. Pure: what a reference stands for is looked
up by the host when the application starts, never here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from actorhost.errors import InvalidInput
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.nodes import Mapping as MappingNode
from actorhost.manifest.nodes import Scalar, Sequence
from actorhost.manifest.wording import step

_LITERAL: Final = "literal:"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LONGEST_PATH: Final = 4096


class Source(StrEnum):
    """Where a value is kept."""

    ENVIRONMENT = "env"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of environment variable `name`, or the content of the file whose path `name` is."""

    source: Source
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


def parse(text: str) -> Reference | str:
    """Return the reference that `text` is, or the text it means.

    Raises :class:`InvalidInput`, which does not repeat the text, for a reference that cannot be one.
    """
    source, colon, rest = text.partition(":")
    if colon and source == Source.ENVIRONMENT:
        return _environment(rest)
    if colon and source == Source.FILE:
        return _file(rest)
    return text.removeprefix(_LITERAL)


def check_references(cursor: Cursor) -> None:
    """Record every text in the value at `cursor` that looks like a reference and is none."""
    node = cursor.node
    if isinstance(node, MappingNode):
        for key, entry in node.entries.items():
            check_references(cursor.child(key, entry.node, entry.key_at))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            check_references(cursor.item(index, item))
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        try:
            parse(node.value)
        except InvalidInput as error:
            cursor.refuse(error.message, error.hint)


def replace_texts(value: object, path: str, replace: Callable[[str, str], str]) -> object:
    """Return `value` with each text in it, at any depth, as `replace` returns it; keys stay.

    `replace` is given a text and its key path, which starts with `path`. What holds no text that
    changes is returned as it is, not copied.
    """
    if isinstance(value, str):
        return replace(value, path)
    if isinstance(value, Mapping):
        items = {key: replace_texts(each, f"{path}.{step(str(key))}", replace) for key, each in value.items()}
        return items if any(items[key] is not value[key] for key in items) else value
    if isinstance(value, list | tuple):
        texts = [replace_texts(each, f"{path}[{index}]", replace) for index, each in enumerate(value)]
        changed = any(new is not old for new, old in zip(texts, value, strict=True))
        return texts if changed else value
    return value


def holds_references(config: Mapping[str, object]) -> bool:
    """Whether any text in `config` is a reference, so that its value is known on the host only."""
    found: list[bool] = []

    def look(text: str, _path: str) -> str:
        found.append(not isinstance(parse(text), str))
        return text

    replace_texts(config, "config", look)
    return any(found)


def _environment(name: str) -> Reference:
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            "the text after env: is not the name of an environment variable",
            hint="use letters, digits and '_', not starting with a digit; write literal:env:... if it is"
            " no reference",
        )
    return Reference(Source.ENVIRONMENT, name)


def _file(path: str) -> Reference:
    # Two slashes are how a URL starts, which some databases take as their address.
    wrong = not path.startswith("/") or path.startswith("//") or len(path) > _LONGEST_PATH
    if wrong or not path.isprintable():
        raise InvalidInput(
            "the text after file: is not an absolute path",
            hint="use one like file:/run/secrets/NAME; write literal:file:... if it is no reference",
        )
    return Reference(Source.FILE, path)
