"""What one invocation did, to be shown: within bounds, for a guest may call and log without end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from actorhost.cli import payload
from actorhost.cli.failure import facts
from actorhost.errors import ActorhostError
from actorhost.host.log import KEPT_LINES, LONGEST_LINE
from actorhost.limits import MIB

KEPT_CALLS: Final = 1000
KEPT_BYTES: Final = MIB
"""Of all calls together, and of all lines; the call that passes it is the last one kept."""


@dataclass(frozen=True)
class Call:
    """A capability call of the guest; without a reply it was `refused`, for that reason."""

    binding: str
    namespace: str
    operation: str
    payload: bytes
    reply: bytes | None = None
    refused: str = ""

    def size(self) -> int:
        """Return about how much there is to show."""
        texts = len(self.binding) + len(self.namespace) + len(self.operation) + len(self.refused)
        return texts + len(self.payload) + len(self.reply or b"")


@dataclass
class Calls:
    """The first calls of the guest, and how many more there were."""

    kept: list[Call] = field(default_factory=list)
    dropped: int = 0
    _bytes: int = 0

    def add(self, call: Call) -> None:
        """Keep `call` if there is room."""
        if len(self.kept) >= KEPT_CALLS or self._bytes >= KEPT_BYTES:
            self.dropped += 1
            return
        self.kept.append(call)
        self._bytes += call.size()


@dataclass
class Lines:
    """The last lines the guest has logged, how many there were before, and how many were cut short."""

    kept: deque[tuple[str, str]] = field(default_factory=deque)
    dropped: int = 0
    cut: int = 0
    _characters: int = 0

    def write(self, source: str, text: str) -> None:
        """Keep each line of `text`, which came from `source`; the oldest make room."""
        for line in text.splitlines():
            self.cut += len(line) > LONGEST_LINE
            self.kept.append((source, line[:LONGEST_LINE]))
            self._characters += len(self.kept[-1][1])
            while len(self.kept) > KEPT_LINES or self._characters > KEPT_BYTES:
                self._characters -= len(self.kept.popleft()[1])
                self.dropped += 1


@dataclass
class Report:
    """All there is to say about one invocation; times are in milliseconds."""

    status: str = "ok"
    reply: bytes = b""
    error: ActorhostError | None = None
    calls: Calls = field(default_factory=Calls)
    log: Lines = field(default_factory=Lines)
    load_ms: float = 0.0
    call_ms: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        yield f"status  {self.status}"
        if self.error is None:
            shown = payload.show(self.reply) if self.reply else ""
            yield f"reply   {shown}  ({len(self.reply)} bytes)"
        else:
            place = f" [{self.error.where}]" if self.error.where else ""
            yield f"error   {self.error.message}{place}"
            if self.error.hint:
                yield f"hint    {self.error.hint}"
        yield from self._call_lines()
        yield from self._log_lines()
        yield f"time    {self.call_ms:.3f} ms, after {self.load_ms:.1f} ms to load"

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        error = self.error
        return {
            "status": str(self.status),
            "reply": payload.as_json(self.reply) if error is None else None,
            "reply_bytes": len(self.reply),
            "reply_hex": self.reply.hex(),
            "error": None if error is None else facts(error),
            "calls": [_call_as_json(call) for call in self.calls.kept],
            "calls_dropped": self.calls.dropped,
            "log": [{"source": source, "text": text} for source, text in self.log.kept],
            "log_dropped": self.log.dropped,
            "log_cut": self.log.cut,
            "load_ms": round(self.load_ms, 3),
            "time_ms": round(self.call_ms, 3),
        }

    def _call_lines(self) -> Iterator[str]:
        for call in self.calls.kept:
            result = f"refused: {call.refused}" if call.reply is None else payload.show(call.reply)
            address = f"{call.binding or 'default'} {call.namespace} {call.operation}"
            yield f"call    {address} {payload.show(call.payload)} -> {result}"
        if self.calls.dropped:
            yield f"call    (not shown: {self.calls.dropped} more)"

    def _log_lines(self) -> Iterator[str]:
        if self.log.dropped:
            yield f"log     (not shown: {self.log.dropped} earlier)"
        for source, text in self.log.kept:
            yield f"log     {source}: {text}"
        if self.log.cut:
            yield f"log     (cut at {LONGEST_LINE} characters: {self.log.cut})"


def _call_as_json(call: Call) -> dict[str, Any]:
    return {
        "binding": call.binding,
        "namespace": call.namespace,
        "operation": call.operation,
        "payload": payload.as_json(call.payload),
        "payload_hex": call.payload.hex(),
        "reply": None if call.reply is None else payload.as_json(call.reply),
        "refused": call.refused or None,
    }
