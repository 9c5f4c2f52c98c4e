"""A JetStream stream through any transport that reaches a NATS server: append, read, delete.

Holds nothing but its name; what it keeps belongs to the server. The requests are those of the
JetStream API (ADR-1, ADR-31): JSON on ``$JS.API`` subjects, and an append is a request to the
stream's own subject.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from actorhost.errors import ActorhostError, NoRoute, ProtocolError, Unavailable
from actorhost.transport.base import Transport
from actorhost.transport.waiting import Result

_NOT_FOUND: Final = frozenset({10037, 10043})
"""Error codes for a message, or a sequence number, that there is not."""
_NAME_IN_USE: Final = 10058
_FULL: Final = frozenset({10047, 10077, 10122})
"""Error codes for a stream or an account that takes no more."""

Kept = int | ActorhostError | None
"""The sequence number of a message that was stored, None for one that a full stream did not take, or why
it may not be stored."""


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a stream, by its sequence number."""

    sequence: int
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What a stream keeps at most: `count` messages of `size` bytes together, `age` seconds (0: for ever)."""

    count: int
    size: int
    age: float = 0.0


class Stream:
    """The stream `name`, which keeps what is sent to `subjects`; `timeout` bounds each request."""

    def __init__(self, transport: Transport, name: str, subjects: str, *, timeout: float) -> None:
        self._transport = transport
        self._name = name
        self._subjects = subjects
        self._timeout = timeout

    async def create(self, limits: StreamLimits) -> None:
        """Make the stream unless there is one; a full one refuses what is new and drops nothing old."""
        answer = await self._api(
            f"STREAM.CREATE.{self._name}",
            {
                "name": self._name,
                "subjects": [self._subjects],
                "retention": "limits",
                "storage": "file",
                "discard": "new",
                "max_msgs": limits.count,
                "max_bytes": limits.size,
                "max_age": round(limits.age * 1e9),
                "num_replicas": 1,
            },
        )
        if _code(answer) not in {0, _NAME_IN_USE}:
            raise self._refused("be made", answer)

    async def append_all(self, messages: Sequence[tuple[str, bytes]]) -> list[Kept]:
        """Store `messages`, each a subject and data, and return what became of each.

        The errors are :class:`Unavailable` where there is no stream, and those that a request ends with.
        """
        answers = await self._transport.request_all(messages, self._timeout)
        return [self._appended(answer) for answer in answers]

    def _appended(self, answer: Result) -> Kept:
        if isinstance(answer, ActorhostError):
            return self._missing() if isinstance(answer, NoRoute) else answer
        try:
            said = _decoded(answer)
        except ProtocolError as error:
            return error
        if _code(said) in _FULL:
            return None
        if _code(said) or not isinstance(said.get("seq"), int):
            return self._refused("store a message", said)
        return int(said["seq"])

    async def next(self, sequence: int, subject: str) -> Record | None:
        """Return the first message from `sequence` on whose subject matches, None if there is none."""
        return await self._get({"seq": sequence, "next_by_subj": subject})

    async def get(self, sequence: int) -> Record | None:
        """Return the message `sequence`, None if there is none."""
        return await self._get({"seq": sequence})

    async def delete(self, sequence: int) -> bool:
        """Delete the message `sequence`; false when there is none."""
        answer = await self._api(f"STREAM.MSG.DELETE.{self._name}", {"seq": sequence})
        if _code(answer) in _NOT_FOUND:
            return False
        if _code(answer):
            # An empty stream names no error of its own: "stream store EOF".
            if await self.get(sequence) is None:
                return False
            raise self._refused("delete a message", answer)
        return True

    async def _get(self, query: dict[str, Any]) -> Record | None:
        answer = await self._api(f"STREAM.MSG.GET.{self._name}", query)
        if _code(answer) in _NOT_FOUND:
            return None
        if _code(answer):
            raise self._refused("be read", answer)
        try:
            message = answer["message"]
            data = base64.b64decode(message.get("data", ""))
            return Record(int(message["seq"]), str(message["subject"]), data)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise self._refused("be read", answer) from None

    async def _api(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        body = msgspec.json.encode(request)
        try:
            return _decoded(await self._transport.request(f"$JS.API.{what}", body, self._timeout))
        except NoRoute:
            raise self._missing() from None

    def _missing(self) -> Unavailable:
        return Unavailable(
            f"no stream {self._name} can be had: JetStream does not answer",
            hint="enable JetStream on the NATS server (the embedded one has it)",
        )

    def _refused(self, what: str, answer: dict[str, Any]) -> Unavailable:
        reason = answer.get("error", {}).get("description", "an answer that makes no sense")
        return Unavailable(f"stream {self._name} could not {what}: {reason}")


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("error", {}), dict):
        raise ProtocolError("an answer of JetStream is no JSON object")
    return answer


def _code(answer: dict[str, Any]) -> int:
    """Return the error code of an answer, 0 for none."""
    error = answer.get("error")
    return 0 if error is None else int(error.get("err_code") or 1)
