"""Manifests as files: read, checked, and the modules they name read with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actorhost.cli import payload
from actorhost.errors import ManifestInvalid
from actorhost.limits import Limits
from actorhost.manifest import Application, load_manifest


@dataclass(frozen=True)
class ManifestFile:
    """A manifest at `path`, its `content` and the application it describes."""

    path: Path
    content: bytes
    application: Application

    def modules(self) -> dict[str, bytes]:
        """Return the modules by their path as written; raises :class:`InvalidInput` for one missing."""
        paths = {spec.module for spec in self.application.actors}
        return {path: payload.read_file(self.path.parent / path) for path in sorted(paths)}


def read(paths: Sequence[Path], limits: Limits) -> list[ManifestFile]:
    """Return the manifests at `paths`.

    Raises :class:`ManifestInvalid` with the findings of all of them, and :class:`InvalidInput` for a
    file that cannot be read.
    """
    files: list[ManifestFile] = []
    failures: list[ManifestInvalid] = []
    for path in paths:
        content = payload.read_file(path)
        try:
            files.append(ManifestFile(path, content, load_manifest(content, str(path), limits)))
        except ManifestInvalid as error:
            failures.append(error)
    if failures:
        report = "\n\n".join(error.message for error in failures)
        findings = tuple(finding for error in failures for finding in error.findings)
        raise ManifestInvalid(report, findings=findings)
    return files
