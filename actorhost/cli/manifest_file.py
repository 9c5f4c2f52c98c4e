"""Manifests as files: read with all that they name, and every finding reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actorhost.cli import payload
from actorhost.cli.examination import examine_modules, examine_names, examine_providers
from actorhost.errors import ManifestInvalid
from actorhost.limits import Limits
from actorhost.manifest import MAX_MANIFEST, Application
from actorhost.manifest.draft import Draft
from actorhost.manifest.load import read_manifest


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


def read(paths: Sequence[Path], limits: Limits, *, providers: bool = True) -> list[ManifestFile]:
    """Return the manifests at `paths`, of which this machine could run every part.

    Without `providers` they are left to the hosts, which may have others installed. Raises
    :class:`ManifestInvalid` with the findings of all manifests; a file that cannot be read is one.
    """
    drafts = [(path, *_read(path, limits)) for path in paths]
    for path, _, draft in drafts:
        examine_modules(draft, path.parent, limits)
        if providers:
            examine_providers(draft, limits)
    examine_names(draft for _, _, draft in drafts)
    files: list[ManifestFile] = []
    failures: list[ManifestInvalid] = []
    for path, content, draft in drafts:
        try:
            files.append(ManifestFile(path, content, draft.application()))
        except ManifestInvalid as error:
            failures.append(error)
    if failures:
        report = "\n\n".join(error.message for error in failures)
        findings = tuple(finding for error in failures for finding in error.findings)
        raise ManifestInvalid(report, findings=findings)
    return files


def _read(path: Path, limits: Limits) -> tuple[bytes, Draft]:
    try:
        with path.open("rb") as file:
            # One byte more than a manifest may have: enough to tell that there are too many.
            content = file.read(MAX_MANIFEST + 1)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        return b"", Draft.unreadable(str(path), message, "is the path right?")
    return content, read_manifest(content, str(path), limits)
