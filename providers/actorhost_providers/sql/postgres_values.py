"""Which PostgreSQL types travel as what: asyncpg's own forms for kinds of the contract, else text.

Owned by each connection, which learns it when it is made. Types without a kind in the contract are
exchanged as PostgreSQL's text for them; arrays and composites are neither and are refused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

TEXT_TYPES: Final = (
    "numeric", "uuid", "json", "jsonb", "date", "time", "timetz", "timestamp", "interval", "money", "inet",
    "cidr", "macaddr", "macaddr8", "bit", "varbit", "xml",
)  # fmt: skip
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
