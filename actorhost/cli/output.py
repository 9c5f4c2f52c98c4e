"""The only printer: data goes to stdout, everything else to stderr.

Colours only on a terminal, and never when ``NO_COLOR`` is set. Text that comes from guests and other
hosts is printed here too, so what is not printable is written as an escape.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from actorhost.cli.json_text import json_text
from actorhost.errors import ActorhostError, CallFailed, ManifestInvalid


def data(text: str) -> None:
    """Print a line of what was asked for."""
    print(_printable(text), flush=True)


def raw(content: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    """Print a line about what is going on."""
    print(_printable(text), file=sys.stderr, flush=True)


def json_line(value: Any) -> None:
    """Print `value` as one line of JSON."""
    print(json_text(value), flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` under `columns`, as wide as they need to be."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def error(problem: ActorhostError) -> None:
    """Print what went wrong and, after a blank line, what to do about it."""
    if isinstance(problem, ManifestInvalid):
        note(problem.message)
        return
    place = f" [{problem.where}]" if problem.where else ""
    kind = f"{problem.code}: " if isinstance(problem, CallFailed) else ""
    note(f"error: {kind}{problem.message or 'no reason given'}{place}")
    if problem.hint:
        note(f"\nhint: {problem.hint}")


def _printable(text: str) -> str:
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


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
