"""The Python face of ``actorhost:sql``: statements with typed parameters and results.

``wit/sql.wit`` is the specification; read the rules there. The parameter structs enforce its
limits, so a backend sees only statements and values that are in bounds. Pure: no I/O, no state.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from types import NoneType
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from actorhost.contracts.base import U64, Contract, Effect, Operation, Params, Record
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import ProtocolError, TooLarge

MAX_STATEMENT: Final = 256 * 1024
"""Longest statement, in bytes of UTF-8."""
MAX_PARAMETERS: Final = 1000
"""Most parameters of one statement."""
MAX_STATEMENTS: Final = 1000
"""Most statements of one batch."""
DEFAULT_PAGE: Final = 100
"""Rows in one page when the caller gives no limit."""
MAX_ROWS: Final = 1000
"""Most rows in one page, and in what ``execute`` and ``batch`` return."""
MAX_CURSOR: Final = 100
"""Longest cursor, in characters."""
MAX_TIMEOUT_MS: Final = 600_000
"""Longest time-out, in milliseconds."""

Value = Annotated[
    Any,
    Meta(
        extra={
            "wit": "value",
            "variant": "null, boolean(bool), integer(s64), real(f64), text(string), blob(list<u8>),"
            " timestamp(s64),",
        }
    ),
]
"""``None | bool | int | float | str | bytes | datetime`` with a time zone; ``extra`` is the WIT."""
PageLimit = Annotated[int, Meta(ge=1, le=MAX_ROWS, extra={"wit": "u32"})]
"""Most rows in one page."""
TimeoutMs = Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_MS, extra={"wit": "u32"})]
"""Milliseconds a statement or batch may take."""
Values = Annotated[list[Value], Meta(max_length=MAX_PARAMETERS)]
"""Parameters: the first is ``$1``."""

_PLAIN: Final = frozenset([NoneType, bool, str, bytes])


def is_value(value: object) -> bool:
    """Return whether `value` is one that the contract can carry."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is int:
        return -(2**63) <= value < 2**63  # type: ignore[operator]
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    return isinstance(value, datetime) and value.tzinfo is not None


def _check(text: str, parameters: Sequence[object]) -> None:
    if len(text) > MAX_STATEMENT // 4 and len(text.encode()) > MAX_STATEMENT:
        raise TooLarge(
            f"a statement of {len(text.encode())} bytes", hint=f"a statement is at most {MAX_STATEMENT} bytes"
        )
    if "\0" in text:
        raise ProtocolError("a statement with a NUL character", hint="bind bytes as parameters")
    for number, value in enumerate(parameters, 1):
        if not is_value(value):
            raise ProtocolError(
                f"parameter ${number} is no value of SQL: {_described(value)}",
                hint="a value is null, boolean, 64-bit integer, finite real, text, blob or timestamp",
            )


def _described(value: object) -> str:
    if isinstance(value, int):
        return "an integer beyond 64 bits"
    return "a real that is not finite" if isinstance(value, float) else f"a {type(value).__name__}"


def _check_cursor(cursor: str) -> None:
    if len(cursor) > MAX_CURSOR:
        raise ProtocolError(
            f"a cursor of {len(cursor)} characters", hint="give the one that came with a page"
        )


class Statement(Record, frozen=True):
    """One statement of a batch."""

    text: str
    parameters: Values = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        _check(self.text, self.parameters)


class Page(Record, frozen=True):
    """Part of a result; only an absent ``cursor`` means the end."""

    columns: list[str]
    rows: list[list[Value]]
    cursor: str | None = None


class Outcome(Record, frozen=True):
    """What came of a statement that may write."""

    rows_affected: U64
    columns: list[str] = field(default_factory=list)
    rows: list[list[Value]] = field(default_factory=list)


class QueryParams(Params, frozen=True):
    """Parameters of ``query``."""

    statement: str
    parameters: Values = field(default_factory=list)
    limit: PageLimit | None = None
    timeout_ms: TimeoutMs | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        _check(self.statement, self.parameters)


class NextParams(Params, frozen=True):
    """Parameters of ``next``."""

    cursor: str
    limit: PageLimit | None = None

    def __post_init__(self) -> None:
        """Refuse what can be no cursor."""
        _check_cursor(self.cursor)


class CloseParams(Params, frozen=True):
    """Parameters of ``close``."""

    cursor: str

    def __post_init__(self) -> None:
        """Refuse what can be no cursor."""
        _check_cursor(self.cursor)


class ExecuteParams(Params, frozen=True):
    """Parameters of ``execute``."""

    statement: str
    parameters: Values = field(default_factory=list)
    timeout_ms: TimeoutMs | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        _check(self.statement, self.parameters)


class BatchParams(Params, frozen=True):
    """Parameters of ``batch``."""

    statements: Annotated[list[Statement], Meta(min_length=1, max_length=MAX_STATEMENTS)]
    timeout_ms: TimeoutMs | None = None


_READ, _WRITE = Effect.READ, Effect.WRITE

CONTRACT: Final = Contract.of(
    "actorhost:sql",
    "0.1.0",
    Operation("query", _READ, idempotent=True, params=QueryParams, result=Page),
    Operation("next", _READ, idempotent=True, params=NextParams, result=Page),
    Operation("close", _READ, idempotent=True, params=CloseParams, result=None),
    Operation("execute", _WRITE, idempotent=False, params=ExecuteParams, result=Outcome),
    Operation("batch", _WRITE, idempotent=False, params=BatchParams, result=list[Outcome]),
)


class Sql(Provider):
    """A backend of ``actorhost:sql``; each method keeps the rules of the WIT.

    Every method may raise :class:`~actorhost.errors.BadRequest`, :class:`~actorhost.errors.Denied`,
    :class:`~actorhost.errors.CallTimeout`, :class:`TooLarge`, :class:`~actorhost.errors.Overloaded`
    and :class:`~actorhost.errors.ProviderFailed`, having changed nothing; and those that write
    :class:`~actorhost.errors.OutcomeUnknown`. An actor may besides get a :class:`TooLarge` from its
    host after the method returned: its answer was over the actor's ``max-message``.
    """

    contract: ClassVar[Contract] = CONTRACT

    @abstractmethod
    async def query(self, link: Link, params: QueryParams) -> Page:
        """Return the first page of what a statement reads."""

    @abstractmethod
    async def next(self, link: Link, params: NextParams) -> Page:
        """Return the page at a cursor."""

    @abstractmethod
    async def close(self, link: Link, params: CloseParams) -> None:
        """Let go of what is kept of a result."""

    @abstractmethod
    async def execute(self, link: Link, params: ExecuteParams) -> Outcome:
        """Carry out a statement in a transaction of its own."""

    @abstractmethod
    async def batch(self, link: Link, params: BatchParams) -> list[Outcome]:
        """Carry out statements in one transaction, all or none."""
