"""One bucket as a JetStream stream: a subject for each key, and the last message of it is the entry.

Holds the connection it was given and nothing else; the entries are the server's. A revision is the
message's number in the stream, which never repeats. Conditions are the server's own fences (the
expected number of the subject's last message), and deleting a message by its number removes exactly
that revision. Reads ask the stream's leader: direct gets may be stale. Several entries at once are
an atomic batch (ADR-50).

The server removes an entry after whole seconds (ADR-43), later when it was away, so what it still has
is checked against its clock. For listings, which see only subjects, a second subject marks each key
that may expire. All this needs nats-server 2.12.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from actorhost.contracts.keyvalue import Entry
from actorhost.errors import OutcomeUnknown, ProviderFailed
from actorhost_providers.kv.nats_clock import ServerClock
from actorhost_providers.kv.nats_requests import NoStream, Requests
from actorhost_providers.kv.nats_subject import Subjects

_NOT_FOUND: Final = frozenset({10037, 10043})
_WRONG_SEQUENCE: Final = frozenset({10071, 10164})
_FULL: Final = frozenset({10047, 10077, 10122})
_NAME_IN_USE: Final = 10058
_NO_STREAM: Final = 10059
_NO_PLACE: Final = frozenset({10210, 10176})
"""Error codes for a batch that is one too many, as a whole or for its first messages only."""
_PAGE: Final = 100_000
"""Subjects in one answer of the server."""
_AT_ONCE: Final = 64
"""Reads for one call on their way at a time."""
_BATCHES: Final = 8
"""Batches on their way at a time: the server takes 50 for a stream, from all hosts."""
_BATCH_WAITS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds before a batch that found no place is tried again."""
_MARK_LONGER: Final = 60
"""Seconds that the mark of an expiring key outlasts its entry."""
_TTL: Final = "Actorhost-TTL"
"""Header with the time to live in milliseconds."""


class ConditionFailed(Exception):
    """The key had another revision than the write expected."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the server has under a key; expired it counts as absent, but still fences writes."""

    entry: Entry
    expired: bool


