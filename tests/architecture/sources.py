"""Where the project's sources are, and how the architecture tests read them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("actorhost", "providers/actorhost_providers")


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file of the project that still exists, as git lists them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return tuple(ROOT / name for name in sorted(listed.split("\0")) if name and (ROOT / name).is_file())


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the tracked Python files under `folders`."""
    return tuple(
        path
        for path in tracked()
        if path.suffix == ".py" and any(path.is_relative_to(ROOT / folder) for folder in folders)
    )


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of `path`."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(path: Path) -> str:
    """Return `path` as a reader of the failure would type it."""
    return str(path.relative_to(ROOT))
