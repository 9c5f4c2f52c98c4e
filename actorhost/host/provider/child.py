"""A provider in a process that the host starts, watches, starts again and ends.

Owned by the registry, from :meth:`ProcessProvider.start` to :meth:`ProcessProvider.stop`. The process
is told everything over a socket that only it and the host have: configuration, links, and whether it
is still alive; calls go over NATS. It ends with the host, however that ends. One that crashed, does not
answer on that socket or sent what is no answer is replaced by the rules that actors are restarted by
(:mod:`actorhost.lifecycle.restarts`; ``restarts`` in the manifest), and told of all links before it
takes calls.
"""

from __future__ import annotations

import asyncio
import math
import sys
from typing import Any, Final

import anyio
from msgspec import Struct

from actorhost.clock import monotonic
from actorhost.contracts.provider import Provider
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    CallTimeout,
    OutcomeUnknown,
    ProviderFailed,
    ProviderRefused,
    Unavailable,
)
from actorhost.host.provider.channel import Channel
from actorhost.host.provider.messages import Begin, ProviderOperation, encode
from actorhost.host.provider.remote import Around, RemoteProvider, refusal_of
from actorhost.host.provider.spawned import Spawned, spawned
from actorhost.ids import HostId
from actorhost.lifecycle import Restarts
from actorhost.manifest import ProviderSpec
from actorhost.telemetry.event import EventKind
from actorhost.telemetry.log import Log

_BEAT: Final = 0.5
"""Seconds between looks at whether the process answers."""
_PATIENCE: Final = 1.0
"""Seconds it may take to answer; twice in a row longer, and it is hung."""
_MISSES: Final = 2
_GRACE: Final = 0.7
"""Share of ``stop_timeout`` that the provider may take to stop; its process gets a part of the rest."""
_EXIT: Final = 0.2
_LAST_WORD: Final = 0.25
"""Seconds in which a process whose socket has ended is seen to have ended, and how."""

_log: Final = Log("actorhost.host")


