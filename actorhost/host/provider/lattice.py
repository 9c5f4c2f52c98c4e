"""A provider that somebody started elsewhere in the lattice, found there by its component name.

Owned by the registry, from :meth:`LatticeProvider.start` to :meth:`LatticeProvider.stop`; the process
itself belongs to whoever started it. It is asked twice a second who it is: one that is new, or back, is
told of all links before calls go to it; while none answers, calls are refused at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import anyio
from msgspec import Struct, structs

from actorhost.clock import monotonic
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError, ProtocolError, ProviderRefused, Unavailable
from actorhost.host.provider.messages import (
    Hello,
    Introduction,
    Known,
    ProviderOperation,
    contract_of,
    decode,
    encode,
)
from actorhost.host.provider.remote import Around, RemoteProvider, refusal_of
from actorhost.ids import new_call_id
from actorhost.manifest import ProviderSpec
from actorhost.telemetry.event import EventKind
from actorhost.telemetry.log import Log
from actorhost.transport import Subscription
from actorhost.wire import codec
from actorhost.wire.envelope import MAX_REMAINING_MS, VERSION, Envelope, Kind
from actorhost.wire.fault import error_of, fault_of
from actorhost.wire.subject import WHOEVER, ProviderBranch, provider_subject

_BEAT: Final = 0.5
"""Seconds between questions who serves."""
_PATIENCE: Final = 1.0
"""Seconds that an answer may take; longer, and whoever there is is asked, and longer again: nobody serves."""
MAX_CALLS: Final = 256
"""Calls of the provider to actors in hand at a time."""

_log: Final = Log("actorhost.host")


class LatticeProvider(RemoteProvider):
    """The provider `spec`, wherever in the lattice it runs."""

    def __init__(self, spec: ProviderSpec, around: Around) -> None:
        super().__init__(spec, {}, around, "started elsewhere in the lattice")
        self._returns = 0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._in_hand: set[asyncio.Task[None]] = set()
        self._calls: Subscription | None = None
        self._callback = provider_subject(
            around.lattice, ProviderBranch.CONTROL, spec.name, around.host, ProviderOperation.CALL
        )
        self._asked = ""
        self._met = ("", 0)
        self._refused = ""

    @property
    def state(self) -> str:
        """``running`` or ``away``."""
        return "running" if self._instance else "away"

    @property
    def restarts(self) -> int:
        """How often another run of it was met."""
        return self._returns

    def check_link(self, link: Link) -> None:
        """Refuse a link whose configuration holds secrets: it travels over NATS."""
        told = str(dict(link.config))
        if any(secret in told for secret in self._around.hidden):
            raise ProviderRefused(
                f"the link {link.name!r} of actor {link.actor!r} to provider {self.spec.name!r} holds a"
                " secret and would be told over NATS",
                hint="give the secret to the provider where it is started, or use place: process",
            )

    async def start(self) -> None:
        """Find the provider; raises :class:`Unavailable` when nobody serves it."""
        await self._open()
        self._calls = await self._around.transport.subscribe(self._callback, self._on_call)
        hello = await self._hello()
        self._accept(hello)
        self.contract = contract_of(hello)
        self._serve_at(hello.instance)
        self._task = asyncio.create_task(self._run())  # noqa: TID251 - stop() waits for it

    async def stop(self) -> None:
        """Have the provider forget the links; it goes on."""
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        try:
            if self._instance:
                for known in list(self._links.values()):
                    await self._ask(ProviderOperation.FORGET, Known(known.token), _PATIENCE)
        finally:
            self._cut()
            if self._calls is not None:
                await self._calls.close()
            if self._in_hand:
                await asyncio.wait(self._in_hand, timeout=_PATIENCE)
            await self._close()

    async def _run(self) -> None:
        """Look after who serves, until cancelled."""
        reconnects = self._around.transport.statistics().reconnects
        while True:
            await anyio.sleep(_BEAT)
            bus = self._around.transport.statistics()
            if bus.reconnects != reconnects or not bus.connected:
                reconnects = bus.reconnects
                self.lose_calls()
            try:
                hello = await self._hello()
            except ActorhostError as error:
                if self._instance:
                    self._away(error.message)
                continue
            if not self._instance or self._met != (hello.instance, hello.drops):
                await self._meet(hello)

    def _away(self, why: str) -> None:
        _log.warning("provider does not answer", provider=str(self.spec.name), reason=why)
        self._around.events.emit(
            EventKind.PROVIDER_ENDED, str(self.spec.name), {"reason": why, "pid": self.pid}
        )
        self._cut()

    async def _meet(self, hello: Hello) -> None:
        """Tell another run of it all links, then let calls go to it."""
        began = monotonic()
        if self._instance:
            self._away("another run of it answers, or it has dropped the links of this host")
        try:
            self._accept(hello)
            await self._tell_links(hello.instance)
        except ActorhostError as error:
            if hello.instance != self._refused:  # once is enough
                _log.warning("provider cannot be used", provider=str(self.spec.name), reason=error.message)
            self._refused = hello.instance
            return
        self._returns += 1
        self._serve_at(hello.instance)
        told = {"restarts": self._returns, "pid": hello.pid, "seconds": round(monotonic() - began, 3)}
        self._around.events.emit(EventKind.PROVIDER_RESTARTED, str(self.spec.name), told)

    def _accept(self, hello: Hello) -> None:
        """Refuse a provider that is not what the manifest says."""
        if (hello.contract, hello.provider) != (self.spec.contract, self.spec.provider):
            raise ProviderRefused(
                f"provider {self.spec.name!r} in the lattice is {hello.provider} of {hello.contract}, and the"
                f" manifest says {self.spec.provider} of {self.spec.contract}",
                hint="correct the manifest, or start the right provider",
            )
        self.pid = hello.pid
        self._asked = hello.instance
        self._met = (hello.instance, hello.drops)

    async def _hello(self) -> Hello:
        """Ask the run in use who it is; where it does not answer, or there is none, whoever does.

        So a host stays with one, and does not go to and fro between two that came to have one name.
        """
        if self._instance:
            with contextlib.suppress(ActorhostError):
                return await self._hello_of(self._instance)
        return await self._hello_of(WHOEVER)

    async def _hello_of(self, instance: str) -> Hello:
        return decode(Hello, await self._request_of(instance, ProviderOperation.HELLO, b"", _PATIENCE))

    async def _ask(self, operation: ProviderOperation, message: Struct, timeout: float) -> bytes:
        if not self._asked:
            raise self._unavailable()
        return await self._request_of(self._asked, operation, encode(message), timeout)

    async def _request_of(
        self, instance: str, operation: ProviderOperation, payload: bytes, timeout: float
    ) -> bytes:
        """Return what the run `instance` answers; raises :class:`Unavailable` when nobody does."""
        lattice, name = self._around.lattice, self.spec.name
        subject = provider_subject(lattice, ProviderBranch.CONTROL, name, instance, operation)
        call = new_call_id()
        remaining = min(max(round(timeout * 1000), 1), MAX_REMAINING_MS)
        request = Envelope(VERSION, Kind.ASK, call, payload, self._source, remaining)
        try:
            answer = codec.decode(
                await self._around.transport.request(subject, codec.encode(request), max(0.01, timeout))
            )
        except ActorhostError as error:
            raise Unavailable(
                f"nobody in lattice {lattice!r} answers as provider {name!r}: {error.message}",
                hint=f"start it: actorhost provider run {name} --provider {self.spec.provider} --nats URL",
                where=self.where,
            ) from None
        if answer.fault is not None:
            raise refusal_of(error_of(answer.fault))
        if answer.id != call:
            raise ProtocolError(f"the answer of provider {name!r} does not belong to the request")
        return answer.payload

    def _introduction(self, token: str, link: Link) -> Introduction:
        # What is to be hidden there, whoever runs it knows.
        told = super()._introduction(token, link)
        return structs.replace(told, hidden=(), callback=self._callback)

    def _misbehaved(self, why: str) -> None:
        _log.warning("provider broke the rules", provider=str(self.spec.name), reason=why)
        self._around.events.emit(
            EventKind.PROVIDER_ENDED, str(self.spec.name), {"reason": why, "pid": self.pid}
        )

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            f"nobody in lattice {self._around.lattice!r} answers as provider {self.spec.name!r} now;"
            " nothing was done",
            hint="start it, or retry later",
            where=self.where,
        )

    def _on_call(self, _subject: str, reply_to: str, data: bytes) -> None:
        """Take a call of the provider to an actor in hand; called by the transport for each message."""
        if reply_to and len(self._in_hand) < MAX_CALLS and not self._stopping.is_set():
            task = asyncio.create_task(self._answer_call(reply_to, data))  # noqa: TID251 - stop() waits for it
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)

    async def _answer_call(self, reply_to: str, data: bytes) -> None:
        call = ""
        try:
            envelope = codec.decode(data)
            call = envelope.id
            result = await self.call_actor(envelope.payload)
            answer = Envelope(VERSION, Kind.REPLY, call, result, self._source)
        except ActorhostError as error:
            answer = Envelope(VERSION, Kind.FAULT, call, b"", self._source, fault=fault_of(error))
        self._around.transport.send_now(reply_to, codec.encode(answer))
