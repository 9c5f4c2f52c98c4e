"""One bucket as a JetStream stream: a subject for each key, and the last message of it is the entry.

Holds the connection it was given and nothing else; the entries are the server's. A revision is the
message's number in the stream, which never repeats. Conditions are the server's own fences (the
expected number of the subject's last message), and deleting a message by its number removes exactly
that revision. Reads ask the stream's leader: direct gets may be stale. Several entries at once are
an atomic batch (ADR-50), times to live are the server's (ADR-43); both need nats-server 2.12.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

import msgspec

from actorhost.contracts.keyvalue import Entry
from actorhost.errors import ProviderFailed
from actorhost_providers.kv.nats_requests import Requests

_NOT_FOUND: Final = frozenset({10037, 10043})
_WRONG_SEQUENCE: Final = frozenset({10071, 10164})
_FULL: Final = frozenset({10047, 10077, 10122})
_NAME_IN_USE: Final = 10058
_LONGEST_NAME: Final = 120
_PAGE: Final = 100_000
"""Subjects in one answer of the server."""


class ConditionFailed(Exception):
    """The key had another revision than the write expected."""


class NatsBucket:
    """The entries of bucket `name`, through `requests`."""

    def __init__(self, requests: Requests, name: str) -> None:
        token = _token(name)
        if len(token) > _LONGEST_NAME:
            token = hashlib.sha256(name.encode()).hexdigest()
        self._requests = requests
        self._stream = f"AHKV_{token}".replace("%", "=")
        self._prefix = f"ahkv.{token}."

    async def create(self, *, max_bytes: int, replicas: int) -> None:
        """Make the stream unless there is one."""
        answer = await self._api(
            "STREAM.CREATE",
            {
                "name": self._stream,
                "subjects": [f"{self._prefix}*"],
                "retention": "limits",
                "storage": "file",
                "discard": "new",
                "max_msgs_per_subject": 1,
                "max_bytes": max_bytes,
                "num_replicas": replicas,
                "allow_msg_ttl": True,
                "allow_atomic": True,
            },
            writes=False,
        )
        if _code(answer) not in {0, _NAME_IN_USE}:
            raise self._failed(answer)

    async def get(self, key: str) -> Entry | None:
        """Return the entry under `key`."""
        answer = await self._api("STREAM.MSG.GET", {"last_by_subj": self._subject(key)}, writes=False)
        if _code(answer) in _NOT_FOUND:
            return None
        if _code(answer):
            raise self._failed(answer)
        message = answer["message"]
        return Entry(base64.b64decode(message.get("data", "")), int(message["seq"]))

    async def put(self, key: str, value: bytes, *, ttl_ms: int | None, expected: int | None) -> int:
        """Store `value` and return its revision; raises :class:`ConditionFailed`.

        The server counts times to live in seconds: it gets the next whole one.
        """
        headers: dict[str, str] = {}
        if ttl_ms is not None:
            headers["Nats-TTL"] = f"{-(-ttl_ms // 1000)}s"
        if expected is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected)
        return self._stored(await self._requests.ask(self._subject(key), value, headers, writes=True))

    async def put_all(self, entries: list[tuple[str, bytes]]) -> list[int]:
        """Store all entries or none, and return their revisions."""
        if not entries:
            return []
        if len(entries) == 1:
            return [await self.put(*entries[0], ttl_ms=None, expected=None)]
        batch, *rest = os.urandom(16).hex(), *entries
        for number, (key, value) in enumerate(rest[:-1], 1):
            headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                # Answered, so that a server which takes no batches says so before it gets them all.
                self._check(await self._requests.ask(self._subject(key), value, headers, writes=False))
            else:
                await self._requests.tell(self._subject(key), value, headers)
        key, value = rest[-1]
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(rest)), "Nats-Batch-Commit": "1"}
        last = self._stored(await self._requests.ask(self._subject(key), value, headers, writes=True))
        return list(range(last - len(rest) + 1, last + 1))

    async def remove(self, revision: int) -> bool:
        """Remove the entry with that revision; false when there is none any more."""
        answer = await self._api("STREAM.MSG.DELETE", {"seq": revision}, writes=True)
        if not _code(answer):
            return True
        # A message that there is not has several errors here, some of them shared with real failures.
        if _code(await self._api("STREAM.MSG.GET", {"seq": revision}, writes=False)) in _NOT_FOUND:
            return False
        raise self._failed(answer)

    async def keys(self, prefix: str, after: str) -> list[str]:
        """Return all keys that start with `prefix` and come after `after`, in the order of their bytes."""
        low, start, found = after.encode(), prefix.encode(), list[bytes]()
        offset, total = 0, 1
        while offset < total:
            query = {"subjects_filter": f"{self._prefix}*", "offset": offset}
            answer = await self._api("STREAM.INFO", query, writes=False)
            self._check(answer)
            subjects = answer.get("state", {}).get("subjects") or {}
            total = int(answer.get("total", len(subjects)))
            offset += _PAGE
            found += [
                key for subject in subjects if (key := self._key(subject)).startswith(start) and key > low
            ]
        return [key.decode() for key in sorted(found)]

    def _subject(self, key: str) -> str:
        return self._prefix + _token(key)

    def _key(self, subject: str) -> bytes:
        return unquote_to_bytes(subject[len(self._prefix) :])

    async def _api(self, what: str, request: dict[str, Any], *, writes: bool) -> dict[str, Any]:
        subject = f"$JS.API.{what}.{self._stream}"
        return await self._requests.ask(subject, msgspec.json.encode(request), {}, writes=writes)

    def _stored(self, answer: dict[str, Any]) -> int:
        if _code(answer) in _WRONG_SEQUENCE:
            raise ConditionFailed
        self._check(answer)
        return int(answer["seq"])

    def _check(self, answer: dict[str, Any]) -> None:
        if _code(answer):
            raise self._failed(answer)

    def _failed(self, answer: dict[str, Any]) -> ProviderFailed:
        hint = (
            "delete keys, or raise max_bytes in the provider's configuration"
            if _code(answer) in _FULL
            else "look at the stream with `nats stream info`; nats-server 2.12 or newer is needed"
        )
        return ProviderFailed(f"stream {self._stream}: {_reason(answer)}", hint=hint)


def _token(text: str) -> str:
    """Return `text` as one subject token."""
    return re.sub(r"[.~]", lambda found: f"%{ord(found[0]):02X}", quote(text, safe=""))


def _code(answer: dict[str, Any]) -> int:
    error = answer.get("error")
    return 0 if error is None else int(error.get("err_code") or 1)


def _reason(answer: dict[str, Any]) -> str:
    return str(answer.get("error", {}).get("description", "an answer that makes no sense"))
