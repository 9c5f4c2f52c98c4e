"""Findings of one manifest: collected as they are met, reported all at once.

A collector belongs to one reading of a manifest and ends with its draft. It keeps the first
hundred findings and counts the rest, so that a hostile file cannot make an endless report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from actorhost.errors import Finding, ManifestInvalid
from actorhost.telemetry.addresses import without_users

MAX_FINDINGS: Final = 100
"""Findings kept; further ones are only counted."""

_MAX_EXCERPT: Final = 120
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Position(NamedTuple):
    """A place in the manifest; lines and columns count from 1."""

    line: int
    column: int


START: Final = Position(1, 1)


def position_of(text: str, index: int) -> Position:
    """Return the position of the character at `index` of `text`."""
    before = _LINE_BREAK.split(text[:index])
    return Position(len(before), len(before[-1]) + 1)


class Findings:
    """Collects what is wrong with the text `text` called `source`.

    `whole` is what such a text is, and `start` what to do about one without anything in it.
    """

    def __init__(
        self,
        source: str,
        text: str = "",
        *,
        whole: str = "manifest",
        start: str = "start from manifests/echo.yaml",
    ) -> None:
        self.source, self.whole, self.start = source, whole, start
        self._lines = _LINE_BREAK.split(text)
        self._kept: list[Finding] = []
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether further findings are only counted; then wording them is wasted work."""
        return len(self._kept) >= MAX_FINDINGS

    def touch(self, path: str) -> bool:
        """Whether one of the findings kept is at key path `path` or in its value."""
        inner = (f"{path}.", f"{path}[")
        return any(one.path == path or one.path.startswith(inner) for one in self._kept)

    def add(self, at: Position, path: str, message: str, hint: str) -> None:
        """Record that the value of key `path` at `at` is wrong, and what to do about it."""
        self.count += 1
        if self.full:
            return
        # libyaml puts the end of a text without a last line break on a line of its own.
        line = min(at.line, len(self._lines))
        column = at.column if line == at.line else len(self._lines[-1]) + 1
        self._kept.append(
            Finding(
                source=self.source,
                line=line,
                column=column,
                path=path or self.whole,
                message=message,
                hint=hint,
                excerpt=self._excerpt(line),
            )
        )

    def raise_if_any(self, verdict: str = "cannot run as it is") -> None:
        """Raise :class:`ManifestInvalid` with every finding, in the order of the file."""
        if self.count:
            found = tuple(sorted(self._kept, key=lambda one: (one.line, one.column)))
            more = self.count - len(found)
            report = render_all(f"{self.source} {verdict}", found, more)
            raise ManifestInvalid(report, findings=found, more=more)

    def _excerpt(self, line: int) -> str:
        # A password in an address may stand beside what is wrong.
        text = without_users(self._lines[line - 1].strip())
        cut = text if len(text) <= _MAX_EXCERPT else text[: _MAX_EXCERPT - 3] + "..."
        return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


def render(finding: Finding) -> str:
    """Return `finding` as ``file:line:col: path: message``, its source line and its hint below."""
    text = f"{finding.source}:{finding.line}:{finding.column}: {finding.path}: {finding.message}"
    if finding.excerpt:
        text += f"\n    {finding.excerpt}"
    if finding.hint:
        text += f"\n    hint: {finding.hint}"
    return text


def render_all(heading: str, found: Sequence[Finding], more: int) -> str:
    """Return the report of the findings `found`, and how many `more` there are."""
    count = len(found) + more
    lines = [f"{heading}: {count} finding{'s' * (count != 1)}", *map(render, found)]
    if more:
        lines.append(f"{more} more findings are not shown")
    return "\n".join(lines)
