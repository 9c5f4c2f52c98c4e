"""What a module says about itself: the contracts it needs, and the operations it serves and calls.

A guest's build puts it into the custom section :data:`SECTION` as JSON (``actorhost embed``); it is
for people and for `actorhost check`, and no host asks for it at run time. It is whole: types stand in
it as the guest was built with, not by reference. Pure values, owned by whoever decoded them.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec
from msgspec import Struct

from actorhost.contracts.base import Operation
from actorhost.contracts.types import Type, misfit, type_of
from actorhost.errors import InvalidInput, ModuleRefused
from actorhost.ids import ContractId

SECTION: Final = "actorhost"
"""Name of the custom section that holds a declaration."""
MAX_SECTION: Final = 64 * 1024
"""Largest declaration, in bytes."""

_VERSION: Final = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the parts of a declaration: what a later version adds is not passed over."""


class Signature(_Part, frozen=True):
    """What an operation takes, and what it gives; None is an answer of 0 bytes."""

    params: Type
    result: Type | None = None


class Need(_Part, frozen=True):
    """A contract the module calls, at the version it was built with.

    It calls over the links named `links`; without any it takes what it gets. A need that is `optional`
    may go without a link.
    """

    contract: str
    version: str
    links: tuple[str, ...] = ()
    optional: bool = False


class Declaration(_Part, frozen=True):
    """Everything a module says about itself; `calls` is by the name of a link's actor, then operation.

    `provides` are the contracts that operations it serves were taken from, with the version of each.
    `format` is that of the section: one it does not know is nothing a reader may guess at.
    """

    format: Literal[1] = 1
    needs: tuple[Need, ...] = ()
    serves: dict[str, Signature] = {}
    provides: dict[str, str] = {}
    calls: dict[str, dict[str, Signature]] = {}

    def encode(self) -> bytes:
        """Return the content of the section: the same bytes for the same declaration.

        Raises :class:`InvalidInput` when it is over :data:`MAX_SECTION`.
        """
        data = msgspec.json.encode(self)
        if len(data) > MAX_SECTION:
            raise InvalidInput(
                f"a declaration of {len(data)} bytes is over the limit of {MAX_SECTION}",
                hint="declare fewer or smaller types; any stands for what need not be checked",
            )
        return data

    @classmethod
    def decode(cls, data: bytes) -> Declaration:
        """Return the declaration in the section's content `data`, or raise :class:`ModuleRefused`."""
        try:
            if len(data) > MAX_SECTION:
                raise msgspec.ValidationError(f"{len(data)} bytes are over the limit of {MAX_SECTION}")
            found: Declaration = _DECODER.decode(data)
            named = [(need.contract, need.version) for need in found.needs]
            for contract, version in (*named, *found.provides.items()):
                ContractId.parse(contract)
                parse_version(version)
        except (msgspec.MsgspecError, RecursionError, UnicodeError, InvalidInput) as error:
            raise ModuleRefused(
                f"its section {SECTION!r} is no declaration: {error}",
                hint="write it anew with `actorhost embed`, of the version that checks it",
            ) from None
        return found


_DECODER: Final = msgspec.json.Decoder(Declaration)


def signature_of(operation: Operation) -> Signature:
    """Return the signature of an operation of a contract."""
    result = None if operation.result is None else type_of(operation.result)
    return Signature(type_of(operation.params), result)


def call_misfit(call: Signature, served: Signature) -> str:
    """Return why `call` does not agree with what is `served`, or ``""``; see :func:`misfit`.

    Parameters go from the caller to the one that serves, results come back.
    """
    if why := misfit(call.params, served.params):
        return f"parameter {why}" if not why.startswith("is ") else f"what it is called with {why}"
    if call.result in (served.result, "any"):
        return ""
    if call.result is None or served.result is None:
        some, none = ("caller", "other") if served.result is None else ("other", "caller")
        return f"result: the {some} has one, the {none} has none"
    why = misfit(served.result, call.result)
    return f"result {why}" if why else ""


def parse_version(text: str) -> tuple[int, int, int]:
    """Return the parts of a version such as ``0.1.0``, or raise :class:`InvalidInput`."""
    if (match := _VERSION.fullmatch(text)) is None:
        raise InvalidInput(f"{text[:40]!r} is not a version", hint="write one like 0.1.0")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def compatible(needed: str, provided: str) -> bool:
    """Whether what was built with version `needed` may use `provided`, by semantic versioning.

    The same major version, or for 0.x the same minor one, and not an older one.
    """
    wanted, found = parse_version(needed), parse_version(provided)
    same = wanted[:1] == found[:1] if wanted[0] else wanted[:2] == found[:2]
    return same and found >= wanted
