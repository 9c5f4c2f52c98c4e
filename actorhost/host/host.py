"""The host: the composition root, and the public way to run actors inside any Python program.

``async with Host() as host`` opens an engine and a transport; leaving the block stops every
application and closes both. One host belongs to one event loop.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import anyio
from anyio.abc import TaskGroup

from actorhost import clock
from actorhost import limits as limits_module
from actorhost.capability import Broker
from actorhost.engine import Engine, EngineStatistics
from actorhost.errors import Closed, InvalidInput
from actorhost.host.deployment import Deployment
from actorhost.host.router import Router
from actorhost.ids import ActorName, HostId, LatticeName, OperationName
from actorhost.limits import Limits
from actorhost.manifest import Application
from actorhost.transport import MemoryBus, MemoryTransport, NatsTransport, Transport


class Host:
    """Runs the actors of applications.

    `nats` is the URL of a NATS server; without one the host is alone, and its actors are reached
    through :meth:`ask` and :meth:`tell` only. `cache` is a directory for compiled modules. Limits
    not given come from the environment (see :mod:`actorhost.limits`).
    """

    def __init__(
        self,
        *,
        nats: str | None = None,
        lattice: str = "default",
        limits: Limits | None = None,
        cache: Path | None = None,
    ) -> None:
        self.id = HostId.new()
        self.lattice = LatticeName.parse(lattice)
        self.limits = limits or limits_module.load()
        self.deployments: dict[str, Deployment] = {}
        self.transport: Transport = (
            MemoryTransport(MemoryBus())
            if nats is None
            else NatsTransport(nats, name=f"actorhost-{self.id}", limits=self.limits)
        )
        self.router = Router(self.transport, self.lattice, self.id, self.limits)
        self.started_ns = 0
        self._broker = Broker(self.router.call_actor)
        self._engine = Engine(self.limits, cache=cache)
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup | None = None
        self._deploying = anyio.Lock()

    async def __aenter__(self) -> Self:
        """Open engine and transport; raises :class:`EngineUnavailable`, :class:`ServerUnavailable`."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._engine)
            await self.transport.start()
            stack.push_async_callback(self.transport.close)
            self._tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(self._tasks.cancel_scope.cancel)
            stack.callback(self.router.close)
            self._tasks.start_soon(self.router.run)
            stack.push_async_callback(self._stop_all)
            self.started_ns = clock.wall_ns()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop everything, newest first."""
        await self._stack.__aexit__(None, None, None)
        self._tasks = None

    async def deploy(self, application: Application, base: Path) -> None:
        """Run `application`; module paths are relative to the folder `base`.

        An application of the same name is replaced, once the new one's modules have compiled.
        Raises :class:`ModuleRefused`, :class:`ProviderRefused`, :class:`InvalidInput` for a name
        that another application uses, or what a start function ends with.
        """
        modules = {spec.module: await _read(base / spec.module) for spec in application.actors}
        await self.deploy_modules(application, modules)

    async def deploy_modules(self, application: Application, modules: dict[str, bytes]) -> None:
        """Run `application` as :meth:`deploy` does; `modules` are bytes by the path in the manifest."""
        if self._tasks is None:
            raise Closed("the host is not open", hint="use it in `async with Host() as host:`")
        async with self._deploying:
            self._check_names(application)
            deployment = Deployment(
                application, engine=self._engine, broker=self._broker, router=self.router, limits=self.limits
            )
            await deployment.compile(modules)
            old = self.deployments.pop(application.name, None)
            if old is not None:
                await old.stop()
            await deployment.start(self._tasks)
            self.deployments[application.name] = deployment

    async def ask(
        self, actor: str, operation: str, payload: bytes = b"", *, timeout: float | None = None
    ) -> bytes:
        """Return the reply of `actor` to one message; `timeout` is in seconds.

        The actor may live in this host or anywhere in its lattice. Raises a
        :class:`~actorhost.errors.CallFailed` that says how the call ended.
        """
        deadline = clock.monotonic() + (self.limits.call_timeout if timeout is None else timeout)
        return await self.router.ask(
            ActorName.parse(actor), OperationName.parse(operation), payload, deadline
        )

    async def tell(self, actor: str, operation: str, payload: bytes = b"") -> None:
        """Send one message that gets no answer; at most once."""
        name, operation = ActorName.parse(actor), OperationName.parse(operation)
        deadline = clock.monotonic() + self.limits.call_timeout
        if not self.router.tell_local(name, operation, payload, deadline):
            await self.router.remote.tell(name, operation, payload, deadline)

    def engine_statistics(self) -> EngineStatistics:
        """Return what the engine counts."""
        return self._engine.statistics()

    def _transport(self, nats: str | None) -> Transport:
        if nats is None:
            return MemoryTransport(MemoryBus())
        return NatsTransport(nats, name=f"actorhost-{self.id}", limits=self.limits)

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

    async def _stop_all(self) -> None:
        while self.deployments:
            _, deployment = self.deployments.popitem()
            await deployment.stop()


async def _read(path: Path) -> bytes:
    try:
        return await anyio.Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read module {path}: {error.strerror}", hint="build it, or correct the path"
        ) from None
