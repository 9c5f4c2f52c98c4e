"""Who may import whom: the contracts of pyproject.toml, and what they cannot express."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import PACKAGES, ROOT, python_files, shown, tree


def imported(path: Path) -> set[str]:
    """Return the dotted names that `path` imports, a name for each thing imported."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_import_contracts_hold() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_only_one_file_touches_the_private_bindings() -> None:
    touching = {
        shown(path)
        for path in python_files(*PACKAGES)
        if any(name.startswith("wasmtime._") for name in imported(path))
    }
    assert touching == {"actorhost/engine/capi.py"}


def test_only_one_file_reads_the_time() -> None:
    clocks = {name for path in python_files(*PACKAGES) for name in [shown(path)] if "time" in imported(path)}
    assert clocks == {"actorhost/clock.py"}


def test_only_one_file_prints() -> None:
    printers = {"print", "typer.echo", "sys.stdout.write", "sys.stderr.write"}
    printing = {
        shown(path)
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in printers
    }
    # A child process tells its parent, and no person, that it is ready.
    assert printing <= {"actorhost/cli/output.py", "actorhost/host/child.py"}
