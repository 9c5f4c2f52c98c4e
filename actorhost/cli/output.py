"""The only printer: data goes to stdout, everything else to stderr.

Colours only on a terminal, and never when ``NO_COLOR`` is set.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from actorhost.errors import ActorhostError, CallFailed, ManifestInvalid


def data(text: str) -> None:
    """Print a line of what was asked for."""
    print(text)


def raw(content: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    """Print a line about what is going on."""
    print(text, file=sys.stderr, flush=True)


def json_line(value: Any) -> None:
    """Print `value` as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


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
    note(f"error: {kind}{problem.message}{place}")
    if problem.hint:
        note(f"\nhint: {problem.hint}")
