"""The clock backend that reads the clocks of the host it runs in; it keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping

from actorhost import clock
from actorhost.contracts.clock_reading import Clock, MonotonicParams, NowParams, ResolutionParams
from actorhost.contracts.provider import Config, Link


class HostClock(Clock):
    """The clocks of the host; see the module."""

    def __init__(self, config: Mapping[str, object]) -> None:
        """Take an empty `config`."""
        super().__init__(config)
        Config.read(config, "provider clock")

    def check_link(self, link: Link) -> None:
        """Refuse a link that is configured: there is nothing to choose."""
        Config.read(link.config, f"the link {link.name!r} of actor {link.actor!r} to {link.contract}")

    async def now(self, link: Link, params: NowParams) -> int:  # noqa: ARG002
        """Return the time since the Unix epoch."""
        return clock.wall_ns()

    async def monotonic(self, link: Link, params: MonotonicParams) -> int:  # noqa: ARG002
        """Return a time that never goes back."""
        return clock.monotonic_ns()

    async def resolution(self, link: Link, params: ResolutionParams) -> int:  # noqa: ARG002
        """Return the least difference that both clocks can tell."""
        return clock.resolution_ns()
