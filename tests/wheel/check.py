"""Install the built wheel into a fresh virtual environment and use it from an empty directory.

Run as ``python tests/wheel/check.py WHEEL``. It fails with the first thing that a user who installs
the package, and has no clone of the project, would miss.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TOP_LEVEL: Final = {"actorhost", "actorhost_providers"}
DATA_SUFFIXES: Final = {".csv", ".typed", ".wat", ".wit"}


def run(*command: str | Path, cwd: Path) -> str:
    """Return what `command` prints; end the check with its output when it fails."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "ACTORHOST_"))}
    done = subprocess.run(
        command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def data_files() -> Iterator[str]:
    """Yield the name in the wheel of each file that is no Python source but belongs to the package."""
    for source_root, package in ((ROOT, "actorhost"), (ROOT / "providers", "actorhost_providers")):
        for path in sorted((source_root / package).rglob("*")):
            if path.suffix in DATA_SUFFIXES:
                yield path.relative_to(source_root).as_posix()


def check_contents(wheel: Path) -> None:
    """Refuse a wheel with foreign top-level modules or without its data files."""
    names = zipfile.ZipFile(wheel).namelist()
    foreign = {name.split("/")[0] for name in names if ".dist-info/" not in name} - TOP_LEVEL
    missing = sorted(set(data_files()) - set(names))
    if foreign or missing:
        sys.exit(f"{wheel.name}: foreign top-level names {sorted(foreign)}, missing {missing}")


def install(wheel: Path, environment: Path) -> Path:
    """Return the bin directory of a new virtual environment that holds the wheel and its pins."""
    venv.create(environment, with_pip=True)
    programs = environment / "bin"
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--require-hashes", "-r", ROOT / "constraints-run.txt", cwd=environment)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=environment)
    run(*pip, "check", cwd=environment)
    return programs


def use(programs: Path, empty: Path) -> None:
    """Do what a user's first minute does: look at the help, then embed a host."""
    script = Path(shutil.copy(ROOT / "tests" / "wheel" / "embed.py", empty))
    guest = Path(shutil.copy(ROOT / "actors" / "echo" / "echo.wasm", empty))
    manifest = empty / "echo.yaml"
    text = (ROOT / "manifests" / "echo.yaml").read_text(encoding="utf-8")
    manifest.write_text(text.replace("../actors/echo/", ""), encoding="utf-8")
    run(programs / "actorhost", "--help", cwd=empty)
    run(programs / "actorhost", "check", manifest, cwd=empty)
    run(programs / "actorhost", "invoke", guest, "Echo", '"hello"', cwd=empty)
    run(programs / "python", "-I", "-W", "error", script, manifest, cwd=empty)


def main() -> None:
    """Check the wheel named on the command line."""
    wheel = Path(sys.argv[1]).resolve()
    check_contents(wheel)
    with tempfile.TemporaryDirectory(prefix="actorhost-wheel-") as scratch:
        empty = Path(scratch, "empty")
        empty.mkdir()
        use(install(wheel, Path(scratch, "venv")), empty)
    print(f"{wheel.name}: installs, holds {sorted(TOP_LEVEL)} only, and runs from an empty directory")


if __name__ == "__main__":
    main()
