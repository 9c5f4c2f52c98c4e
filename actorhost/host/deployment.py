"""One application running in this host: its providers and actors, started and stopped together.

Owned by the host. Providers start first, in the manifest's order, then actors; stopping reverses
that. A deployment that fails to start leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from actorhost.capability import Grants, ProviderGrant, Registry, Secrets
from actorhost.capability.grants import grant_of
from actorhost.contracts.provider import Link, Provider, Surroundings
from actorhost.engine import Module, Profile
from actorhost.errors import ActorhostError, ModuleRefused, ProviderFailed
from actorhost.host.actor import Actor
from actorhost.host.provider.child import ProcessProvider
from actorhost.host.provider.lattice import LatticeProvider
from actorhost.host.provider.remote import Around, RemoteProvider
from actorhost.host.router import Router
from actorhost.host.services import Services
from actorhost.ids import Digest
from actorhost.manifest import ActorSpec, Application, InstancePolicy, Place, ProviderSpec
from actorhost.telemetry.log import Log

_log: Final = Log("actorhost.host")


class Deployment:
    """`application` on its way up, running, or on its way down."""

    def __init__(self, application: Application, services: Services, router: Router) -> None:
        self.application = application
        self.actors: list[Actor] = []
        self._services = services
        self._router = router
        self._secrets = Secrets()
        surroundings = Surroundings(services.nats, self._call_linked, services.shared)
        self._registry = Registry(
            services.limits,
            services.providers,
            self._secrets,
            surroundings=surroundings,
            stand=self._stand,
        )
        self._modules: dict[str, Module] = {}
        self._linked: list[ProviderGrant] = []
        self._policies = {
            (actor.name, link.namespace, link.name): link.policy
            for actor in application.actors
            for link in actor.links
        }

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The providers that run, or what stands for them, by component name."""
        return self._registry.running

    async def compile(self, modules: Mapping[str, bytes]) -> None:
        """Compile every actor's module; `modules` holds their bytes by the path in the manifest.

        Raises :class:`ModuleRefused` naming the actor; nothing is running yet.
        """
        for spec in self.application.actors:
            try:
                self._modules[spec.name] = await self._compile(spec, modules[spec.module])
            except ModuleRefused as error:
                self.forget()
                raise ModuleRefused(f"actor {spec.name!r}: {error.message}", hint=error.hint) from None

    async def read_secrets(self) -> None:
        """Look up what the references in the configuration stand for.

        Raises :class:`ProviderRefused` that names those without a value; nothing is running yet.
        """
        # In a thread: the files may be on a slow disk or a network.
        await anyio.to_thread.run_sync(self._secrets.read, self.application)

    def check(self) -> None:
        """Raise what a provider refuses of its configuration or of a link; nothing is running yet.

        What a provider in the lattice refuses is known when it is linked.
        """
        try:
            local = (spec for spec in self.application.providers if spec.place is not Place.LATTICE)
            models: dict[str, Provider] = {spec.name: self._registry.model(spec) for spec in local}
            for actor in self.application.actors:
                for link in actor.links:
                    if link.target in models:
                        grant_of(actor, link, models, self._secrets)
        except BaseException:
            self.forget()
            raise

    async def start(self, tasks: TaskGroup) -> None:
        """Start providers and actors in `tasks`; on failure stop what was started and raise."""
        try:
            for provider in self.application.providers:
                await self._registry.start(provider)
            for spec in self.application.actors:
                await self._start_actor(spec, tasks)
            for actor in self.actors:
                await self._link(actor)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.stop()
            raise

    async def stop(self, *, drain: float = 0.0) -> None:
        """Take no more messages, then stop the actors and the providers, in reverse order.

        What waits or is in hand may finish within `drain` seconds; then it gets a fault. It may be
        started again until :meth:`forget`. A provider that does not stop is given up, and logged.
        """
        names = [actor.spec.name for actor in self.actors]
        await self._unlink_all()
        await self._router.intake.detach(names)
        with anyio.move_on_after(drain):
            # Callers first: what they call must still be there.
            for actor in reversed(self.actors):
                await actor.drained()
        await self._router.detach(names)
        while self.actors:
            actor = self.actors.pop()
            await actor.stop()
            self._services.broker.forget(actor.spec.name)
        try:
            await self._registry.close()
        except ProviderFailed as error:
            # It was told to and had its time; it must not keep others from stopping, or a successor.
            _log.error("provider not stopped", application=str(self.application.name), reason=error.message)

    def forget(self) -> None:
        """Free the compiled modules and the secrets; the deployment has stopped for good."""
        self._secrets.forget()
        while self._modules:
            self._services.engine.forget(self._modules.popitem()[1])

    async def _compile(self, spec: ActorSpec, wasm: bytes) -> Module:
        if spec.digest is not None and Digest.of(wasm) != spec.digest:
            raise ModuleRefused(
                f"{spec.module} has digest {Digest.of(wasm)}, and the manifest says {spec.digest}",
                hint="rebuild the module, or correct the digest",
            )
        return await self._services.engine.compile(
            wasm, memory=spec.memory, profile=Profile(spec.chosen_profile)
        )

    async def _start_actor(self, spec: ActorSpec, tasks: TaskGroup) -> None:
        grants = Grants.of(spec, self._registry.running, self._secrets)
        actor = Actor(spec, self._modules[spec.name], grants, self._services)
        await tasks.start(actor.run)
        self.actors.append(actor)
        await self._router.attach(actor)

    async def _link(self, actor: Actor) -> None:
        for grant in actor.grants.provided():
            self._linked.append(grant)
            await self._registry.link(grant.provider, grant.link)

    async def _unlink_all(self) -> None:
        while self._linked:
            grant = self._linked.pop()
            try:
                await self._registry.unlink(grant.provider, grant.link)
            except ActorhostError as error:
                facts = {"application": str(self.application.name), "provider": grant.provider}
                _log.error("provider not unlinked", **facts, reason=error.message)

    def _stand(self, spec: ProviderSpec, model: Provider | None) -> RemoteProvider:
        """Return what stands in this host for a provider that runs elsewhere."""
        services = self._services
        around = Around(
            transport=services.transport,
            lattice=services.lattice,
            host=services.host,
            limits=services.limits,
            events=services.events,
            nats=services.nats,
            hidden=self._secrets.hidden,
            offered=services.providers,
        )
        if model is None:
            return LatticeProvider(spec, around)
        return ProcessProvider(spec, model, around)

    def _call_linked(
        self, link: Link, operation: str, payload: bytes, *, timeout: float
    ) -> Coroutine[Any, Any, bytes]:
        """Call the actor of `link` for its provider, in a sandbox as the link or the actor wants it."""
        fresh = self._policies[link.actor, link.contract, link.name] is InstancePolicy.PER_CALL
        work = self._router.serve(link.actor, operation, payload, timeout, fresh=fresh)
        return self._services.broker.count(link, operation, work)
