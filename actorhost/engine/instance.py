"""A live sandbox: delivers one message at a time to a guest and returns its reply.

Created by :meth:`Engine.instantiate`; owned by whoever asked for it, and by the engine, which
closes what is left over. A trap, a deadline, a broken rule or a cancelled call ends the instance:
its memory may be half-written, so it takes no more messages. The host survives all of them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from actorhost import clock
from actorhost.engine import mailbox as box
from actorhost.engine import traps
from actorhost.engine.admission import DEFERRED_START
from actorhost.engine.capi import C
from actorhost.engine.frame import Frame, Frames
from actorhost.engine.requests import HostCall, Log, Requests
from actorhost.engine.runqueue import FRESH_BUDGET_NS, RunQueue, Turn, Usage
from actorhost.engine.sandbox import Sandbox
from actorhost.errors import (
    ActorFailed,
    ActorhostError,
    Closed,
    DeadlineExceeded,
    Denied,
    GuestMisbehaved,
    InternalError,
    InvalidInput,
    InvalidName,
)

_begin: Final = C.wasmtime_func_call_async
_delete: Final = C.wasmtime_call_future_delete
_set_epoch_deadline: Final = C.wasmtime_context_set_epoch_deadline

_UNSET: Final = -0x7F81_53C7
"""Stands in the place of a result that was not written."""

_ANSWER_NS: Final = 5_000
"""About what answering a request costs the loop besides guest time; it counts against the pass."""


async def refuse_calls(binding: str, namespace: str, operation: str, _payload: bytes) -> bytes:
    """Refuse every capability call: what an instance may do when nothing was linked."""
    raise Denied(
        f"no link {binding or 'default'!r} to {namespace!r} for {operation!r}", hint="link it in the manifest"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOptions:
    """What an instance may use and whom it talks to.

    ``memory`` bytes of linear memory; ``max_message`` bytes of one message or reply; ``weight``
    its share of busy time; ``start_timeout`` seconds for all start functions together; ``usage``
    counts what all instances with these options have used. Raises :class:`InvalidInput` for an
    ``environment`` that a guest could not read back.
    """

    memory: int
    max_message: int
    table_elements: int
    start_timeout: float
    weight: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Log = lambda _source, _text: None
    host_call: HostCall = refuse_calls
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        """Refuse an environment that has no form of ``NAME=VALUE`` in UTF-8."""
        for name, value in self.environment.items():
            _utf8(name + value, "environment variable")
            if not name or "=" in name or "\0" in name + value:
                raise InvalidInput(
                    f"{name!r} cannot be an environment variable",
                    hint="a name is not empty and has no '='; neither name nor value has a NUL",
                )


def _utf8(text: str, what: str) -> bytes:
    """Return `text`, which is a `what`, in UTF-8; raises :class:`InvalidName` when it has no such form."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidName(f"{what} {text[:80]!a} is not UTF-8", hint="use text in UTF-8") from None


