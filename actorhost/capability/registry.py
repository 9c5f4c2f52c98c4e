"""The providers running in this host: found by entry point, started, stopped.

Owned by the host. :meth:`Registry.close` stops what is running, in reverse order; a provider
that fails to start is stopped again and never seen by a link. Providers keep what they keep.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final

from actorhost.capability.elsewhere import Stand
from actorhost.capability.redaction import blot, describe, secrets_of
from actorhost.capability.secrets import Secrets
from actorhost.contracts.provider import Link, Provider, Surroundings
from actorhost.errors import ActorhostError, ProviderFailed, ProviderRefused, Unavailable
from actorhost.ids import ContractId
from actorhost.limits import Limits
from actorhost.manifest.model import Place, ProviderSpec

GROUP: Final = "actorhost.providers"
"""The entry point group in which packages offer provider classes."""


class Registry:
    """The providers of a host, by their component name."""

    def __init__(
        self,
        limits: Limits,
        offered: Mapping[str, type[Provider]] | None = None,
        secrets: Secrets | None = None,
        *,
        surroundings: Surroundings | None = None,
        stand: Stand | None = None,
    ) -> None:
        """Start and stop providers within `limits`; `offered` are classes beside the installed ones.

        `secrets` holds what the references in configurations stand for, `surroundings` is what the host
        gives its providers. `stand` makes what stands for those that run elsewhere.
        """
        self._stand = stand
        self._surroundings = surroundings or Surroundings()
        self._limits = limits
        self._offered = offered or {}
        self._secrets = secrets or Secrets()
        self._running: dict[str, Provider] = {}

    @property
    def running(self) -> Mapping[str, Provider]:
        """The providers that are running, by component name, in the order they were started."""
        return MappingProxyType(self._running)

    async def start(self, spec: ProviderSpec) -> Provider:
        """Start the provider of `spec` and return it.

        Raises :class:`ProviderRefused` when it is not installed, does not serve the contract,
        refuses its configuration or is running already; and :class:`ProviderFailed` when it
        does not start within the limit ``start_timeout``.
        """
        if spec.name in self._running:
            raise ProviderRefused(f"provider {spec.name!r} is already running", hint="stop it, or rename one")
        provider = self._placed(spec)
        provider.surroundings = self._surroundings
        try:
            await self._within(
                self._limits.start_timeout, provider.start(), f"start provider {spec.name!r}", provider
            )
        except BaseException as error:
            await self._stop_after(error, spec.name, provider)
            raise
        self._running[spec.name] = provider
        return provider

    async def link(self, name: str, link: Link) -> None:
        """Tell provider `name` that the actor of `link` runs; raises what it refuses the link with.

        Anything foreign, and a provider that takes longer than the limit ``start_timeout``, is a
        :class:`ProviderFailed`; one that is not running, or is being stopped, :class:`Unavailable`.
        """
        provider = self._now(name)
        what = f"link actor {link.actor!r} to provider {name!r}"
        await self._within(self._limits.start_timeout, provider.linked(link), what, provider)

    async def relink(self, name: str, links: Sequence[Link]) -> None:
        """Tell provider `name`, started again, of all `links` there were; raises as :meth:`link` does.

        It has the limit ``start_timeout`` for each of them.
        """
        provider = self._now(name)
        what = f"link {len(links)} actors to provider {name!r} again"
        await self._within(self._limits.start_timeout * len(links), provider.relinked(links), what, provider)

    async def unlink(self, name: str, link: Link) -> None:
        """Tell provider `name` that the actor of `link` is about to stop; raises as :meth:`link` does."""
        provider = self._now(name)
        what = f"unlink actor {link.actor!r} from provider {name!r}"
        await self._within(self._limits.stop_timeout, provider.unlinked(link), what, provider)

    async def stop(self, name: str) -> None:
        """Stop the provider of that name; raises :class:`ProviderFailed` when it resists."""
        await self._stop(name, self._running.pop(name))

    async def close(self) -> None:
        """Stop all in reverse order, then raise :class:`ProviderFailed` if any of them resisted."""
        failures: list[str] = []
        for name in reversed(list(self._running)):
            try:
                await self.stop(name)
            except ActorhostError as error:
                failures.append(str(error))
        if failures:
            raise ProviderFailed("; ".join(failures))

    def find(self, name: str, contract: ContractId | None) -> type[Provider]:
        """Return the class of entry point `name`, fit for `contract` if one is given.

        Raises :class:`ProviderRefused` when it is not installed, not whole or serves another contract.
        """
        found = self._load(name)
        if not (inspect.isclass(found) and issubclass(found, Provider)):
            raise ProviderRefused(f"{name!r} of {GROUP} is no provider class", hint="subclass Provider")
        if contract is not None and found.contract.id != contract:
            raise ProviderRefused(
                f"provider {name!r} does not serve {contract}", hint=f"it serves {found.contract.id}"
            )
        missing = [
            operation.method
            for operation in found.contract.operations.values()
            if not _is_written(getattr(found, operation.method, None))
        ]
        if missing:
            raise ProviderRefused(
                f"provider {name!r} lacks operations of {found.contract.id}",
                hint=f"write these as async methods: {', '.join(missing)}",
            )
        return found

    def examine(self, provider: Provider, spec: ProviderSpec) -> None:
        """Refuse what starting `provider` would, as far as that can be told without; see the provider."""
        try:
            provider.examine()
        except ActorhostError:
            raise
        except Exception as error:  # noqa: BLE001 - the seam where foreign exceptions are translated
            why = describe(error, self._hidden(spec.config))
            raise ProviderRefused(
                f"provider {spec.name!r} could not be looked at: {why}", hint="report it to its author"
            ) from None

    def model(self, spec: ProviderSpec) -> Provider:
        """Return a provider as `spec` says, not started; raises what :meth:`find` and :meth:`make` do."""
        return self.make(self.find(spec.provider, spec.contract), spec)

    def make(self, kind: type[Provider], spec: ProviderSpec) -> Provider:
        """Return a provider of class `kind`, not started.

        Raises :class:`ProviderRefused` when it does not take its configuration.
        """
        config = self._secrets.fill(spec.config)
        try:
            return kind(config)
        except ActorhostError as error:
            blot(error, self._secrets.hidden)
            raise
        except Exception as error:  # noqa: BLE001 - the seam where foreign exceptions are translated
            why = describe(error, self._hidden(config))
            raise ProviderRefused(
                f"provider {spec.name!r} could not be made from its configuration: {why}",
                hint=f"look at what {spec.provider!r} takes",
            ) from None

    def _placed(self, spec: ProviderSpec) -> Provider:
        """Return the provider of `spec`, or what stands for it, not started."""
        if spec.place is Place.HOST:
            return self.model(spec)
        if self._stand is None:
            raise ProviderRefused(
                f"provider {spec.name!r} cannot run elsewhere (place: {spec.place}) than here",
                hint="leave out its place",
            )
        if spec.place is Place.LATTICE:
            return self._stand(spec, None)
        return self._stand(spec, self.model(spec))

    def _now(self, name: str) -> Provider:
        provider = self._running.get(name)
        if provider is None:
            raise Unavailable(f"provider {name!r} is not running any more", hint="deploy it again")
        return provider

    def _load(self, name: str) -> object:
        if name in self._offered:
            return self._offered[name]
        points = entry_points(group=GROUP)
        for point in points:
            if point.name == name:
                return _imported(point)
        offered = sorted({*self._offered, *(point.name for point in points)})
        raise ProviderRefused(
            f"provider {name!r} is not installed", hint=f"installed: {', '.join(offered) or 'none'}"
        )

    async def _stop(self, name: str, provider: Provider) -> None:
        await self._within(self._limits.stop_timeout, provider.stop(), f"stop provider {name!r}", provider)

    async def _stop_after(self, error: BaseException, name: str, provider: Provider) -> None:
        """Stop what failed to start; `error` is what is raised, whatever comes of it."""
        try:
            await self._stop(name, provider)
        except ActorhostError as second:
            error.add_note(str(second))

    async def _within(
        self, seconds: float, work: Coroutine[Any, Any, None], what: str, provider: Provider
    ) -> None:
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                await work
        except ActorhostError as error:
            blot(error, self._secrets.hidden)
            raise
        except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the seam for foreign ones; sys.exit() is no way out
            hidden = self._hidden(provider.config)
            why = f"no end within {seconds:g} s" if scope.expired() else describe(error, hidden)
            message = f"could not {what}: {why}"
            raise ProviderFailed(message, hint="look at its configuration and what it connects to") from None

    def _hidden(self, config: Mapping[str, object]) -> tuple[str, ...]:
        return self._secrets.hidden + secrets_of(config)


def _is_written(method: object) -> bool:
    return inspect.iscoroutinefunction(method) and not getattr(method, "__isabstractmethod__", False)


def _needs(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "the package that offers it"
    return f"pip install '{package}[{','.join(point.extras)}]'" if point.extras else f"see {package}"


def _imported(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise ProviderRefused(
            f"provider {point.name!r} cannot be imported from {point.value}: {error}",
            hint=f"install what it needs: {_needs(point)}",
        ) from error
