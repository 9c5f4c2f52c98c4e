"""Writes figures as Prometheus reads them: its text format, version 0.0.4.

Pure. One family is a name, a kind, a sentence of help, and its samples right after one another, as
the format demands (https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_HELP: Final = str.maketrans({"\\": "\\\\", "\n": "\\n"})
_VALUE: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def labels(**values: str) -> str:
    """Return label names and values as a sample has them between its braces."""
    return ",".join(f'{name}="{value.translate(_VALUE)}"' for name, value in values.items())


def family(name: str, kind: str, text: str, samples: Iterable[str]) -> Iterator[str]:
    """Yield the lines of one family; `kind` is ``counter``, ``gauge`` or ``histogram``."""
    yield f"# HELP {name} {text.translate(_HELP)}\n# TYPE {name} {kind}\n"
    yield from samples


def sample(name: str, value: float, told: str = "") -> str:
    """Return the line of one sample with the labels `told`."""
    return f"{name}{{{told}}} {value}\n" if told else f"{name} {value}\n"


def histogram(
    name: str, bounds: Iterable[float], counts: Iterable[int], count: int, total: float, told: str
) -> str:
    """Return the lines of one histogram: `counts` up to each of `bounds`, `count` and `total` of all."""
    lines = [
        f'{name}_bucket{{{told},le="{bound}"}} {below}\n' for bound, below in zip(bounds, counts, strict=True)
    ]
    lines.append(f'{name}_bucket{{{told},le="+Inf"}} {count}\n')
    lines.append(f"{name}_sum{{{told}}} {total}\n{name}_count{{{told}}} {count}\n")
    return "".join(lines)
