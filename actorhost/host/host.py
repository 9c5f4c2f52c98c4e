"""The host: the composition root, and the public way to run actors inside any Python program.

``async with Host() as host`` opens an engine and a transport; leaving the block stops every
application and closes both. One host belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import anyio
from anyio.abc import TaskGroup

from actorhost import clock
from actorhost import limits as limits_module
from actorhost.capability import Broker
from actorhost.capability.broker import Counted, Tally
from actorhost.contracts.provider import Provider
from actorhost.engine import Engine, EngineStatistics
from actorhost.errors import ActorhostError, Closed, InvalidInput, NoRoute
from actorhost.host.arguments import deadline_after, payload_bytes
from actorhost.host.control import Control
from actorhost.host.deployment import Deployment
from actorhost.host.events import Events
from actorhost.host.router import Router
from actorhost.host.services import Services
from actorhost.host.status import package_version
from actorhost.ids import ActorName, HostId, LatticeName, OperationName
from actorhost.limits import Limits
from actorhost.manifest import Application
from actorhost.manifest.fitting import check_application
from actorhost.telemetry.event import EventKind
from actorhost.transport import MemoryBus, MemoryTransport, NatsTransport, Transport


class Host:
    """Runs the actors of applications.

    `nats` is the URL of a NATS server; without one the host is alone, and its actors are reached
    through :meth:`ask` and :meth:`tell` only. `transport` carries messages instead, such as one on a
    bus in memory; the host opens and closes it. `cache` is a directory for compiled modules.
    `providers` are classes that a manifest may name beside the installed ones. Limits not given come
    from the environment (see :mod:`actorhost.limits`).
    """

    def __init__(
        self,
        *,
        nats: str | None = None,
        lattice: str = "default",
        limits: Limits | None = None,
        cache: Path | None = None,
        transport: Transport | None = None,
        providers: Mapping[str, type[Provider]] | None = None,
    ) -> None:
        self.id = HostId.new()
        self.lattice = LatticeName.parse(lattice)
        self.limits = limits or limits_module.load()
        self.deployments: dict[str, Deployment] = {}
        self.transport = self._transport(nats, transport)
        self.events = Events(self.transport, self.lattice, self.id)
        self.router = Router(self.transport, self.lattice, self.id, self.limits, self.events)
        self.started_ns = 0
        self._engine = Engine(self.limits, cache=cache)
        self._services = Services(
            engine=self._engine,
            broker=Broker(self.router.call_actor),
            limits=self.limits,
            budget=self.router.budget,
            give_up=self.router.give_up,
            events=self.events,
            providers=providers or {},
            transport=self.transport,
            lattice=self.lattice,
            host=self.id,
            nats=nats or "",
        )
        self._owner: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._tasks: TaskGroup | None = None
        self._deploying = anyio.Lock()

    async def __aenter__(self) -> Self:
        """Open engine and transport; raises :class:`EngineUnavailable`, :class:`ServerUnavailable`."""
        # A task of the host's own holds the task group, so that a host may be entered and left in
        # different tasks, as test fixtures and web frameworks do.
        self._stopping.clear()
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._run(started))  # noqa: TID251 - __aexit__ waits for it
        try:
            await asyncio.shield(started)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop everything, newest first."""
        await self._end()

    async def deploy(self, application: Application, base: Path | str) -> None:
        """Run `application`; module paths are relative to the folder `base`.

        An application of the same name is replaced, once the new one's secrets have been read and its
        modules have compiled; should the new one not start, the old one is started again.
        Raises :class:`ModuleRefused`, :class:`ProviderRefused` (also for a secret this host does not
        have), :class:`InvalidInput` for a name that another application uses and for parts that do not fit
        together, such as a link whose contract its actor does not declare, or what a start function ends
        with.
        """
        modules = {spec.module: await _read(Path(base, spec.module)) for spec in application.actors}
        await self.deploy_modules(application, modules)

    async def deploy_modules(self, application: Application, modules: Mapping[str, bytes]) -> None:
        """Run `application` as :meth:`deploy` does; `modules` are bytes by the path in the manifest."""
        if self._tasks is None:
            raise Closed("the host is not open", hint="use it in `async with Host() as host:`")
        async with self._deploying:
            name, replaced = application.name, application.name in self.deployments
            try:
                await self._replace(application, modules, self._tasks)
            except ActorhostError as error:
                running = name in self.deployments
                failed = {"code": str(error.code), "reason": error.message, "running": running}
                self.events.emit(EventKind.DEPLOYMENT_FAILED, name, failed)
                raise
            done = {"version": application.version, "actors": len(application.actors), "replaced": replaced}
            self.events.emit(EventKind.APPLICATION_DEPLOYED, name, done)

    async def undeploy(self, name: str) -> list[str]:
        """Stop the application of that name and return the names of its actors, which are no more.

        What is in hand may finish within ``limits.stop_timeout``. Raises :class:`NoRoute` when this
        host runs no such application.
        """
        async with self._deploying:
            deployment = self.deployments.pop(name, None)
            if deployment is None:
                known = ", ".join(sorted(self.deployments)) or "none"
                raise NoRoute(f"no application {name!r} on this host", hint=f"it runs: {known}")
            actors = [str(actor.spec.name) for actor in deployment.actors]
            await deployment.stop(drain=self.limits.stop_timeout)
            deployment.forget()
            self.events.emit(EventKind.APPLICATION_UNDEPLOYED, name, {"actors": len(actors)})
            return actors

    async def ask(
        self, actor: str, operation: str, payload: bytes = b"", *, timeout: float | None = None
    ) -> bytes:
        """Return the reply of `actor` to one message; `timeout` is in seconds.

        The actor may live in this host or anywhere in its lattice. Raises a
        :class:`~actorhost.errors.CallFailed` that says how the call ended, and
        :class:`~actorhost.errors.InvalidInput` for arguments that cannot be sent.
        """
        deadline = deadline_after(timeout, self.limits)
        if type(payload) is not bytes:  # a call less for each message
            payload = payload_bytes(payload)
        return await self.router.ask(actor, OperationName.parse(operation), payload, deadline)

    async def tell(self, actor: str, operation: str, payload: bytes = b"") -> None:
        """Send one message that gets no answer; at most once, and handled within the actor's own time-out."""
        name, operation, payload = (
            ActorName.parse(actor),
            OperationName.parse(operation),
            payload_bytes(payload),
        )
        if not self.router.tell_local(name, operation, payload):
            await self.router.remote.tell(name, operation, payload)

    def engine_statistics(self) -> EngineStatistics:
        """Return what the engine counts."""
        return self._engine.statistics()

    def capability_statistics(self) -> dict[Counted, Tally]:
        """Return the calls over links of actors, by actor, target, link and operation."""
        return self._services.broker.statistics()

    def not_ready(self) -> list[str]:
        """Return why the host cannot serve now; nothing when it can."""
        if self._stopping.is_set():
            return ["the host is stopping"]
        if self._tasks is None:
            return ["the host is not open"]
        return [] if self.transport.statistics().connected else ["not connected to NATS"]

    def _transport(self, nats: str | None, transport: Transport | None) -> Transport:
        if nats is None:
            return transport or MemoryTransport(MemoryBus())
        if transport is not None:
            raise InvalidInput("a host takes `nats` or `transport`, not both", hint="leave one out")
        name = f"actorhost-{self.id}"
        return NatsTransport(nats, name=name, limits=self.limits, guarded=True, changed=self._on_connection)

    def _on_connection(self, connected: bool) -> None:
        # The transport is made first: the events are told through it.
        self.events.connection(connected)

    async def _replace(
        self, application: Application, modules: Mapping[str, bytes], tasks: TaskGroup
    ) -> None:
        """Run `application` instead of the one of its name, if there is one."""
        check_application(application)
        self._check_names(application)
        _check_modules(application, modules)
        deployment = Deployment(application, self._services, self.router)
        await deployment.read_secrets()
        deployment.check()
        await deployment.compile(modules)
        old = self.deployments.pop(application.name, None)
        if old is not None:
            await old.stop(drain=self.limits.stop_timeout)
        try:
            await deployment.start(tasks)
        except ActorhostError:
            deployment.forget()
            if old is not None:
                await old.start(tasks)
                self.deployments[application.name] = old
            raise
        self.deployments[application.name] = deployment
        if old is not None:
            old.forget()

    def _check_names(self, application: Application) -> None:
        for name, deployment in self.deployments.items():
            taken = {actor.spec.name for actor in deployment.actors} & {
                spec.name for spec in application.actors
            }
            if name != application.name and taken:
                raise InvalidInput(
                    f"application {name!r} already has actors named {', '.join(sorted(taken))}",
                    hint="actor names are unique in a lattice: rename one",
                )

    async def _run(self, started: asyncio.Future[None]) -> None:
        """Be open from `started` until told to stop; a failure before that is the future's."""
        try:
            async with self._engine, _opened(self.transport), anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self.router.run)
                tasks.start_soon(self.events.run)
                self.started_ns = clock.wall_ns()
                control = Control(self)
                try:
                    await tasks.start(control.run)
                except ActorhostError as error:
                    # Beyond this block it would be in an exception group.
                    started.set_exception(error)
                else:
                    started.set_result(None)
                    told = {"pid": os.getpid(), "version": package_version()}
                    self.events.emit(EventKind.HOST_STARTED, data=told)
                    await self._stopping.wait()
                    self.events.emit(EventKind.HOST_STOPPING)
                    await control.stop()
                    await self._stop_all()
                    await self.router.stop()
                    self.events.stop()
                tasks.cancel_scope.cancel()
        except ActorhostError as error:
            if started.done():
                raise
            started.set_exception(error)
        finally:
            self._tasks = None

    async def _end(self) -> None:
        """Tell the host's task to stop and wait for it; it ends also when the waiter is cancelled."""
        owner, self._owner = self._owner, None
        if owner is not None:
            self._stopping.set()
            await asyncio.shield(owner)

    async def _stop_all(self) -> None:
        """Stop every deployment; what is in hand may finish within ``limits.stop_timeout`` in all."""
        for deployment in self.deployments.values():
            await self.router.intake.detach(actor.spec.name for actor in deployment.actors)
        until = clock.monotonic() + self.limits.stop_timeout
        while self.deployments:
            _, deployment = self.deployments.popitem()
            await deployment.stop(drain=max(0.0, until - clock.monotonic()))
            deployment.forget()


@asynccontextmanager
async def _opened(transport: Transport) -> AsyncIterator[None]:
    await transport.start()
    try:
        yield
    finally:
        await transport.close()


def _check_modules(application: Application, modules: Mapping[str, bytes]) -> None:
    missing = sorted({spec.module for spec in application.actors} - modules.keys())
    if missing:
        raise InvalidInput(
            f"no bytes given for module {', '.join(missing)}",
            hint="`modules` maps each path in the manifest, as written there, to its bytes",
        )


async def _read(path: Path) -> bytes:
    try:
        return await anyio.Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read module {path}: {error.strerror}", hint="build it, or correct the path"
        ) from None
