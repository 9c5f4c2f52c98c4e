"""What links to SQL backends may say, and what that leaves a call: its rights, time and room.

Pure; the same for every backend, so that one can take the place of another.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from actorhost.contracts.provider import Config, Link
from actorhost.contracts.sql import MAX_ROWS
from actorhost.errors import Denied
from actorhost.ids import ActorName

MIB: Final = 1024 * 1024
MAX_ROW: Final = MIB // 2
"""Largest row, and all that ``execute`` or ``batch`` returns, in bytes on the wire."""


class LinkConfig(Config, frozen=True, rename="kebab"):
    """Configuration of a link: whether it may write, seconds for a statement, bytes for a result."""

    read_only: bool = False
    statement_timeout: Annotated[float, Meta(ge=0.01, le=600)] = 5.0
    max_result: Annotated[int, Meta(ge=1024, le=64 * MIB)] = 8 * MIB


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call of `actor` may take: `seconds`, and `size` in bytes and `rows` of what comes back."""

    actor: ActorName
    seconds: float
    size: int
    rows: int = sys.maxsize
    hint: str = ""


def config_of(link: Link) -> LinkConfig:
    """Return the configuration of a link, or raise :class:`~actorhost.errors.ProviderRefused`."""
    return LinkConfig.read(link.config, f"the link {link.name!r} of actor {link.actor!r} to {link.contract}")


def read_bounds(link: Link, config: LinkConfig, timeout_ms: int | None) -> Bounds:
    """Return what a query over `link` may take."""
    hint = "select less with LIMIT, page by a key, or raise max-result of the link"
    return Bounds(link.actor, _seconds(config, timeout_ms), config.max_result, hint=hint)


def write_bounds(link: Link, config: LinkConfig, timeout_ms: int | None) -> Bounds:
    """Return what an execute or batch over `link` may take."""
    hint = "nothing was done; return less, or write first and query then"
    return Bounds(link.actor, _seconds(config, timeout_ms), MAX_ROW, MAX_ROWS, hint=hint)


def check_writable(link: Link, config: LinkConfig) -> None:
    """Raise :class:`Denied` when the link is read-only."""
    if config.read_only:
        raise Denied(
            f"actor {link.actor!r} may only query over link {link.name!r}, which is read-only",
            hint="take read-only out of the link's configuration if it shall write",
        )


def _seconds(config: LinkConfig, timeout_ms: int | None) -> float:
    return min(config.statement_timeout, (timeout_ms or 600_000) / 1000)
