"""Names and identities: text that has passed its rule.

Each class is a ``str``; its ``parse`` is the only gate and raises :class:`InvalidName` with the
rule that was broken. Code that holds one of these types need not check again.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from typing import ClassVar, Final, Self

from actorhost.errors import InvalidName

MAX_OPERATION_BYTES: Final = 255
"""Longest operation name, in UTF-8 bytes; percent-encoded it still fits a NATS subject."""


def _shown(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= 80 else shown[:77] + "..."


class _Name(str):
    """Text that matches ``_pattern``; ``_kind`` and ``_rule`` word the refusal."""

    __slots__ = ()
    _kind: ClassVar[str]
    _rule: ClassVar[str]
    _pattern: ClassVar[re.Pattern[str]]

    @classmethod
    def parse(cls, text: object) -> Self:
        """Return `text` as this type, or raise :class:`InvalidName` saying which rule it breaks."""
        if not isinstance(text, str) or cls._pattern.fullmatch(text) is None:
            raise InvalidName(f"{_shown(text)} is not {cls._kind}", hint=f"use {cls._rule}")
        return cls(text)

    @classmethod
    def pattern(cls) -> str:
        """Return the regular expression that the whole text matches, for schemas."""
        return cls._pattern.pattern


class ActorName(_Name):
    """Name of an actor, unique in its lattice: one subject token."""

    __slots__ = ()
    _kind = "an actor name"
    _rule = "1 to 63 lower-case letters, digits, '-' or '_', starting with a letter or digit"
    _pattern = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class LatticeName(_Name):
    """Name of a lattice: one subject token."""

    __slots__ = ()
    _kind = "a lattice name"
    _rule = ActorName._rule  # noqa: SLF001 - the same rule, in one place
    _pattern = ActorName._pattern  # noqa: SLF001


class LinkName(_Name):
    """Name of a link of one actor to one contract; ``default`` when a guest gives none."""

    __slots__ = ()
    _kind = "a link name"
    _rule = ActorName._rule  # noqa: SLF001
    _pattern = ActorName._pattern  # noqa: SLF001


class HostId(_Name):
    """Identity of one host process, new at every start: one subject token."""

    __slots__ = ()
    _kind = "a host id"
    _rule = "16 hexadecimal digits"
    _pattern = re.compile(r"[0-9a-f]{16}")

    @classmethod
    def new(cls) -> Self:
        """Return a random identity."""
        return cls(os.urandom(8).hex())


class ContractId(_Name):
    """Identity of a contract, ``namespace:name``, for example ``actorhost:keyvalue``."""

    __slots__ = ()
    _kind = "a contract id"
    _rule = "NAMESPACE:NAME, both lower-case letters, digits, '-' or '_' (more ':' parts allowed)"
    _pattern = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}(:[a-z0-9][a-z0-9_-]{0,62}){1,3}")


class Digest(_Name):
    """Identity of a module: the sha256 of its bytes in lower-case hexadecimal."""

    __slots__ = ()
    _kind = "a digest"
    _rule = "the 64 hexadecimal digits of a sha256"
    _pattern = re.compile(r"[0-9a-f]{64}")

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Return the digest of `data`."""
        return cls(hashlib.sha256(data).hexdigest())


class OperationName(str):
    """Name of an operation: any text without control characters, at most 255 UTF-8 bytes."""

    __slots__ = ()

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: object) -> Self:
        """Return `text` as an operation name, or raise :class:`InvalidName`; remembers recent ones."""
        size = len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0
        if not 0 < size <= MAX_OPERATION_BYTES or not str(text).isprintable():
            raise InvalidName(
                f"{_shown(text)} is not an operation name",
                hint=f"use 1 to {MAX_OPERATION_BYTES} bytes of printable text",
            )
        return cls(text)


def new_call_id() -> str:
    """Return a random identity of one call, 16 hexadecimal digits."""
    return os.urandom(8).hex()
