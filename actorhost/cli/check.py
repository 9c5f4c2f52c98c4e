"""``actorhost check``: everything about a manifest that can be known without starting anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from actorhost import limits
from actorhost.cli import output, payload
from actorhost.engine import admission
from actorhost.engine.modules import examine
from actorhost.errors import InvalidInput, ManifestInvalid
from actorhost.ids import Digest
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, Application, load_manifest


@dataclass(frozen=True)
class _Problem:
    """One finding, for people and for programs."""

    file: str
    line: int
    path: str
    message: str
    hint: str
    text: str


def check(
    manifests: Annotated[list[Path], typer.Argument(help="Manifests to check.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check manifests and the modules they name, without starting anything.

    Exits with 2 when there is a finding; each says where it is and what to do.
    """
    bounds = limits.load()
    problems = [problem for path in manifests for problem in _check(path, bounds)]
    if json:
        keys = ("file", "line", "path", "message", "hint")
        found = [{key: getattr(problem, key) for key in keys} for problem in problems]
        output.json_line({"manifests": len(manifests), "findings": found})
    else:
        for problem in problems:
            output.note(problem.text)
        count = f"{len(manifests)} manifest{'s' * (len(manifests) != 1)}"
        output.data(f"{count}: {f'{len(problems)} to correct' if problems else 'nothing to correct'}")
    raise typer.Exit(2 if problems else 0)


def _check(path: Path, bounds: Limits) -> list[_Problem]:
    try:
        application = load_manifest(payload.read_file(path), str(path), bounds)
    except ManifestInvalid as error:
        return _of_manifest(error, path)
    return _of_modules(application, path, bounds)


def _of_manifest(error: ManifestInvalid, path: Path) -> list[_Problem]:
    from actorhost.manifest.findings import render  # noqa: PLC0415 - only when there is something

    if not error.findings:
        return [_Problem(str(path), 0, "", error.message, error.hint, f"{path}: {error.message}")]
    return [
        _Problem(found.source, found.line, found.path, found.message, found.hint, render(found))
        for found in error.findings
    ]


def _of_modules(application: Application, path: Path, bounds: Limits) -> list[_Problem]:
    problems = []
    for spec in application.actors:
        try:
            _module(spec, path.parent, bounds)
        except InvalidInput as error:
            where = f"actor {spec.name!r}, module {spec.module}"
            text = f"{path}: {where}: {error.message}\nhint: {error.hint}"
            problems.append(_Problem(str(path), 0, where, error.message, error.hint, text))
    return problems


def _module(spec: ActorSpec, base: Path, bounds: Limits) -> None:
    """Raise :class:`InvalidInput` when the module of `spec` is missing, changed or cannot run here."""
    wasm = payload.read_file(base / spec.module)
    if spec.digest is not None and Digest.of(wasm) != spec.digest:
        raise InvalidInput(
            f"its digest is {Digest.of(wasm)}, and the manifest says {spec.digest}",
            hint="rebuild the module, or correct the digest",
        )
    info = examine(wasm, max_module=bounds.max_module)
    admission.admit(info, memory=spec.memory, table_elements=bounds.table_elements)
