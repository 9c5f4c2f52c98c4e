"""A manifest's bytes to the application it describes, or every finding at once.

Called by whoever holds the bytes; nothing outlives the call but the application, or the draft of it.
"""

from __future__ import annotations

from typing import Final

from actorhost.limits import MIB, Limits
from actorhost.manifest.check import check
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.draft import Draft
from actorhost.manifest.findings import START, Findings, position_of
from actorhost.manifest.grammar import Manifest
from actorhost.manifest.model import Application
from actorhost.manifest.nodes import compose
from actorhost.manifest.shapes import Record
from actorhost.manifest.wording import size

MAX_MANIFEST: Final = MIB
"""Largest manifest, in bytes."""

_DEFAULTS: Final = Limits()


def load_manifest(data: bytes, source: str, limits: Limits = _DEFAULTS) -> Application:
    """Return the application described by the YAML in `data`; `source` is its name in findings.

    Keys left out get the defaults of `limits`. Raises :class:`actorhost.errors.ManifestInvalid`
    with every finding, each with its line, key path and hint; any bytes end in one or the other.
    """
    return read_manifest(data, source, limits).application()


def read_manifest(data: bytes, source: str, limits: Limits = _DEFAULTS) -> Draft:
    """Return as much as can be read of the manifest in `data`, with what is wrong; never raises."""
    text, findings = _decoded(data, source)
    record = None if findings.count else _read(text, findings)
    if record is not None:
        check(record, limits)
    return Draft(record, findings, limits)


def _read(text: str, findings: Findings) -> Record | None:
    node = compose(text, findings)
    return None if node is None else Manifest.shape.read(Cursor(node, "", START, findings))


def _decoded(data: bytes, source: str) -> tuple[str, Findings]:
    """Return the text and its findings so far: one when it is too long or not UTF-8."""
    if len(data) > MAX_MANIFEST:
        findings = Findings(source)
        hint = f"use at most {size(MAX_MANIFEST)}; split the application"
        findings.add(START, "", f"{len(data)} bytes are too many", hint)
        return "", findings
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8-sig")
        findings = Findings(source, good)
        at = position_of(good, len(good))
        findings.add(at, "", "the bytes from here on are not UTF-8", "save the file as UTF-8")
        return "", findings
    return text, Findings(source, text)
