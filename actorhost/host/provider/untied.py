"""A provider's process that no host started: it serves whichever hosts of the lattice link actors to it.

Owned by ``actorhost provider run`` until its signal to stop. Hosts find it by its component name and tell
it of their links over NATS; links of a host that has not asked for it for :data:`FORGOTTEN` seconds are
dropped. Two of one name in a lattice would get half of the links each: the second one is refused.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Final, Self

from msgspec.structs import replace

from actorhost import clock
from actorhost.errors import ActorhostError, BadRequest, InternalError, NoRoute, ProviderRefused
from actorhost.host.provider.messages import (
    ActorCall,
    Begin,
    Hello,
    Introduction,
    Known,
    ProviderOperation,
    decode,
    encode,
)
from actorhost.host.provider.process import ProviderProcess
from actorhost.ids import new_call_id
from actorhost.telemetry import log
from actorhost.telemetry.log import Log
from actorhost.transport import NatsTransport
from actorhost.wire import codec
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.fault import error_of, fault_of
from actorhost.wire.subject import WHOEVER, ProviderBranch, operation_of, provider_subject, provider_wildcard

FORGOTTEN: Final = 10.0
"""Seconds of silence after which a host counts as gone; hosts ask twice a second."""
MAX_ASKS: Final = 256
"""Asks of hosts in hand at a time; more get no answer."""
_LOOK: Final = 0.5
"""Seconds in which another provider of the same name would answer."""

_log: Final = Log("actorhost.provider")


class UntiedProvider:
    """Serves the provider of `begin` to every host of its lattice; use ``async with``."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._stack = AsyncExitStack()
        self._in_hand = 0
        self._hosts: dict[str, float] = {}
        self._owners: dict[str, str] = {}
        self._drops: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        """Start the provider and be found; raises :class:`ProviderRefused` when there is one of its name."""
        begin = self._begin
        try:
            self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
            process = ProviderProcess(begin, self._call_host, self._refuse_second)
            self._process = await self._stack.enter_async_context(process)
            for instance in (WHOEVER, begin.instance):
                control = provider_wildcard(begin.lattice, ProviderBranch.CONTROL, begin.name, instance)
                subscription = await process.transport.subscribe(control, self._on_message)
                self._stack.push_async_callback(subscription.close)
            self._sweeper = self._tasks.create_task(self._sweep())
            self._stack.callback(self._sweeper.cancel)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Be found no more, finish the calls in hand and stop the provider."""
        await self._stack.aclose()

    async def _refuse_second(self, transport: NatsTransport) -> None:
        begin = self._begin
        subject = provider_subject(
            begin.lattice, ProviderBranch.CONTROL, begin.name, WHOEVER, ProviderOperation.HELLO
        )
        ask = Envelope(VERSION, Kind.ASK, new_call_id(), b"", begin.instance)
        try:
            await transport.request(subject, codec.encode(ask), _LOOK)
        except NoRoute:
            return
        except ActorhostError as error:
            _log.warning("cannot tell whether there is another", provider=begin.name, reason=error.message)
            return
        raise ProviderRefused(
            f"there is a provider {begin.name!r} in lattice {begin.lattice!r} already",
            hint="stop that one first, or choose another name",
        )

    def _on_message(self, subject: str, reply_to: str, data: bytes) -> None:
        if reply_to and self._in_hand < MAX_ASKS:
            self._in_hand += 1
            self._tasks.create_task(self._answer(subject, reply_to, data))

    async def _answer(self, subject: str, reply_to: str, data: bytes) -> None:
        call, result, fault = "", b"", None
        try:
            envelope = codec.decode(data)
            call = envelope.id
            result = await self._serve(operation_of(subject), envelope)
        except ActorhostError as error:
            fault = fault_of(error)
        except Exception:  # noqa: BLE001 - a bug in one ask must not end the others
            log.bug(_log, "bug while answering a host", provider=self._begin.name)
            fault = fault_of(InternalError("unexpected error; see the provider's log"))
        finally:
            self._in_hand -= 1
        kind = Kind.REPLY if fault is None else Kind.FAULT
        answer = Envelope(VERSION, kind, call, result, self._begin.instance, fault=fault)
        self._process.transport.send_now(reply_to, codec.encode(answer))

    async def _serve(self, operation: str, envelope: Envelope) -> bytes:
        if operation == ProviderOperation.STOP or envelope.kind is not Kind.ASK:
            raise BadRequest("a provider that was started elsewhere is stopped there")
        if envelope.source:
            self._hosts[envelope.source] = clock.monotonic()
        result = await self._process.serve(operation, envelope.payload)
        if operation == ProviderOperation.HELLO:
            return encode(replace(decode(Hello, result), drops=self._drops[envelope.source]))
        if operation == ProviderOperation.INTRODUCE:
            self._owners[decode(Introduction, envelope.payload).token] = envelope.source
        elif operation == ProviderOperation.FORGET:
            self._owners.pop(decode(Known, envelope.payload).token, None)
        return result

    async def _call_host(self, call: ActorCall, introduction: Introduction) -> bytes:
        request = Envelope(VERSION, Kind.ASK, new_call_id(), encode(call), self._begin.instance)
        data = await self._process.transport.request(
            introduction.callback, codec.encode(request), call.timeout
        )
        answer = codec.decode(data)
        if answer.fault is not None:
            raise error_of(answer.fault)
        return answer.payload

    async def _sweep(self) -> None:
        """Drop the links of hosts that have gone without a word, until cancelled."""
        while True:
            await asyncio.sleep(FORGOTTEN / 4)
            gone = clock.monotonic() - FORGOTTEN
            for host in [host for host, heard in self._hosts.items() if heard < gone]:
                del self._hosts[host]
                await self._drop(host)

    async def _drop(self, host: str) -> None:
        tokens = [token for token, owner in self._owners.items() if owner == host]
        if not tokens:
            self._drops.pop(host, None)
            return
        self._drops[host] += 1
        for token in tokens:
            del self._owners[token]
            for operation in (ProviderOperation.UNLINKED, ProviderOperation.FORGET):
                try:
                    await self._process.serve(operation, encode(Known(token)))
                except ActorhostError as error:
                    _log.warning("link not dropped", provider=self._begin.name, reason=error.message)
        _log.info("links of a host dropped", provider=self._begin.name, host=host)
