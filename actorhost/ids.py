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

MAX_SUBJECT: Final = 255
"""Longest subject pattern, in UTF-8 bytes: a server reads no longer line than 4 KiB."""

_RESERVED: Final = ("ah", "_INBOX")
"""First tokens of subjects that the runtime uses, and of those that answers come to."""
_SUBJECT: Final = re.compile(r"(?:(?:\*|[^\s.*>]+)\.)*(?:\*|>|[^\s.*>]+)")

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


class ProviderName(ActorName):
    """Name of a provider among the components of an application, as strict as an actor's."""

    __slots__ = ()
    _kind = "a provider name"


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


class SubjectPattern(str):
    """NATS subjects to take messages from: tokens joined by dots, ``*`` for any one, a last ``>`` for more.

    The first token is plain text, and none that the runtime or the server use for themselves: a
    pattern that began with a wildcard would also take their messages.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Return `text` as a pattern, or raise :class:`InvalidName` saying which rule it breaks."""
        if (
            not isinstance(text, str)
            or not text.isprintable()
            or len(text.encode("utf-8")) > MAX_SUBJECT
            or _SUBJECT.fullmatch(text) is None
        ):
            hint = f"use at most {MAX_SUBJECT} bytes: tokens without blanks, joined by dots, such as"
            raise InvalidName(f"{_shown(text)} is not a subject to take from", hint=f"{hint} sensors.*.temp")
        first = text.partition(".")[0]
        if first in ("*", ">"):
            raise InvalidName(
                f"{_shown(text)} would also take messages that the runtime sends to itself",
                hint="begin with a token that is no wildcard",
            )
        if first in _RESERVED or first.startswith("$"):
            raise InvalidName(
                f"{_shown(text)} is in a part that belongs to the runtime or to NATS",
                hint=f"begin with another token than {', '.join(_RESERVED)} or one with a '$'",
            )
        return cls(text)

    @classmethod
    def pattern(cls) -> str:
        """Return the regular expression that the whole text matches, for schemas."""
        return rf"(?!(?:{'|'.join(_RESERVED)})(?:\.|$))[^$\s.*>][^\s.*>]*(?:\.(?:\*|[^\s.*>]+))*(?:\.>)?"


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

    @classmethod
    def pattern(cls) -> str:
        """Return a regular expression that every operation name matches, for schemas."""
        return rf"[^\x00-\x1f\x7f]{{1,{MAX_OPERATION_BYTES}}}"


def new_call_id() -> str:
    """Return a random identity of one call, 16 hexadecimal digits."""
    return os.urandom(8).hex()
