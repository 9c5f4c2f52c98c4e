"""Which PostgreSQL types travel as what: asyncpg's own forms for kinds of the contract, else text.

Owned by each connection, which learns it when it is made. Types without a kind in the contract are
exchanged as PostgreSQL's text for them; arrays and composites are neither and are refused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from actorhost.errors import BadRequest

TEXT_TYPES: Final = (
    "numeric", "uuid", "json", "jsonb", "date", "time", "timetz", "timestamp", "interval", "money", "inet",
    "cidr", "macaddr", "macaddr8", "bit", "varbit", "xml",
)  # fmt: skip
_TEXTS: Final = frozenset([*TEXT_TYPES, "text", "varchar", "bpchar", "name"])
_WHOLE: Final = frozenset(["int2", "int4", "int8", "oid"])
_REAL: Final = frozenset(["float4", "float8"])
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class DistantMoment:
    """Stands for a moment beyond the years 1 to 9999, infinity included: no value of the contract."""


async def prepare(connection: Any) -> None:
    """Teach `connection`, an asyncpg one, the types that travel in a way of ours."""
    for name in TEXT_TYPES:
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_as_text, decoder=str, format="text"
        )
    # asyncpg's own codec stores the first moment of the year 1 as -infinity, and reads infinity as a moment.
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=_as_microseconds, decoder=_moment, format="tuple"
    )


def check_kind(value: object, wanted: str, number: int) -> None:
    """Raise :class:`BadRequest` when parameter `number` is of another kind than type `wanted` takes.

    asyncpg would make 1 of the real 1.5 and of true where an integer belongs.
    """
    kinds = _kinds(wanted)
    if value is None or kinds is None or type(value) in kinds:
        return
    raise BadRequest(
        f"parameter ${number} is a {type(value).__name__}, and PostgreSQL expects {wanted} there",
        hint="send the kind of that type (text for uuid, json, date), or cast it: $1::bigint",
    )


def _kinds(wanted: str) -> tuple[type, ...] | None:
    """Return the kinds that type `wanted` takes, None where asyncpg is to judge."""
    if wanted == "numeric":
        return str, int, float
    if wanted in _TEXTS:
        return (str,)
    if wanted in _WHOLE:
        return (int,)
    if wanted in _REAL:
        return int, float
    return {"bool": (bool,), "bytea": (bytes,), "timestamptz": (datetime,)}.get(wanted)


def _as_text(value: object) -> str:
    """Return a parameter as PostgreSQL reads it; raise :class:`TypeError` for what is no text."""
    if isinstance(value, str):
        return value
    if type(value) in (int, float):
        return repr(value)
    raise TypeError("no text")


def _as_microseconds(value: object) -> tuple[int]:
    if not isinstance(value, datetime):
        raise TypeError("no moment")
    return ((value - _EPOCH) // _MICROSECOND,)


def _moment(stored: tuple[int]) -> object:
    try:
        return _EPOCH + timedelta(microseconds=stored[0])
    except OverflowError:
        return DistantMoment()
