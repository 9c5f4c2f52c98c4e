"""Rows on their way from a database to a page, in their wire form, within bounds.

Pure. Kept as bytes because that is what they cost: objects would take several times the memory
that the bounds speak of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from actorhost.contracts.sql import is_value
from actorhost.errors import BadRequest, TooLarge
from actorhost_providers.sql.link import MAX_ROW, Bounds

ROW_COST: Final = 48
"""Bytes that a row takes beside its wire form."""
MAX_NAMES: Final = 128 * 1024
"""Bytes of the names of all columns: they go with each page, beside a row of any size."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Any]).decode


class Rows:
    """What a statement returned so far; `size` is in bytes."""

    __slots__ = ("_bounds", "columns", "encoded", "size")

    def __init__(self, columns: Sequence[str], bounds: Bounds) -> None:
        """Take rows with these columns until `bounds` are reached; :class:`TooLarge` for their names."""
        self._bounds = bounds
        self.encoded: list[bytes] = []
        self.size = 0
        self.head(columns)

    def head(self, columns: Sequence[str]) -> None:
        """Take the names of the columns of what follows; :class:`TooLarge` when they are."""
        self.columns = list(columns)
        size = len(_encode(self.columns))
        if size > MAX_NAMES:
            raise TooLarge(f"names of columns of {size} bytes, over {MAX_NAMES}", hint="name them with AS")
        self.size += size
        self._check()

    def add(self, row: Sequence[object]) -> None:
        """Take one more row.

        Raises :class:`BadRequest` for a field that is no value of the contract, and
        :class:`TooLarge` when the row or all of them are too large.
        """
        if not all(map(is_value, row)):
            raise _unfit(self.columns, row)
        encoded = _encode(row)
        if len(encoded) > MAX_ROW:
            raise TooLarge(
                f"a row of {len(encoded)} bytes, over {MAX_ROW}",
                hint="select fewer columns, or read the large one in pieces with substr()",
            )
        self.encoded.append(encoded)
        self.size += len(encoded) + ROW_COST
        self._check()

    def _check(self) -> None:
        if len(self.encoded) > self._bounds.rows:
            raise TooLarge(f"a result of more than {self._bounds.rows} rows", hint=self._bounds.hint)
        if self.size > self._bounds.size:
            raise TooLarge(
                f"a result of more than {self._bounds.size} bytes, of which the first"
                f" {max(0, len(self.encoded) - 1)} rows fit",
                hint=self._bounds.hint,
            )


def decoded(rows: Iterable[bytes]) -> list[list[Any]]:
    """Return rows in their Python form."""
    return [_decode(row) for row in rows]


def _unfit(columns: Sequence[str], row: Sequence[object]) -> BadRequest:
    number, value = next((place, field) for place, field in enumerate(row) if not is_value(field))
    what = "a real that is not finite" if isinstance(value, float) else f"a {type(value).__name__}"
    return BadRequest(
        f"column {columns[number][:80]!r} holds {what}, which has no form in actorhost:sql",
        hint="cast it to text in the statement",
    )
