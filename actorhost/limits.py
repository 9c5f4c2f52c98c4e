"""Every timeout and limit of a host in one table: name, environment name, default, unit, reason.

A limit is read from its environment variable once, when :func:`load` is called; a value that is
no number or out of range is refused with :class:`InvalidLimit`, never replaced by a default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from actorhost.errors import InvalidLimit

KIB: Final = 1024
MIB: Final = 1024 * KIB
PAGE: Final = 64 * KIB
"""Bytes in one page of Wasm linear memory."""


def _limit(default: float, unit: str, low: float, high: float, reason: str) -> Any:
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "reason": reason})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one host; each field's metadata holds unit, range and reason.

    The environment name of ``call_timeout`` is ``ACTORHOST_CALL_TIMEOUT``, and so on.
    """

    call_timeout: float = _limit(5.0, "s", 0.001, 3600, "a caller that says nothing waits this long")
    max_message: int = _limit(
        768 * KIB, "bytes", 1 * KIB, 64 * MIB, "fits NATS's default of 1 MiB with its envelope"
    )
    max_depth: int = _limit(16, "calls", 1, 64, "a chain of actors calling actors ends instead of circling")
    mailbox_count: int = _limit(1024, "messages", 1, 1_000_000, "a backlog longer than this is late anyway")
    mailbox_bytes: int = _limit(16 * MIB, "bytes", 64 * KIB, 4096 * MIB, "bounds what a full mailbox holds")
    host_mailbox_count: int = _limit(
        100_000, "messages", 1, 100_000_000, "what all mailboxes of a host hold together"
    )
    host_mailbox_bytes: int = _limit(
        256 * MIB,
        "bytes",
        64 * KIB,
        65_536 * MIB,
        "bounds a host's memory whatever its actors' mailboxes add up to",
    )
    memory: int = _limit(4 * MIB, "bytes", 1 * MIB, 4096 * MIB, "linear memory of one instance")
    table_elements: int = _limit(100_000, "elements", 1, 10_000_000, "Go guests need about 20,000")
    max_module: int = _limit(64 * MIB, "bytes", 8, 512 * MIB, "compilation cannot be interrupted")
    start_timeout: float = _limit(5.0, "s", 0.001, 600, "start functions of a guest together")
    stop_timeout: float = _limit(5.0, "s", 0.001, 600, "what is in hand may finish within this")
    connect_timeout: float = _limit(5.0, "s", 0.001, 600, "first connection to a NATS server")
    bus_timeout: float = _limit(5.0, "s", 0.01, 600, "a NATS server that takes nothing for this long is gone")
    outbox_bytes: int = _limit(
        8 * MIB, "bytes", 64 * KIB, 1024 * MIB, "what waits for a NATS server, at most"
    )
    server_ready: float = _limit(10.0, "s", 0.1, 600, "the embedded nats-server answers within this")

    def __post_init__(self) -> None:
        """Refuse values outside their range with :class:`InvalidLimit`."""
        for item in fields(self):
            low, high, unit = item.metadata["low"], item.metadata["high"], item.metadata["unit"]
            value = getattr(self, item.name)
            if not low <= value <= high:
                raise InvalidLimit(
                    f"limit {item.name} = {value} {unit} is out of range",
                    hint=f"use {low} to {high} {unit}, or leave it out for {item.default}",
                )


def environment_name(name: str) -> str:
    """Return the environment variable that overrides limit `name`."""
    return f"ACTORHOST_{name.upper()}"


def load(environ: Mapping[str, str] | None = None) -> Limits:
    """Return the limits with overrides from `environ` (``os.environ`` when not given).

    Raises :class:`InvalidLimit` when an override is no number or out of range.
    """
    environ = os.environ if environ is None else environ
    chosen: dict[str, Any] = {}
    for item in fields(Limits):
        text = environ.get(environment_name(item.name))
        if text is None:
            continue
        try:
            chosen[item.name] = int(text) if isinstance(item.default, int) else float(text)
        except ValueError:
            raise InvalidLimit(
                f"{environment_name(item.name)}={text!r} is not a number",
                hint=f"give {item.metadata['unit']} as a number, or unset it for {item.default}",
            ) from None
    return Limits(**chosen)