class Instance:
    """A guest that is alive; see the module's header for what ends it.

    `quick` says whether the last call, or the one under way, has not yielded.
    """

    __slots__ = (
        "_address",
        "_busy",
        "_doomed",
        "_frames",
        "_on_close",
        "_queue",
        "_requests",
        "_sandbox",
        "_tick",
        "_weight",
        "calls",
        "quick",
        "usage",
    )

    def __init__(
        self,
        sandbox: Sandbox,
        options: InstanceOptions,
        queue: RunQueue,
        frames: Frames,
        on_close: Callable[[Instance], None],
    ) -> None:
        self._sandbox = sandbox
        self._requests = Requests(sandbox.mailbox, options.log, options.environment)
        self._queue = queue
        self._frames = frames
        self._weight = options.weight
        self._on_close = on_close
        self._address = ctypes.addressof(sandbox.guest_call)
        self._busy = False
        self._doomed = False
        self._tick = -1
        self.calls = 0
        self.quick = False
        self.usage = options.usage

    @property
    def alive(self) -> bool:
        """Whether the instance can take another message."""
        return self._sandbox.store != 0

    @property
    def memory(self) -> int:
        """Bytes of linear memory the guest has now; it must be alive."""
        return self._sandbox.memory_size()

    def close(self) -> None:
        """Free the sandbox; may be called again. A call under way ends first, in its own task."""
        if self._busy:
            self._doomed = True
        elif self.alive:
            self._requests.flush()
            self._sandbox.close()
            self._on_close(self)

    async def start(self, options: InstanceOptions) -> None:
        """Run the guest's start functions; raises as :meth:`call` does, and closes on failure."""
        deadline = clock.monotonic() + options.start_timeout
        mailbox = self._sandbox.mailbox
        for name, function in self._sandbox.starts:
            what = "the start section" if name == DEFERRED_START else f"start function {name}"
            mailbox.put_request(b"", b"")
            try:
                await self._run(ctypes.addressof(function), (), deadline, options.host_call)
            except DeadlineExceeded:
                raise DeadlineExceeded(
                    f"{what} was ended: start functions may take {options.start_timeout:.3g} s together",
                    hint="do less before the first message, or raise the limit",
                ) from None
            except ActorhostError as error:
                error.message = f"{what}: {error.message}"
                raise
        if self._doomed:
            self.close()
            raise Closed("the engine was closed while the guest started")

    async def call(self, operation: str, payload: bytes, *, deadline: float, host_call: HostCall) -> bytes:
        """Deliver one message and return the guest's reply.

        `deadline` is in seconds of the monotonic clock. `host_call` serves the guest's capability
        calls and keeps its own deadline. Raises :class:`ActorFailed` when the guest answers with
        an error and lives on; :class:`TooLarge` for a message over the limit, before anything is
        done; :class:`InvalidName` for an operation that has no UTF-8 form;
        :class:`DeadlineExceeded`, :class:`MemoryExceeded`, :class:`GuestTrapped`,
        :class:`GuestMisbehaved` or :class:`TooLarge` (a reply) when it was ended for it;
        :class:`Closed` when it had ended before. Cancelling the task ends the guest.
        """
        if self._busy:
            raise InternalError("an instance takes one message at a time")
        if not self.alive:
            raise Closed("the instance has ended", hint="make a new one")
        mailbox = self._sandbox.mailbox
        name = _utf8(operation, "operation name")
        mailbox.put_request(name, payload)
        self.calls += 1
        try:
            code = await self._run(self._address, (len(name), len(payload)), deadline, host_call)
            return self._reply(code)
        finally:
            if self._doomed:
                self.close()

    def _reply(self, code: int) -> bytes:
        """Return the reply of a call that returned `code`, or raise what it means."""
        mailbox = self._sandbox.mailbox
        mailbox.refresh()
        status, offset, length = mailbox.outcome()
        if code != 1 or status != box.REPLIED:
            self._refuse(code, mailbox.header())
        reply = mailbox.read(offset, length)
        if mailbox.used > box.KEEP:
            mailbox.shrink()
        return reply

    async def _run(
        self, function: int, arguments: tuple[int, ...], deadline: float, host_call: HostCall
    ) -> int:
        """Run the function at address `function` to its end; returns its result, if it has one."""
        frame = self._frames.take()
        words, count, results = frame.words, len(arguments), 0
        words[Frame.RESULT] = _UNSET
        if arguments:
            words[Frame.FIRST], words[Frame.SECOND] = arguments
            results = 1
        context = self._sandbox.context
        queue = self._queue
        if self._tick != queue.ticker.ticks:
            # Otherwise the deadline set last, one tick from then, is still one tick from now.
            self._tick = queue.ticker.ticks
            _set_epoch_deadline(context, 1)
        future = _begin(
            context, function, frame.arguments, count, frame.results, results, frame.trap, frame.error
        )
        self._busy = True
        ended = False
        try:
            quick, self.quick = self.quick, True  # until it yields
            polled = queue.spent_ns < FRESH_BUDGET_NS and (quick or not queue)
            if not (polled and queue.poll(future, self.usage)):
                turn = Turn(self, future, self._weight, deadline, quick)
                await self._drive(turn, host_call, polled=polled)
            ended = True
        finally:
            self._busy = False
            _delete(future)  # a fiber that has not ended is unwound by this
            if not ended:
                self.close()
            result: int = words[Frame.RESULT]
            # Only a call that returned has written a result; a guest may also return this one.
            failure = frame.failure() if result == _UNSET else None
            self._frames.give_back(frame)
        if failure is not None:
            self._fail(failure)
        return result

    async def _drive(self, turn: Turn, host_call: HostCall, *, polled: bool) -> None:
        """Give the fiber its turns and answer its requests until it has ended.

        `polled` says whether it has run already in this pass, and so whether it may be parked.
        """
        queue = self._queue
        while True:
            parked = polled and queue.suspension.parked
            if not parked:
                if polled:
                    turn.yielded()
                if await queue.wait(turn):
                    return
            await self._requests.answer(host_call, turn.deadline)
            queue.spent_ns += _ANSWER_NS
            if clock.monotonic() >= turn.deadline:
                error = DeadlineExceeded("the guest was waiting for a capability at its deadline")
                error.waiting = True
                raise error
            polled = queue.spent_ns < FRESH_BUDGET_NS
            if polled and queue.poll(turn.future, self.usage):
                return

    def _fail(self, failure: tuple[int | None, str]) -> None:
        """Raise what the trap `failure` means and close, unless the guest exited in good order."""
        mailbox = self._sandbox.mailbox
        mailbox.refresh()
        header = mailbox.header()
        if traps.exited_cleanly(header) and not header[box.OP_LENGTH]:
            return
        code, text = failure
        memory = self._sandbox.memory_size()
        said = self._said(header)
        self.close()
        error = traps.ended(code, text, header, memory=memory, limit=self._sandbox.limits.memory)
        if said:
            error.message = f"{error.message}; it said: {said}"
        raise error

    def _said(self, header: tuple[int, ...]) -> str:
        """Return the error text the guest has set, if any."""
        if not header[box.STATUS] & box.FAILED:
            return ""
        text = self._sandbox.mailbox.read(header[box.ERROR_AT], header[box.ERROR_LENGTH])
        return text.decode("utf-8", "replace")

    def _refuse(self, code: int, header: tuple[int, ...]) -> NoReturn:
        """Raise what a call that returned without a plain reply means."""
        status = header[box.STATUS]
        if status & box.FAILED:
            raise ActorFailed(self._said(header) or "the actor failed with an empty message")
        if code == 0:
            hint = "call __guest_error before returning 0"
            raise ActorFailed("the actor failed and gave no reason", hint=hint)
        self.close()
        if code == 1:
            raise GuestMisbehaved("the guest returned success without a reply", hint="call __guest_response")
        raise GuestMisbehaved(f"__guest_call returned {code}, and may return 1 or 0")
