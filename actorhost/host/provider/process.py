"""The process of a provider: makes it, tells it of links, and answers calls that come over NATS.

Owned by ``actorhost provider run``; ends when it is told to, when the host that started it goes, or at
a signal. Nothing in it survives but what the provider itself keeps. At most :data:`MAX_CALLS` calls are
in hand at a time and more are refused; each runs in a task of its own, until its deadline or until its
caller gives it up.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Final, Self

from actorhost import clock
from actorhost.capability.registry import Registry
from actorhost.capability.secrets import Secrets
from actorhost.capability.served import Served
from actorhost.contracts.provider import Link, Provider, Surroundings
from actorhost.errors import ActorhostError, BadRequest, InternalError, Overloaded, ProviderRefused
from actorhost.host.provider.messages import (
    ActorCall,
    Begin,
    Hello,
    Introduction,
    Known,
    KnownAll,
    ProviderOperation,
    decode,
    encode,
    operations_of,
)
from actorhost.ids import ActorName, ContractId
from actorhost.limits import KIB
from actorhost.manifest.model import ProviderSpec
from actorhost.telemetry import log
from actorhost.telemetry.log import Log
from actorhost.transport import NatsTransport, Subscription
from actorhost.wire import codec
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.fault import fault_of
from actorhost.wire.subject import ProviderBranch, operation_of, provider_wildcard

MAX_CALLS: Final = 1024
"""Calls in hand at a time."""
_ENVELOPE: Final = 4 * KIB
"""What a reply needs in a message besides its bytes, at most."""

_log: Final = Log("actorhost.provider")

CallHost = Callable[[ActorCall, Introduction], Awaitable[bytes]]
"""Takes a provider's call to an actor to the host that made the link."""


