"""The Python face of ``actorhost:keyvalue``: values of bytes under keys of text.

``wit/keyvalue.wit`` is the specification; read the rules there. The parameter structs enforce
its limits, so a backend sees only keys and values that are in bounds. Pure: no I/O, no state.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from actorhost.contracts.base import S64, U64, Contract, Effect, Operation, Params, Record
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import BadRequest, ProtocolError, TooLarge

MAX_KEY: Final = 1024
"""Longest key, in bytes of UTF-8."""
MAX_VALUE: Final = 512 * 1024
"""Largest value, in bytes."""
MAX_MANY: Final = 1000
"""Most keys or entries in one ``get-many`` or ``set-many``, and most keys in one page."""
DEFAULT_PAGE: Final = 100
"""Keys in one page when the caller gives no limit."""
MAX_TTL_MS: Final = 365 * 24 * 3600 * 1000
"""Longest time to live, in milliseconds: one year."""
MIN_NUMBER: Final = -(2**63)
"""Least number that ``increment`` may come to."""
MAX_NUMBER: Final = 2**63 - 1
"""Greatest number that ``increment`` may come to."""
_MAX_DIGITS: Final = len(str(MAX_NUMBER))

TimeToLive = Annotated[int, Meta(ge=1, le=MAX_TTL_MS, extra={"wit": "u64"})]
"""Milliseconds until an entry is gone."""
PageLimit = Annotated[int, Meta(ge=1, le=MAX_MANY, extra={"wit": "u32"})]
"""Most keys in one page."""


def _check_key(key: str) -> None:
    # A character is at most four bytes: most keys need no encoding to be known to be in bounds.
    if not key or (len(key) > MAX_KEY // 4 and len(key.encode()) > MAX_KEY):
        raise ProtocolError(
            f"a key of {len(key.encode())} bytes", hint=f"a key is 1 to {MAX_KEY} bytes of UTF-8"
        )


def _check_text(text: str, name: str) -> None:
    if len(text) > MAX_KEY // 4 and len(text.encode()) > MAX_KEY:
        raise ProtocolError(
            f"a {name} of {len(text.encode())} bytes", hint=f"at most {MAX_KEY} bytes of UTF-8"
        )


def _check_value(value: bytes) -> None:
    if len(value) > MAX_VALUE:
        raise TooLarge(f"a value of {len(value)} bytes", hint=f"a value is at most {MAX_VALUE} bytes")


def parse_number(value: bytes) -> int:
    """Return the number stored as `value`, or raise :class:`BadRequest`: it is none."""
    digits = value[1:] if value[:1] == b"-" else value
    plain = value == b"0" or (digits.isdigit() and digits[:1] != b"0" and len(digits) <= _MAX_DIGITS)
    number = int(value) if plain else None
    if number is None or not MIN_NUMBER <= number <= MAX_NUMBER:
        raise BadRequest(
            f"increment of a value that is no number: {value[:40]!r}",
            hint="a number is decimal ASCII text of a 64-bit integer, such as 0, 42 or -7",
        )
    return number


def add(number: int, delta: int) -> int:
    """Return the sum, or raise :class:`BadRequest`: it does not fit into 64 bits."""
    total = number + delta
    if not MIN_NUMBER <= total <= MAX_NUMBER:
        raise BadRequest(
            f"increment of {number} by {delta} leaves the 64-bit range",
            hint=f"keep it within {MIN_NUMBER} to {MAX_NUMBER}",
        )
    return total


class Entry(Record, frozen=True):
    """What is stored under a key."""

    value: bytes
    revision: U64


class KeyAndValue(Record, frozen=True):
    """A key and the value to store under it; ``key-value`` in WIT."""

    key: str
    value: bytes

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        _check_key(self.key)
        _check_value(self.value)


class SetOutcome(Record, frozen=True):
    """What came of a `set`; ``revision`` is the key's now, 0 if it is absent."""

    stored: bool
    revision: U64


class KeyPage(Record, frozen=True):
    """Part of a listing; only an absent ``cursor`` means the end."""

    keys: list[str]
    cursor: str | None = None


class GetParams(Params, frozen=True):
    """Parameters of ``get``."""

    key: str

    def __post_init__(self) -> None:
        """Refuse a key out of bounds."""
        _check_key(self.key)


