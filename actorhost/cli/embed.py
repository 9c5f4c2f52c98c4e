"""``actorhost embed``: puts what a module needs, serves and calls into the module itself.

Run by a guest's build. The module is replaced as a whole or not at all.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from actorhost import limits
from actorhost.cli import output, payload
from actorhost.contracts.declaration import SECTION, Declaration
from actorhost.contracts.known import known_contracts
from actorhost.engine.modules import examine
from actorhost.engine.sections_rewrite import with_custom_section
from actorhost.engine.source import to_wasm
from actorhost.errors import InvalidInput
from actorhost.manifest.declares import load_declaration


def embed(
    module: Annotated[Path, typer.Argument(help="Wasm file, or WAT text ending in .wat.")],
    declares: Annotated[Path, typer.Option(help="YAML file that says what the module needs and serves.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write; MODULE if left out.")
    ] = None,
) -> None:
    """Put a declaration into a module, which `actorhost check` then holds manifests to.

    Exits with 2 when the declaration or the module is wrong; then nothing is written.
    """
    target = out or module
    if target.suffix == ".wat":
        raise InvalidInput(f"cannot write a module to {target}", hint="give a .wasm file with --out")
    wasm = to_wasm(payload.read_file(module), str(module))
    declaration = load_declaration(payload.read_file(declares), str(declares), known_contracts())
    _write(target, embedded(wasm, declaration))
    output.note(f"{target} declares {summary(declaration)}")


def embedded(wasm: bytes, declaration: Declaration) -> bytes:
    """Return the module `wasm` with `declaration`, instead of any it had.

    Raises :class:`~actorhost.errors.ModuleRefused` for bytes that are no module, and
    :class:`InvalidInput` for a declaration that is too large.
    """
    info = examine(wasm, max_module=limits.load().max_module)
    return with_custom_section(wasm, info, SECTION, declaration.encode())


def summary(declaration: Declaration) -> str:
    """Return in a few words how much `declaration` says."""
    called = sum(map(len, declaration.calls.values()))
    counts = {"need": len(declaration.needs), "operation": len(declaration.serves), "call": called}
    return ", ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items())


def _write(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, then put it in its place."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(content)
        if path.exists():
            shutil.copymode(path, new)
        new.replace(path)
    except OSError as error:
        raise InvalidInput(
            f"cannot write {path}: {error.strerror}", hint="give the path of a .wasm file"
        ) from None