class ProviderProcess:
    """Serves the provider of `begin`, use ``async with``: `call_host` takes its calls to actors."""

    def __init__(
        self,
        begin: Begin,
        call_host: CallHost,
        first: Callable[[NatsTransport], Awaitable[None]] | None = None,
    ) -> None:
        """Await `first` once connected, before the provider is started."""
        self.begin = begin
        self.transport = NatsTransport(begin.nats, name=f"provider-{begin.name}", limits=begin.limits)
        self._call_host = call_host
        self._secrets = Secrets.told(begin.hidden)
        surroundings = Surroundings(begin.nats, self._call_actor, alone=True)
        self._registry = Registry(begin.limits, _classes(begin), self._secrets, surroundings=surroundings)
        self._spec = ProviderSpec(
            name=ActorName.parse(begin.name),
            provider=begin.provider,
            contract=ContractId.parse(begin.contract),
            config=begin.config,
        )
        self._served: Served | None = None
        self._introductions: dict[str, Introduction] = {}
        self._calls: Subscription | None = None
        self._first = first
        self._in_hand: dict[asyncio.Task[None], Envelope] = {}

    async def __aenter__(self) -> Self:
        """Start the provider and take calls; raises what it does, and what connecting does."""
        await self.transport.start()
        try:
            if self._first is not None:
                await self._first(self.transport)
            await self._registry.start(self._spec)
            reply = self.transport.max_payload - _ENVELOPE
            self._served = Served(self._registry, self._spec, self._secrets, reply)
            begin, calls = self.begin, ProviderBranch.CALLS
            subject = provider_wildcard(begin.lattice, calls, begin.name, begin.instance)
            self._calls = await self.transport.subscribe(subject, self._on_call)
        except BaseException:
            await self.transport.close()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Take no more calls, finish those in hand within ``limits.stop_timeout``, stop the provider."""
        try:
            if self._calls is not None:
                await self._calls.close()
            if self._in_hand:
                await asyncio.wait(self._in_hand, timeout=self.begin.limits.stop_timeout)
            for task in self._in_hand:
                task.cancel()
            await self._registry.close()
        finally:
            await self.transport.close()

    async def serve(self, operation: str, payload: bytes) -> bytes:
        """Answer what a host asks about the provider and its links."""
        match operation:
            case ProviderOperation.HELLO:
                return encode(self._hello())
            case ProviderOperation.INTRODUCE:
                self._introduce(decode(Introduction, payload))
            case ProviderOperation.LINKED:
                await self._ready().linked(decode(Known, payload).token)
            case ProviderOperation.RELINKED:
                await self._ready().relinked(decode(KnownAll, payload).tokens)
            case ProviderOperation.UNLINKED:
                await self._ready().unlinked(decode(Known, payload).token)
            case ProviderOperation.FORGET:
                self.forget(decode(Known, payload).token)
            case _:
                raise BadRequest(f"a provider's process has no operation {operation[:80]!r}")
        return b""

    async def stop(self) -> None:
        """Stop the provider; raises :class:`ProviderFailed` when it resists."""
        await self._registry.close()

    def forget(self, token: str) -> None:
        """Let a link call no more."""
        self._introductions.pop(token, None)
        self._ready().forget(token)

    def _introduce(self, introduction: Introduction) -> None:
        if introduction.token in self._introductions:
            return
        self._ready().introduce(introduction.token, introduction.link(), introduction.hidden)
        self._introductions[introduction.token] = introduction

    def _ready(self) -> Served:
        if self._served is None:
            raise InternalError("the provider was not started")
        return self._served

    def _hello(self) -> Hello:
        contract = self._ready().provider.contract
        return Hello(
            instance=self.begin.instance,
            pid=os.getpid(),
            provider=self.begin.provider,
            contract=str(contract.id),
            version=contract.version,
            operations=operations_of(contract),
        )

    async def _call_actor(self, link: Link, operation: str, payload: bytes, *, timeout: float) -> bytes:
        token = self._ready().token(link)
        # The encoder takes plain text only, and providers have names that are more.
        call = ActorCall(token=token, operation=str(operation), payload=payload, timeout=timeout)
        return await self._call_host(call, self._introductions[token])

    def _on_call(self, subject: str, reply_to: str, data: bytes) -> None:
        """Take a call in hand, or refuse it; called by the transport for each message."""
        if not reply_to:
            self._end(data)
            return
        call = ""
        try:
            envelope = codec.decode(data)
            call = envelope.id
            if envelope.kind is not Kind.ASK:
                raise BadRequest(f"a provider takes asks, not kind {envelope.kind.name.lower()}")
            operation = operation_of(subject)
            if len(self._in_hand) >= MAX_CALLS:
                raise Overloaded(
                    f"provider {self.begin.name!r} has {MAX_CALLS} calls in hand; nothing was done",
                    hint="retry later",
                )
        except ActorhostError as error:
            self.transport.send_now(reply_to, self._fault(call, error))
            return
        # A task group would cost as much again; __aexit__ waits for it all the same.
        task = asyncio.Task(self._handle(envelope, operation, reply_to), loop=asyncio.get_running_loop())
        self._in_hand[task] = envelope
        task.add_done_callback(self._in_hand.pop)

    def _end(self, data: bytes) -> None:
        """End a call that was given up over there; passes over what says nothing of the kind."""
        try:
            over = codec.decode(data)
        except ActorhostError:
            return
        if over.kind is Kind.CANCEL:
            for task, call in self._in_hand.items():
                # Only who made the call knows the token of its link.
                if (call.id, call.key) == (over.id, over.key):
                    task.cancel()

    async def _handle(self, envelope: Envelope, operation: str, reply_to: str) -> None:
        """Answer one call, whatever happens."""
        try:
            data = await self._outcome(envelope, operation)
            if not self.transport.send_now(reply_to, data):
                await self.transport.publish(reply_to, data)
            if len(self._in_hand) == 1:  # with others, one write for all is quicker
                self.transport.write_now()
        except ActorhostError as error:
            _log.warning("answer not sent", provider=self.begin.name, reason=error.message)

    async def _outcome(self, envelope: Envelope, operation: str) -> bytes:
        deadline = clock.monotonic() + envelope.remaining_ms / 1000
        try:
            result = await self._ready().call(
                envelope.key, operation, envelope.payload, deadline, envelope.chain
            )
        except ActorhostError as error:
            return self._fault(envelope.id, error)
        except Exception:  # noqa: BLE001 - a bug in one call must not end the others
            log.bug(_log, "bug while serving a call", provider=self.begin.name)
            return self._fault(envelope.id, InternalError("unexpected error; see the provider's log"))
        return codec.encode(Envelope(VERSION, Kind.REPLY, envelope.id, result, self.begin.name))

    def _fault(self, call: str, error: ActorhostError) -> bytes:
        fault = fault_of(error, f"provider {self.begin.name}")
        return codec.encode(Envelope(VERSION, Kind.FAULT, call, b"", self.begin.name, fault=fault))


def _classes(begin: Begin) -> Mapping[str, type[Provider]]:
    """Return the class that `begin` names as ``module:Class``; nothing for an entry point."""
    module, colon, qualified = begin.provider.partition(":")
    if not colon:
        return {}
    sys.path.extend(entry for entry in begin.path if entry not in sys.path)
    try:
        found: object = import_module(module)
        for name in qualified.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        raise ProviderRefused(
            f"provider class {begin.provider} cannot be imported in its own process: {error}",
            hint="define it at the top of a module on sys.path, or offer it as an entry point",
        ) from None
    return {begin.provider: found}  # type: ignore[dict-item]  # the registry looks at what it is