class SetParams(Params, frozen=True):
    """Parameters of ``set``."""

    key: str
    value: bytes
    ttl_ms: TimeToLive | None = None
    if_absent: bool | None = None
    if_revision: U64 | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of bounds, and two conditions at once."""
        _check_key(self.key)
        _check_value(self.value)
        if self.if_absent and self.if_revision is not None:
            raise ProtocolError(
                "both if-absent and if-revision", hint="give one of them; revision 0 means absent"
            )


class DeleteParams(Params, frozen=True):
    """Parameters of ``delete``."""

    key: str
    if_revision: U64 | None = None

    def __post_init__(self) -> None:
        """Refuse a key out of bounds."""
        _check_key(self.key)


class ExistsParams(GetParams, frozen=True):
    """Parameters of ``exists``."""


class IncrementParams(Params, frozen=True):
    """Parameters of ``increment``."""

    key: str
    delta: S64

    def __post_init__(self) -> None:
        """Refuse a key out of bounds."""
        _check_key(self.key)


class KeysParams(Params, frozen=True):
    """Parameters of ``keys``."""

    prefix: str
    cursor: str | None = None
    limit: PageLimit | None = None

    def __post_init__(self) -> None:
        """Refuse a prefix or cursor out of bounds."""
        _check_text(self.prefix, "prefix")
        if self.cursor is not None:
            _check_text(self.cursor, "cursor")


class GetManyParams(Params, frozen=True):
    """Parameters of ``get-many``."""

    keys: Annotated[list[str], Meta(max_length=MAX_MANY)]

    def __post_init__(self) -> None:
        """Refuse keys out of bounds."""
        for key in self.keys:
            _check_key(key)


class SetManyParams(Params, frozen=True):
    """Parameters of ``set-many``."""

    entries: Annotated[list[KeyAndValue], Meta(max_length=MAX_MANY)]

    def __post_init__(self) -> None:
        """Refuse two entries with the same key."""
        if len({entry.key for entry in self.entries}) != len(self.entries):
            raise ProtocolError("two entries with the same key", hint="give each key once")


_READ, _WRITE = Effect.READ, Effect.WRITE

CONTRACT: Final = Contract.of(
    "actorhost:keyvalue",
    "0.1.0",
    Operation("get", _READ, idempotent=True, params=GetParams, result=Entry | None),
    Operation("set", _WRITE, idempotent=False, params=SetParams, result=SetOutcome),
    Operation("delete", _WRITE, idempotent=False, params=DeleteParams, result=bool),
    Operation("exists", _READ, idempotent=True, params=ExistsParams, result=bool),
    Operation("increment", _WRITE, idempotent=False, params=IncrementParams, result=S64),
    Operation("keys", _READ, idempotent=True, params=KeysParams, result=KeyPage),
    Operation("get-many", _READ, idempotent=True, params=GetManyParams, result=list[Entry | None]),
    Operation("set-many", _WRITE, idempotent=False, params=SetManyParams, result=list[U64]),
)


class KeyValue(Provider):
    """A backend of ``actorhost:keyvalue``; each method keeps the rules of the WIT.

    Every method may raise :class:`~actorhost.errors.BadRequest` where the WIT says so,
    :class:`~actorhost.errors.TooLarge` when the backend's own limit is smaller, and
    :class:`~actorhost.errors.ProviderFailed`; it has then changed nothing.
    """

    contract: ClassVar[Contract] = CONTRACT

    @abstractmethod
    async def get(self, link: Link, params: GetParams) -> Entry | None:
        """Return the entry under a key, None if there is none."""

    @abstractmethod
    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        """Store a value if the condition holds; a condition that does not hold is an answer."""

    @abstractmethod
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        """Remove a key; true if this call removed it."""

    @abstractmethod
    async def exists(self, link: Link, params: ExistsParams) -> bool:
        """Return whether there is an entry under a key."""

    @abstractmethod
    async def increment(self, link: Link, params: IncrementParams) -> int:
        """Add to the decimal number under a key and return the sum."""

    @abstractmethod
    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        """Return the next page of the keys with a prefix, in the order of their UTF-8 bytes."""

    @abstractmethod
    async def get_many(self, link: Link, params: GetManyParams) -> list[Entry | None]:
        """Return the entries under several keys, in the same order."""

    @abstractmethod
    async def set_many(self, link: Link, params: SetManyParams) -> list[int]:
        """Store several entries, all or none, and return their revisions in the same order."""
