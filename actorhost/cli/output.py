"""The only printer: data goes to stdout, everything else to stderr.

Colours only on a terminal, and never when ``NO_COLOR`` is set. Text that comes from guests and other
hosts is printed here too, so what is not printable is written as an escape. A stdout that takes
nothing ends the command with :class:`CannotWrite`; a stderr that takes nothing ends nothing.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import select
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO

from actorhost.cli.json_text import json_text
from actorhost.errors import ActorhostError, CallFailed, ManifestInvalid

_ESCAPE: Final = "actorhost.escape"
_AT_ONCE: Final = 4096
"""Bytes that a pipe takes whole, once it takes any."""
_LOOK: Final = 100
"""Milliseconds between looks at whether a stalled write is still wanted."""


class CannotWrite(Exception):
    """Output that stdout did not take; `reader_gone` when nobody reads it any more."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or type(error).__name__)
        self.reader_gone = isinstance(error, BrokenPipeError)


class _Patient(io.RawIOBase):
    """Writes to the file `inner` what it takes at once, so that Ctrl-C ends a command whose reader stalls.

    A write that blocks would be resumed after the signal, and never let the cancellation through.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._ready = select.poll()
        self._blocks = False
        with suppress(OSError):  # no file of the system: it never blocks
            self._ready.register(inner.fileno(), select.POLLOUT)
            self._blocks = True

    def fileno(self) -> int:
        """Return the file's descriptor."""
        return int(self._inner.fileno())

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return bool(self._inner.isatty())

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, content: Any, /) -> int:
        """Write a part of `content` and return how many bytes; waits until that is possible."""
        part, written = memoryview(content)[:_AT_ONCE], None
        while written is None:  # somebody else, who writes there too, was faster
            while self._blocks and not self._ready.poll(_LOOK):
                if _is_cancelled():
                    # What is left goes nowhere, and the task comes to where its cancellation awaits it.
                    _drop(self._inner)
            written = self._inner.write(part)
        return int(written)


def _is_cancelled() -> bool:
    """Whether the task that prints is to end; without an event loop Ctrl-C raises by itself."""
    asyncio = sys.modules.get("asyncio")  # whoever runs an event loop has imported it
    with suppress(RuntimeError):
        task = asyncio.current_task() if asyncio is not None else None
        return task is not None and task.cancelling() > 0
    return False


class _Stdout(io.TextIOWrapper):
    """The process's stdout, which says that it took no output whoever writes: we, typer or rich."""

    def write(self, text: str, /) -> int:
        with _delivered():
            return super().write(text)

    def flush(self) -> None:
        with _delivered():
            super().flush()


class _Answer:
    """What the command has said so far: `given` once it has printed JSON."""

    given = False


def prepare() -> None:
    """Make the process's standard streams fit for a command: all there, and able to take any text."""
    # A socket or file must not take the number of a stream that was closed. Reading only: what is
    # written to a closed stdout is refused, as it would be without us.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    stdout = sys.stdout or open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    codecs.register_error(_ESCAPE, _escaped)
    if isinstance(stdout, io.TextIOWrapper):
        encoding, line_buffering = stdout.encoding, stdout.line_buffering
        sys.stdout = _Stdout(_whole(stdout.detach()), encoding, _ESCAPE, line_buffering=line_buffering)
    if isinstance(sys.stderr, io.TextIOWrapper):
        encoding, errors = sys.stderr.encoding, sys.stderr.errors
        sys.stderr = io.TextIOWrapper(_whole(sys.stderr.detach()), encoding, errors, line_buffering=True)


def _whole(stream: Any) -> Any:
    """Return a stream that writes everything it is given to the file of `stream`.

    Under ``PYTHONUNBUFFERED`` a standard stream is the file itself. The system may take a part of
    what is written to a pipe, and nobody would write the rest.
    """
    return io.BufferedWriter(_Patient(stream.detach() if isinstance(stream, io.BufferedWriter) else stream))


def begin() -> None:
    """Take note that a command begins, which has answered nothing yet."""
    _Answer.given = False


def data(text: str) -> None:
    """Print a line of what was asked for."""
    print(_printable(text), flush=True)


def line(text: str) -> None:
    """Print a line of what was asked for, cut to the width of the terminal if stdout is one."""
    text = _printable(text.replace("\n", " "))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(text)
    print(text if len(text) <= width else f"{text[: width - 1]}…", flush=True)


def raw(content: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    with _delivered():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def note(text: str) -> None:
    """Print a line about what is going on."""
    try:
        print(_printable(text), file=sys.stderr, flush=True)
    except OSError:  # nobody can be told
        _drop(sys.stderr)


def json_line(value: Any) -> None:
    """Print `value` as one line of JSON."""
    _Answer.given = True
    print(json_text(value), flush=True)


def json_error(facts: dict[str, Any]) -> None:
    """Print ``{"error": facts}`` as one line of JSON, unless the command has answered before."""
    if not _Answer.given:
        json_line({"error": facts})


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` under `columns`, as wide as they need to be."""
    cells = [[_printable(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()


def error(problem: ActorhostError) -> None:
    """Print what went wrong and what to do about it."""
    if isinstance(problem, ManifestInvalid):
        note(problem.message)
        return
    place = f" [{problem.where}]" if problem.where else ""
    kind = f"{problem.code}: " if isinstance(problem, CallFailed) else ""
    note(f"error: {kind}{problem.message or 'no reason given'}{place}")
    if problem.hint:
        note(f"hint: {problem.hint}")


def _printable(text: str) -> str:
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks as JSON does, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


@contextmanager
def _delivered() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _drop(sys.stdout)
        raise
    except OSError as error:
        _drop(sys.stdout)
        raise CannotWrite(error) from None


def _drop(stream: TextIO) -> None:
    """Let what `stream` still holds go nowhere, or the interpreter would fail to write it at exit."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), stream.fileno())


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how much of `total` bytes is done; yields what takes the bytes just done."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console  # noqa: PLC0415 - only people see it
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)
