"""Manifests as files: read with all that they name, and every finding reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actorhost.cli import payload
from actorhost.cli.examination import (
    examine_agreement,
    examine_modules,
    examine_names,
)
from actorhost.cli.provider_examination import examine_providers
from actorhost.errors import Finding, ManifestInvalid
from actorhost.limits import Limits
from actorhost.manifest import MAX_MANIFEST, Application
from actorhost.manifest.draft import Draft
from actorhost.manifest.findings import MAX_FINDINGS
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


def read(paths: Sequence[Path], limits: Limits, *, here: bool = True) -> list[ManifestFile]:
    """Return the manifests at `paths`, of which this machine could run every part.

    What is not to run `here` may use providers that are not installed here, and other files, addresses and
    ports than this machine has; those that are installed are taken for what hosts have, too. Raises
    :class:`ManifestInvalid` with the findings of all manifests; a file that cannot be read is one.
    """
    drafts = [(path, *_read(path, limits)) for path in paths]
    shared: dict[str, Any] = {}
    last = {draft.name: draft for _, _, draft in drafts}
    for path, _, draft in drafts:
        declared = examine_modules(draft, path.parent, limits)
        # One that is replaced by a later one of its name meets nobody.
        met = shared if last[draft.name] is draft else {}
        provided = examine_providers(draft, limits, met if here else None)
        examine_agreement(draft, declared, provided)
    examine_names(draft for _, _, draft in drafts)
    files: list[ManifestFile] = []
    failures: list[ManifestInvalid] = []
    for path, content, draft in drafts:
        try:
            files.append(ManifestFile(path, content, draft.application()))
        except ManifestInvalid as error:
            failures.append(error)
    if failures:
        raise _together(failures)
    return files


def _together(failures: Iterable[ManifestInvalid]) -> ManifestInvalid:
    """Return one error of several: whole manifests until there are many findings, then their number."""
    reports: list[str] = []
    findings: list[Finding] = []
    more = unshown = 0
    for error in failures:
        if len(findings) < MAX_FINDINGS:
            reports.append(error.message)
            findings += error.findings
            more += error.more
        else:
            unshown += len(error.findings) + error.more
    if unshown:
        reports.append(f"{unshown} more findings in further manifests are not shown")
    return ManifestInvalid("\n\n".join(reports), findings=tuple(findings), more=more + unshown)


def _read(path: Path, limits: Limits) -> tuple[bytes, Draft]:
    try:
        with path.open("rb") as file:
            # One byte more than a manifest may have: enough to tell that there are too many.
            content = file.read(MAX_MANIFEST + 1)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        return b"", Draft.unreadable(str(path), message, "is the path right?")
    return content, read_manifest(content, str(path), limits)
