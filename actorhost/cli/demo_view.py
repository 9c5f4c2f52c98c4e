"""What the demo shows while it runs: a bar and a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from actorhost.cli import output
from actorhost.demo.replay import Progress

_SHOWN: Final = 8
_EVERY: Final = 0.25
_LINE_EVERY: Final = 10
"""Parts of the whole after which a plain line is printed."""


async def live(progress: Progress, terminal: bool) -> None:
    """Show `progress` until all is done."""
    await (_on_terminal(progress) if terminal else _in_lines(progress))


async def _on_terminal(progress: Progress) -> None:
    columns = (TextColumn("readings"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Bar(*columns, TextColumn("{task.fields[rate]:,.0f} a second"))
    task = bar.add_task("readings", total=progress.total, rate=0.0)
    with Live(console=Console(), refresh_per_second=8, transient=True) as view:
        while progress.done < progress.total:
            bar.update(task, completed=progress.done, rate=progress.rate())
            view.update(Group(bar, _table(progress)))
            await asyncio.sleep(_EVERY)


def _table(progress: Progress) -> Table:
    """Return a few sensors of each city with what their actors found."""
    table = Table("sensor", *("readings", "mean", "min", "max", "last 24 h", "alarms"), box=None)
    names = sorted(progress.statistics)
    for name in names[: _SHOWN // 2] + names[-_SHOWN // 2 :]:
        found = progress.statistics[name]
        figures = (f"{found[key]:.1f}" for key in ("mean", "min", "max", "mean-24h"))
        table.add_row(name, str(found["count"]), *figures, str(found["alarms"]))
    return table


async def _in_lines(progress: Progress) -> None:
    part = 0
    while progress.done < progress.total:
        if progress.done * _LINE_EVERY // progress.total > part:
            part = progress.done * _LINE_EVERY // progress.total
            output.note(f"{progress.done} of {progress.total} readings, {progress.rate():,.0f} a second")
        await asyncio.sleep(_EVERY)