class ProcessProvider(RemoteProvider):
    """The provider `spec` in a process of its own; `model` is one like it that is never started."""

    def __init__(self, spec: ProviderSpec, model: Provider, around: Around) -> None:
        super().__init__(spec, model.config, around, "in its own process")
        self.contract = model.contract
        self._model = model
        self._restarts = Restarts(spec.restarts)
        self._channel: Channel | None = None
        self._end: asyncio.Future[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._until = 0.0

    @property
    def state(self) -> str:
        """``running``, ``starting``, ``waiting`` before a restart, or ``failed``."""
        if self._restarts.failed:
            return "failed"
        if self._instance:
            return "running"
        return "waiting" if self._until > monotonic() else "starting"

    @property
    def restarts(self) -> int:
        """How often the process was started again."""
        return self._restarts.total

    def check_link(self, link: Any) -> None:
        """Refuse a link that the provider would refuse."""
        self._model.check_link(link)

    async def start(self) -> None:
        """Start the process and the provider in it; raises what the provider does there."""
        if not self._around.nats:
            raise ProviderRefused(
                f"provider {self.spec.name!r} cannot run in its own process: this host has no NATS server",
                hint="give the host one, or leave out the provider's place",
            )
        await self._open()
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(started))  # noqa: TID251 - stop() waits for it
        await started

    async def stop(self) -> None:
        """Stop the provider, then its process; one that resists is killed and a :class:`ProviderFailed`."""
        self._stopping.set()
        limit = self._around.limits.stop_timeout
        try:
            if self._channel is not None and self._instance:
                await self._channel.ask(ProviderOperation.STOP, b"", _GRACE * limit)
        except (CallTimeout, OutcomeUnknown) as error:
            raise self._failed(f"did not stop: {error.message}") from None
        finally:
            self._ended("")
            if self._task is not None:
                with anyio.CancelScope(shield=True):
                    await self._task
            await self._close()

    async def _ask(self, operation: ProviderOperation, message: Struct, timeout: float) -> bytes:
        if self._channel is None:
            raise self._unavailable()
        try:
            return await self._channel.ask(operation, encode(message), timeout)
        except BadRequest as error:
            raise refusal_of(error) from None

    def _misbehaved(self, why: str) -> None:
        self._ended(why)

    def _ended(self, why: str) -> None:
        """End the life of the process that there is now; the first reason counts."""
        if self._end is not None and not self._end.done():
            self._end.set_result(why)

    def _failed(self, how: str) -> ProviderFailed:
        return ProviderFailed(
            f"provider {self.spec.name!r} {how}",
            hint="what its process wrote last is in the host's standard error",
            where=self.where,
        )

    def _unavailable(self) -> Unavailable:
        if self._restarts.failed:
            causes = "; ".join(dict.fromkeys(cause.why for cause in self._restarts.causes))
            error = Unavailable(
                f"provider {self.spec.name!r} has failed: its process ended too often. Last ends: {causes}",
                hint="correct it or its configuration, and deploy again",
                where=self.where,
            )
            error.retryable = False
            return error
        return Unavailable(
            f"provider {self.spec.name!r} is being started again; nothing was done",
            hint="retry later",
            where=self.where,
        )

    async def _run(self, started: asyncio.Future[None]) -> None:
        """Keep a process running until told to stop, or until it has ended too often."""
        ended_at = 0.0
        while not self._stopping.is_set():
            why = await self._life(started, ended_at)
            ended_at = monotonic()
            if self._stopping.is_set():
                return
            if not started.done():
                started.set_exception(self._failed(f"could not be started: {why}"))
                return
            if not await self._may_start_again(why, ended_at):
                return

    async def _may_start_again(self, why: str, now: float) -> bool:
        """Return true when it is time to start again, false if it never is."""
        name, pid = str(self.spec.name), self.pid
        wait = self._restarts.ended(why, now)
        _log.warning("provider process ended", provider=name, pid=pid, reason=why)
        self._around.events.emit(EventKind.PROVIDER_ENDED, name, {"reason": why, "pid": pid})
        if wait is None:
            causes = [cause.why for cause in self._restarts.causes]
            _log.error("provider failed", provider=name, causes=causes)
            self._around.events.emit(EventKind.PROVIDER_FAILED, name, {"causes": causes})
            self._until = math.inf
            return False
        self._until = now + wait
        with anyio.move_on_after(wait):
            await self._stopping.wait()
        return True

    async def _life(self, started: asyncio.Future[None], ended_at: float) -> str:
        """Run one process from its start to its end, and return why it ended."""
        end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._end = end
        if self._stopping.is_set():
            return ""
        try:
            made = spawned(self.spec, self._around.hidden, self._serve, self._grace)
            async with made as process, anyio.create_task_group() as tasks:
                self.pid, channel = process.pid, process.channel
                tasks.start_soon(self._listen, channel)
                tasks.start_soon(self._await_exit, process)
                failure = await self._bring_up(channel, end)
                if failure is None:
                    tasks.start_soon(self._watch, channel)
                    self._is_up(started, ended_at)
                else:
                    if not started.done():
                        self._stopping.set()
                        started.set_exception(failure)
                    self._ended(failure.message)
                why = await end
                self._cut()
                tasks.cancel_scope.cancel()
        except OSError as error:
            why = f"no process could be started: {error.strerror}"
        finally:
            self._channel = None
            self._cut()
        return why

    def _is_up(self, started: asyncio.Future[None], ended_at: float) -> None:
        if not started.done():
            started.set_result(None)
            return
        told = {"restarts": self.restarts, "pid": self.pid, "seconds": round(monotonic() - ended_at, 3)}
        _log.info("provider restarted", provider=str(self.spec.name), **told)
        self._around.events.emit(EventKind.PROVIDER_RESTARTED, str(self.spec.name), told)

    async def _bring_up(self, channel: Channel, end: asyncio.Future[str]) -> ActorhostError | None:
        """Have the process serve with all its links; return why it does not, at once if it is to end."""
        instance, self._channel = str(HostId.new()), channel
        with anyio.CancelScope() as scope:
            end.add_done_callback(lambda _: scope.cancel())
            try:
                begin = self._begin(instance)
                await self._ask(ProviderOperation.BEGIN, begin, self._around.limits.start_timeout)
                await self._tell_links(instance)
            except ActorhostError as error:
                if not channel.over:
                    slow = isinstance(error, CallTimeout)
                    return self._failed(f"did not start: {error.message}") if slow else error
                await end  # which says how
        if end.done():
            return self._failed(f"did not start: {end.result()}")
        self._serve_at(instance)
        return None

    def _begin(self, instance: str) -> Begin:
        offered = self.spec.provider in self._around.offered
        return Begin(
            name=str(self.spec.name),
            provider=_place_of(type(self._model)) if offered else self.spec.provider,
            contract=str(self.spec.contract),
            config=dict(self.config),
            hidden=self._around.hidden,
            nats=self._around.nats,
            lattice=str(self._around.lattice),
            instance=instance,
            limits=self._around.limits,
            path=tuple(sys.path),
        )

    async def _listen(self, channel: Channel) -> None:
        await channel.run()
        self._cut()
        await anyio.sleep(_LAST_WORD)
        self._ended("its process closed the socket that it has to its host")

    async def _await_exit(self, process: Spawned) -> None:
        """Say how the process ended; its socket may outlive it in processes that it has forked."""
        self._ended(f"its process ended: {await process.exited()}")

    async def _watch(self, channel: Channel) -> None:
        """Have the process replaced when it does not answer twice in a row."""
        misses, reconnects = 0, self._around.transport.statistics().reconnects
        while misses < _MISSES:
            await anyio.sleep(_BEAT)
            bus = self._around.transport.statistics()
            if bus.reconnects != reconnects or not bus.connected:
                reconnects = bus.reconnects
                self.lose_calls()
            heard = channel.heard
            try:
                await channel.ask(ProviderOperation.HELLO, b"", _PATIENCE)
            except CallTimeout:
                misses = misses + 1 if channel.heard == heard else 0
            except OutcomeUnknown:
                return
            except ActorhostError:
                misses = 0
            else:
                misses = 0
        self._ended(f"its process did not answer for {_MISSES * _PATIENCE:g} s")

    async def _serve(self, operation: str, payload: bytes) -> bytes:
        """Answer what the process asks."""
        if operation != ProviderOperation.CALL:
            raise ProviderRefused(f"a host has no operation {operation[:80]!r} for providers")
        return await self.call_actor(payload)

    def _grace(self) -> float:
        """Return how long the process may take to go by itself, in seconds."""
        return _EXIT * self._around.limits.stop_timeout if self._stopping.is_set() else 0.0


def _place_of(kind: type) -> str:
    """Return where another process can import `kind` from; raises :class:`ProviderRefused`."""
    if "<" in kind.__qualname__:
        raise ProviderRefused(
            f"provider class {kind.__qualname__} cannot be imported by another process",
            hint="define it at the top of a module, or run it in the host",
        )
    return f"{kind.__module__}:{kind.__qualname__}"
