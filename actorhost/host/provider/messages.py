"""What a host and a provider in another process tell each other, as typed MessagePack maps.

Pure values. With a process that the host started they travel over a socket that only the two have, as
they hold configurations with their secrets; with a provider that somebody else started, over NATS and
without any. A later version may only add fields with defaults.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from actorhost.contracts.base import Contract, Effect, Operation, Params
from actorhost.contracts.provider import Link
from actorhost.errors import BadRequest, ProviderRefused
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.limits import Limits

_Token = Annotated[str, Meta(min_length=16, max_length=64)]


class ProviderOperation(StrEnum):
    """What a provider's process is asked by a host; the last, ``call``, is asked of the host."""

    BEGIN = "begin"
    HELLO = "hello"
    INTRODUCE = "introduce"
    LINKED = "linked"
    RELINKED = "relinked"
    UNLINKED = "unlinked"
    FORGET = "forget"
    STOP = "stop"
    CALL = "call"


class Begin(Struct, frozen=True, kw_only=True):
    """Start provider `provider` (an entry point, or ``module:Class``) as component `name`.

    `hidden` are the texts of `config` that no error may repeat; `instance` is the address to serve at,
    `limits` are those of the host, `path` is where it finds modules.
    """

    name: str
    provider: str
    contract: str
    config: dict[str, Any]
    hidden: tuple[str, ...]
    nats: str
    lattice: str
    instance: str
    limits: Limits
    path: tuple[str, ...] = ()


class Hello(Struct, frozen=True, kw_only=True):
    """Who serves: the run `instance` of `provider`; operations as (name, effect, idempotent).

    `drops` counts how often the links of the host that asks were dropped, as it had been silent.
    """

    instance: str
    pid: int
    provider: str
    contract: str
    version: str
    operations: tuple[tuple[str, Effect, bool], ...]
    drops: int = 0


class Introduction(Struct, frozen=True, kw_only=True):
    """A link that may call with `token`; `callback` is the subject at which its host takes calls."""

    token: _Token
    actor: str
    contract: str
    name: str
    config: dict[str, Any]
    hidden: tuple[str, ...] = ()
    callback: str = ""

    def link(self) -> Link:
        """Return the link; raises :class:`~actorhost.errors.InvalidName`."""
        return Link(
            ActorName.parse(self.actor),
            ContractId.parse(self.contract),
            LinkName.parse(self.name),
            self.config,
        )


class Known(Struct, frozen=True):
    """The link that was introduced with `token`."""

    token: _Token


class KnownAll(Struct, frozen=True):
    """The links that were introduced with `tokens`."""

    tokens: tuple[_Token, ...]


class ActorCall(Struct, frozen=True, kw_only=True):
    """A provider's call to the actor of a link: `timeout` is in seconds."""

    token: _Token
    operation: str
    payload: bytes
    timeout: Annotated[float, Meta(gt=0, le=3600)]


T = TypeVar("T", bound=Struct)
_decoders: Final[dict[type[Struct], msgspec.msgpack.Decoder[Any]]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (Begin, Hello, Introduction, Known, KnownAll, ActorCall)
}
_encoder: Final = msgspec.msgpack.Encoder()


def encode(message: Struct) -> bytes:
    """Return `message` as MessagePack; raises :class:`ProviderRefused` for values that cannot travel."""
    try:
        return _encoder.encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError):
        # The text of the error may repeat a value, and values may be secrets.
        raise ProviderRefused(
            "a configuration holds values that cannot be handed to another process",
            hint="use text, numbers, booleans, lists and maps, or run the provider in the host",
        ) from None


def decode(kind: type[T], payload: bytes) -> T:
    """Return the message of that `kind` in `payload`, or raise :class:`BadRequest`."""
    try:
        message: T = _decoders[kind].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(
            f"{len(payload)} bytes are no {kind.__name__}",
            hint="are both sides of the same version of actorhost?",
        ) from None
    return message


def operations_of(contract: Contract) -> tuple[tuple[str, Effect, bool], ...]:
    """Return the operations of `contract` as they are told."""
    return tuple((each.name, each.effect, each.idempotent) for each in contract.operations.values())


def contract_of(hello: Hello) -> Contract:
    """Return the contract that is told, with results of any kind: its code is elsewhere."""
    operations = (
        Operation(name, effect, idempotent=idempotent, params=Params, result=Any)
        for name, effect, idempotent in hello.operations
    )
    return Contract.of(hello.contract, hello.version, *operations)
