"""What a contract is: its operations, what each does to the world, and their wire form.

Parameters travel as one MessagePack map keyed by the WIT (kebab-case) names, records likewise;
``list<u8>`` is bin, an absent ``option`` is nil or missing, no result is 0 bytes. Decoding is
liberal where guests differ (unknown keys, any integer marker that fits, text for bytes) and
strict in everything else. Contracts are module constants: nobody owns them, nothing ends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from actorhost.errors import BadRequest, InternalError, ProtocolError
from actorhost.ids import ContractId

U64 = Annotated[int, Meta(ge=0, extra={"wit": "u64"})]
"""WIT ``u64``; MessagePack has no greater integers. ``extra`` names the WIT type."""
S64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, extra={"wit": "s64"})]
"""WIT ``s64``."""

_SHOWN_NAMES: Final = 12


class Effect(StrEnum):
    """What a call of an operation does to the world."""

    READ = "read"
    WRITE = "write"
    EXTERNAL = "external"


class Params(Struct, frozen=True, rename="kebab", gc=False):
    """Base of every parameter struct: immutable, kebab-case on the wire."""


class Record(Struct, frozen=True, rename="kebab", gc=False):
    """Base of every record of a contract: immutable, kebab-case on the wire."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a contract; `result` is a record, a builtin or a union or list of them.

    `name` is the WIT name, which is also the name on the wire. `idempotent` promises that a
    caller who lost the answer may call again without harm.
    """

    name: str
    effect: Effect
    idempotent: bool
    params: type[Params]
    result: Any
    _params_decoder: msgspec.msgpack.Decoder[Any] = field(init=False, repr=False, compare=False)
    _result_decoder: msgspec.msgpack.Decoder[Any] = field(init=False, repr=False, compare=False)
    result_types: tuple[type, ...] = field(init=False, repr=False, compare=False)
    """The classes a result may have, for a cheap ``isinstance`` of what a provider returned."""

    def __post_init__(self) -> None:
        """Build the codecs once."""
        object.__setattr__(self, "_params_decoder", msgspec.msgpack.Decoder(self.params))
        object.__setattr__(self, "_result_decoder", msgspec.msgpack.Decoder(self.result))
        object.__setattr__(self, "result_types", _classes(self.result))

    @property
    def method(self) -> str:
        """Name of the Python method that implements it: ``get_many`` for ``get-many``."""
        return self.name.replace("-", "_")

    def decode_params(self, data: bytes) -> Params:
        """Return the parameters in `data`; no bytes are an empty map, which guests may leave out.

        Raises :class:`ProtocolError` when they are malformed, and
        :class:`~actorhost.errors.TooLarge` when a value is over its limit.
        """
        return _decode(self._params_decoder, data or _NONE, f"parameters of {self.name!r}")  # type: ignore[no-any-return]

    def encode_params(self, params: Params) -> bytes:
        """Return the wire form of `params`."""
        return _ENCODE(params)

    def decode_result(self, data: bytes) -> Any:
        """Return the result in `data`, or raise :class:`ProtocolError`."""
        if self.result is None:
            return _nothing(data, self.name)
        return _decode(self._result_decoder, data, f"result of {self.name!r}")

    def encode_result(self, result: Any) -> bytes:
        """Return the wire form of `result`, which must be of one of :attr:`result_types`."""
        return b"" if self.result is None else _ENCODE(result)


@dataclass(frozen=True, slots=True)
class Contract:
    """A named, versioned set of operations: those an actor calls, and `exports`, which an actor serves.

    Providers serve `operations` and call `exports`.
    """

    id: ContractId
    version: str
    operations: Mapping[str, Operation]
    exports: Mapping[str, Operation] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls, contract_id: str, version: str, *operations: Operation, exports: tuple[Operation, ...] = ()
    ) -> Contract:
        """Return the contract of these operations; two of one name are a bug."""
        parsed = ContractId.parse(contract_id)
        return cls(parsed, version, _table(contract_id, operations), _table(contract_id, exports))

    def operation(self, name: str) -> Operation:
        """Return the operation of that wire name, or raise :class:`BadRequest` listing them."""
        found = self.operations.get(name)
        if found is None:
            raise BadRequest(
                f"contract {self.id} {self.version} has no operation {name[:80]!r}",
                hint=f"its operations are {', '.join(list(self.operations)[:_SHOWN_NAMES])}",
            )
        return found


def _table(contract_id: str, operations: tuple[Operation, ...]) -> Mapping[str, Operation]:
    table = {operation.name: operation for operation in operations}
    if len(table) != len(operations):
        raise InternalError(f"contract {contract_id} declares an operation twice")
    return MappingProxyType(table)


_NONE: Final = b"\x80"
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_GENERIC: Final = msgspec.msgpack.Decoder()


def _classes(shape: Any) -> tuple[type, ...]:
    """The classes a value of type annotation `shape` can have, one level deep."""
    if shape is None:
        return (NoneType,)
    origin = get_origin(shape)
    if origin is None:
        return (shape,)
    if origin is Annotated:
        return _classes(get_args(shape)[0])
    if isinstance(origin, type) and origin in (list, dict, tuple):
        return (origin,)
    return tuple(kind for part in get_args(shape) for kind in _classes(part))


def _decode(decoder: msgspec.msgpack.Decoder[Any], data: bytes, what: str) -> Any:
    try:
        try:
            return decoder.decode(data)
        except msgspec.ValidationError:
            return _decode_loosely(decoder, data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError) as error:
        raise ProtocolError(f"{what}: {error}", hint="send one MessagePack map, as in the WIT") from None


def _decode_loosely(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> Any:
    """Decode with text where bytes belong, as some guest SDKs send it, taken as bytes."""
    value = _text_to_bytes(_GENERIC.decode(data), msgspec.inspect.type_info(decoder.type))
    return decoder.decode(_ENCODE(value))


def _text_to_bytes(value: Any, shape: msgspec.inspect.Type) -> Any:
    if isinstance(shape, msgspec.inspect.BytesType) and isinstance(value, str):
        return value.encode()
    if isinstance(shape, msgspec.inspect.ListType) and isinstance(value, list):
        return [_text_to_bytes(item, shape.item_type) for item in value]
    if isinstance(shape, msgspec.inspect.StructType) and isinstance(value, dict):
        shapes = {item.encode_name: item.type for item in shape.fields}
        return {key: _text_to_bytes(item, shapes[key]) for key, item in value.items() if key in shapes}
    if isinstance(shape, msgspec.inspect.UnionType):
        for part in shape.types:
            value = _text_to_bytes(value, part)
    return value


def _nothing(data: bytes, name: str) -> None:
    # An answer of nil instead of no bytes is what WIT-era providers of other hosts send.
    if data not in (b"", b"\xc0"):
        raise ProtocolError(f"result of {name!r}: {len(data)} bytes where none were expected")