class NatsBucket:
    """The entries of bucket `name`, through `requests`: at most `max_bytes` on each of `replicas` servers."""

    def __init__(self, requests: Requests, name: str, *, max_bytes: int, replicas: int) -> None:
        self._requests = requests
        self._subjects = Subjects(name)
        self._max_bytes = max_bytes
        self._replicas = replicas
        self._clock = ServerClock()
        self._made = False
        self._making = asyncio.Lock()
        self._batches = asyncio.Semaphore(_BATCHES)

    async def ready(self) -> None:
        """Make the stream, or adapt the one that is there, unless that was done."""
        if self._made:
            return
        async with self._making:
            if not self._made:
                await self._make()

    async def find(self, key: str) -> Found | None:
        """Return what the server has under `key`."""
        answer = await self._api("STREAM.MSG.GET", {"last_by_subj": self._subjects.of(key)})
        if _code(answer) in _NOT_FOUND:
            return None
        self._check(answer)
        message = answer["message"]
        entry = Entry(base64.b64decode(message.get("data", "")), int(message["seq"]))
        ttl_ms = _ttl_of(message.get("hdrs", ""))
        if ttl_ms is None:
            return Found(entry, expired=False)
        if not self._clock.known:
            await self._info({})
        return Found(entry, expired=self._clock.has_passed(message["time"], ttl_ms))

    async def get(self, key: str) -> Entry | None:
        """Return the entry under `key`."""
        found = await self.find(key)
        return None if found is None or found.expired else found.entry

    async def get_many(self, keys: Sequence[str]) -> list[Entry | None]:
        """Return the entries under `keys`, each as it is at its own moment."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(key: str) -> Entry | None:
            async with room:
                return await self.get(key)

        return await asyncio.gather(*map(one, keys))

    async def put(self, key: str, value: bytes, *, ttl_ms: int | None, fence: int | None) -> int:
        """Store `value` and return its revision; raises :class:`ConditionFailed`.

        `fence` is the revision of what the server must have under `key`, 0 for nothing at all.
        """
        headers: dict[str, str] = {}
        if fence is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(fence)
        if ttl_ms is not None:
            seconds = -(-ttl_ms // 1000)
            headers |= {"Nats-TTL": f"{seconds}s", _TTL: str(ttl_ms)}
            # On the same connection, so it is in the stream before the entry is.
            await self._requests.tell(
                self._subjects.mark(key), b"", {"Nats-TTL": f"{seconds + _MARK_LONGER}s"}
            )
        answer = await self._ask(self._subjects.of(key), value, headers, writes=True)
        if _code(answer) in _WRONG_SEQUENCE:
            raise ConditionFailed
        return self._number(answer)

    async def put_all(self, entries: Sequence[tuple[str, bytes]]) -> list[int]:
        """Store all entries or none, and return their revisions."""
        if not entries:
            return []
        if len(entries) == 1:
            return [await self.put(*entries[0], ttl_ms=None, fence=None)]
        async with self._batches:
            answer = await self._send_batch(entries)
            for seconds in _BATCH_WAITS:
                if _code(answer) not in _NO_PLACE:
                    break
                await asyncio.sleep(seconds)
                answer = await self._send_batch(entries)
        last = self._number(answer)
        return list(range(last - len(entries) + 1, last + 1))

    async def remove(self, revision: int) -> bool:
        """Remove the entry with that revision; false when there is none any more."""
        answer = await self._api("STREAM.MSG.DELETE", {"seq": revision}, writes=True)
        if not _code(answer):
            return True
        # A message that there is not has several errors here, some of them shared with real failures.
        if _code(await self._api("STREAM.MSG.GET", {"seq": revision})) in _NOT_FOUND:
            return False
        raise self._failed(answer)

    async def keys(self, prefix: str, after: str, count: int) -> list[str]:
        """Return the first `count` keys that start with `prefix` and come after `after`, in byte order."""
        low, start = after.encode(), prefix.encode()
        keys, marked = await self._listed()
        wanted = sorted(key for key in keys if key.startswith(start) and key > low)
        found: list[str] = []
        for first in range(0, len(wanted), count):
            found += await self._present(wanted[first : first + count], marked)
            if len(found) >= count:
                break
        return found[:count]

    async def _present(self, keys: Sequence[bytes], marked: set[bytes]) -> list[str]:
        """Return those of `keys` that have not expired."""
        doubtful = [key.decode() for key in keys if key in marked]
        entries = await self.get_many(doubtful)
        gone = {key for key, entry in zip(doubtful, entries, strict=True) if entry is None}
        return [key for key in map(bytes.decode, keys) if key not in gone]

    async def _listed(self) -> tuple[list[bytes], set[bytes]]:
        """Return all keys that the server has, in no order, and those with a mark."""
        keys, marked, offset, total = list[bytes](), set[bytes](), 0, 1
        while offset < total:
            answer = await self._info({"subjects_filter": self._subjects.all, "offset": offset})
            listed = answer.get("state", {}).get("subjects") or {}
            total = int(answer.get("total", len(listed)))
            offset += _PAGE
            for subject in listed:
                key, is_mark = self._subjects.parse(subject)
                if is_mark:
                    marked.add(key)
                else:
                    keys.append(key)
        return keys, marked

    async def _send_batch(self, entries: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        """Send a whole batch and return the answer to its last message."""
        headers = {"Nats-Batch-Id": os.urandom(16).hex()}
        *rest, (last_key, last_value) = entries
        for number, (key, value) in enumerate(rest, 1):
            headers["Nats-Batch-Sequence"] = str(number)
            await self._requests.tell(self._subjects.of(key), value, headers)
        headers |= {"Nats-Batch-Sequence": str(len(entries)), "Nats-Batch-Commit": "1"}
        return await self._ask(self._subjects.of(last_key), last_value, headers, writes=True)

    async def _make(self) -> None:
        wanted = {
            "name": self._subjects.stream,
            "subjects": self._subjects.patterns,
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "max_msgs_per_subject": 1,
            "max_bytes": self._max_bytes,
            "num_replicas": self._replicas,
            "allow_msg_ttl": True,
            "allow_atomic": True,
        }
        answer = await self._api("STREAM.CREATE", wanted)
        if _code(answer) == _NAME_IN_USE:
            answer = await self._api("STREAM.UPDATE", wanted)
        self._check(answer)
        config = answer.get("config", {})
        if not (config.get("allow_msg_ttl") and config.get("allow_atomic")):
            raise ProviderFailed(
                f"the NATS server keeps no stream such as {self._subjects.stream} needs",
                hint="use nats-server 2.12 or newer",
            )
        self._clock.learn(answer["ts"])
        self._made = True

    async def _info(self, query: dict[str, Any]) -> dict[str, Any]:
        answer = await self._api("STREAM.INFO", query)
        self._check(answer)
        self._clock.learn(answer["ts"])
        return answer

    async def _api(self, what: str, request: dict[str, Any], *, writes: bool = False) -> dict[str, Any]:
        body = msgspec.json.encode(request)
        return await self._ask(f"$JS.API.{what}.{self._subjects.stream}", body, None, writes=writes)

    async def _ask(
        self, subject: str, data: bytes, headers: dict[str, str] | None, *, writes: bool
    ) -> dict[str, Any]:
        try:
            answer = await self._requests.ask(subject, data, headers, writes=writes)
        except NoStream:
            self._made = False
            raise
        if _code(answer) == _NO_STREAM:
            self._made = False
        return answer

    def _number(self, answer: dict[str, Any]) -> int:
        self._check(answer)
        number = answer.get("seq")
        if not isinstance(number, int):
            raise OutcomeUnknown(f"stream {self._subjects.stream} answered a write with no number")
        return number

    def _check(self, answer: dict[str, Any]) -> None:
        if _code(answer):
            raise self._failed(answer)

    def _failed(self, answer: dict[str, Any]) -> ProviderFailed:
        code = _code(answer)
        hint = "look at the stream with `nats stream info`"
        if code in _FULL:
            hint = f"delete keys, or raise max_bytes ({self._max_bytes}) in the provider's configuration"
        reason = answer["error"].get("description", "an error without a description")
        failed = ProviderFailed(f"stream {self._subjects.stream}: {reason}", hint=hint)
        failed.retryable = code in _NO_PLACE or code == _NO_STREAM
        return failed


def _code(answer: dict[str, Any]) -> int:
    error = answer.get("error")
    return 0 if error is None else int(error.get("err_code") or 1)


def _ttl_of(headers: str) -> int | None:
    """Return the milliseconds to live that the headers of an answer tell, None for for ever."""
    _, found, rest = base64.b64decode(headers).partition(f"{_TTL}: ".encode())
    return int(rest.partition(b"\r\n")[0]) if found else None
