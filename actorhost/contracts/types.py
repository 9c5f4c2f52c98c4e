"""The types of what operations take and give, as values: written, compared, and read off the Python faces.

A module's declaration holds them (:mod:`actorhost.contracts.declaration`), `actorhost check` compares
them. They are WIT's, for what travels as MessagePack: ``list<u8>`` is bin, a record is a map, an enum
its name as text. Added are ``any`` (any bytes at all) and alternatives (``string | s64``), because
actors that speak no contract take such things. Pure values: nobody owns them, nothing ends them.
"""

from __future__ import annotations

import enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

Scalar: TypeAlias = Literal[
    "any", "bool", "string", "list<u8>", "f32", "f64",
    "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64",
]  # fmt: skip
"""A type without parts; ``any`` is whatever the two sides agree on."""

SCALARS: Final[frozenset[str]] = frozenset(get_args(Scalar))
_BITS: Final = {f"{sign}{bits}": (sign, bits) for sign in "us" for bits in (8, 16, 32, 64)}
_PLAIN: Final[dict[Any, Scalar]] = {bool: "bool", str: "string", bytes: "list<u8>", float: "f64", int: "s64"}


class _Compound(Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """Base of the types that have parts."""


class Option(_Compound, frozen=True, tag="option"):
    """A value of `of`, or nil, or a field left out."""

    of: Type


class List(_Compound, frozen=True, tag="list"):
    """Any number of values of `of`."""

    of: Type


class Tuple(_Compound, frozen=True, tag="tuple"):
    """A value of each of `of`, in order."""

    of: tuple[Type, ...]


class Record(_Compound, frozen=True, tag="record"):
    """A map with these fields; others in it are ignored."""

    fields: dict[str, Type]


class Enum(_Compound, frozen=True, tag="enum"):
    """One of these texts."""

    cases: tuple[str, ...]


class Either(_Compound, frozen=True, tag="either"):
    """A value of any of `of`."""

    of: tuple[Type, ...]


Type: TypeAlias = Scalar | Option | List | Tuple | Record | Enum | Either
NOTHING: Final = Record({})
"""What an operation takes that takes no parameters."""


def spelled(shape: Type) -> str:  # noqa: PLR0911 - one for each kind
    """Return `shape` as people write it, records in braces: ``{key: string, delta: option<s64>}``."""
    match shape:
        case Option():
            return f"option<{spelled(shape.of)}>"
        case List():
            return f"list<{spelled(shape.of)}>"
        case Tuple():
            return f"tuple<{', '.join(map(spelled, shape.of))}>"
        case Record():
            return "{" + ", ".join(f"{name}: {spelled(kind)}" for name, kind in shape.fields.items()) + "}"
        case Enum():
            return f"[{', '.join(shape.cases)}]"
        case Either():
            return " | ".join(map(spelled, shape.of))
    return shape


def misfit(given: Type, wanted: Type, where: str = "") -> str:
    """Return why a value of `given` is not always one of `wanted`, or ``""`` if it is.

    `where` names the value in the words returned. What is missing from a record, or nil, is an absent
    option; fields that nobody wants are ignored; a smaller integer fits a larger one; an enum is text.
    """
    if "any" in (given, wanted) or given == wanted:
        return ""
    if isinstance(given, Either):
        return next((why for each in given.of if (why := misfit(each, wanted, where))), "")
    if isinstance(wanted, Either):
        fits = any(not misfit(given, each) for each in wanted.of)
        return "" if fits else _differ(given, wanted, where)
    if isinstance(wanted, Option):
        return misfit(given.of if isinstance(given, Option) else given, wanted.of, where)
    return _misfit_alike(given, wanted, where)


def _misfit_alike(given: Type, wanted: Type, where: str) -> str:  # noqa: PLR0911 - one for each kind
    match given, wanted:
        case Record(), Record():
            return _misfit_record(given, wanted, where)
        case List(), List():
            return misfit(given.of, wanted.of, f"{where}[]")
        case Tuple(), Tuple() if len(given.of) == len(wanted.of):
            pairs = enumerate(zip(given.of, wanted.of, strict=True))
            return next((why for at, (a, b) in pairs if (why := misfit(a, b, f"{where}[{at}]"))), "")
        case Enum(), Enum() if set(given.cases) <= set(wanted.cases):
            return ""
        case Enum(), "string":
            return ""
        case str(), str() if _widens(given, wanted):
            return ""
    return _differ(given, wanted, where)


def _misfit_record(given: Record, wanted: Record, where: str) -> str:
    for name, kind in wanted.fields.items():
        path = f"{where}.{name}" if where else name
        if name in given.fields:
            if why := misfit(given.fields[name], kind, path):
                return why
        elif not isinstance(kind, Option) and kind != "any":
            return f"{path} ({spelled(kind)}) is missing"
    return ""


def _widens(given: str, wanted: str) -> bool:
    """Whether every number of type `given` is one of `wanted`."""
    if (given, wanted) == ("f32", "f64"):
        return True
    if given not in _BITS or wanted not in _BITS:
        return False
    (sign, bits), (wider_sign, wider_bits) = _BITS[given], _BITS[wanted]
    return wider_bits >= bits if sign == wider_sign else sign == "u" and wider_bits > bits


def _differ(given: Type, wanted: Type, where: str) -> str:
    what = f"{where} " if where else ""
    return f"{what}is {_short(spelled(given))}, not {_short(spelled(wanted))}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def type_of(annotation: Any) -> Type:
    """Return the type of a Python face's annotation; ``any`` for what has no name in WIT."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        named = [meta.extra["wit"] for meta in parts[1:] if getattr(meta, "extra", None)]
        return named[0] if named and named[0] in SCALARS else type_of(parts[0])
    if origin in (Union, UnionType):
        wanted = tuple(type_of(part) for part in parts if part is not NoneType)
        either = wanted[0] if len(wanted) == 1 else Either(wanted)
        return Option(either) if NoneType in parts else either
    if origin in (list, tuple):
        return _sequence(origin, parts)
    return _named(annotation)


def _sequence(origin: Any, parts: tuple[Any, ...]) -> Type:
    if origin is list or parts[-1] is Ellipsis:
        return List(type_of(parts[0]))
    return Tuple(tuple(map(type_of, parts)))


def _named(annotation: Any) -> Type:
    if not isinstance(annotation, type):
        return "any"
    if issubclass(annotation, enum.Enum):
        return Enum(tuple(str(case.value) for case in annotation))
    if not issubclass(annotation, Struct):
        return "any"
    hints = get_type_hints(annotation, include_extras=True)
    fields = msgspec.structs.fields(annotation)
    return Record({field.encode_name: type_of(hints[field.name]) for field in fields})
