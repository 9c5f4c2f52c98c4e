"""A manifest's bytes to the application it describes, or every finding at once.

Called by whoever holds the bytes; nothing outlives the call but the application.
"""

from __future__ import annotations

from typing import Final

from actorhost.errors import InternalError
from actorhost.limits import MIB, Limits
from actorhost.manifest.build import build
from actorhost.manifest.check import check
from actorhost.manifest.cursor import Cursor
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
    text = _decoded(data, source)
    findings = Findings(source, text)
    record = _read(text, findings)
    if record is not None:
        check(record, limits)
    findings.raise_if_any()
    if record is None:
        raise InternalError(f"{source} could not be read and has no finding")
    return build(record, limits)


def _read(text: str, findings: Findings) -> Record | None:
    node = compose(text, findings)
    return None if node is None else Manifest.shape.read(Cursor(node, "", START, findings))


def _decoded(data: bytes, source: str) -> str:
    if len(data) > MAX_MANIFEST:
        findings = Findings(source)
        hint = f"use at most {size(MAX_MANIFEST)}; split the application"
        findings.add(START, "", f"{len(data)} bytes are too many", hint)
        findings.raise_if_any()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8-sig")
        findings = Findings(source, good)
        findings.add(
            position_of(good, len(good)), "", "the bytes from here on are not UTF-8", "save the file as UTF-8"
        )
        findings.raise_if_any()
        raise
