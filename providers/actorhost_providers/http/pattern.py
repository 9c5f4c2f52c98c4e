"""What a route's path says: literal segments, ``{name}`` for one segment, ``{name...}`` for the rest.

Pure. Segments are compared and handed on decoded, so ``/caf%C3%A9`` is ``/café``; a slash that was
encoded never separates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from actorhost.errors import BadRequest, ProviderRefused

MAX_PATTERN: Final = 1024
"""Longest path of a route, in characters."""
_PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")
# Whoever takes what was encoded for a path sees these as dot segments, too.
_DOTS: Final = re.compile(r"(?:\A|[/\\])\.\.?(?:[/\\]|\Z)")


@dataclass(frozen=True, slots=True)
class Literal:
    """A segment that is exactly `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """Any one segment that is not empty, or with `rest` everything from here on, also nothing."""

    name: str
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """The segments of a route's path, and the names of its parameters, in order."""

    segments: tuple[Literal | Parameter, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Return the pattern in `text`, or raise :class:`ProviderRefused`."""
        if not text.startswith("/") or len(text) > MAX_PATTERN or "?" in text or "#" in text:
            raise ProviderRefused(
                f"{text[:80]!r} is no path of a route",
                hint="write a path such as /devices/{id} or /files/{rest...}",
            )
        segments = tuple(_segment(part, text) for part in text[1:].split("/"))
        _check(segments, text)
        return cls(segments, tuple(part.name for part in segments if isinstance(part, Parameter)))

    @property
    def shape(self) -> tuple[str | None, ...]:
        """What decides whether two patterns are the same: literals, and what stands for parameters."""
        return tuple(_shape(segment) for segment in self.segments)


def segments_of(path: str) -> list[str]:
    """Return the decoded segments of a request's raw `path`.

    Raises :class:`BadRequest` for dot segments, also between slashes of either kind that were encoded, which
    a client resolves before it asks, and for what is not UTF-8 once decoded.
    """
    segments = path[1:].split("/")
    if "%" in path:
        segments = [_decoded(segment) for segment in segments]
    if ("." in path or "%" in path) and _DOTS.search("/".join(segments)):
        raise BadRequest("a path with dot segments", hint="resolve them")
    return segments


def _segment(part: str, text: str) -> Literal | Parameter:
    found = _PARAMETER.fullmatch(part)
    if found is not None:
        return Parameter(found[1], rest=found[2] is not None)
    try:
        literal = _decoded(part)
    except BadRequest:
        literal = ".."
    if "{" in part or "}" in part or _DOTS.search(literal):
        raise ProviderRefused(
            f"segment {part[:80]!r} of route {text[:80]!r}",
            hint="a segment is a text in UTF-8, {name}, or at the end {name...}",
        )
    return Literal(literal)


def _check(segments: tuple[Literal | Parameter, ...], text: str) -> None:
    parameters = [segment for segment in segments if isinstance(segment, Parameter)]
    if len({parameter.name for parameter in parameters}) != len(parameters):
        raise ProviderRefused(f"route {text!r} uses a name twice", hint="name parameters apart")
    if any(parameter.rest for parameter in parameters if parameter is not segments[-1]):
        raise ProviderRefused(f"route {text!r} goes on after the rest", hint="put {name...} at the end")


def _shape(segment: Literal | Parameter) -> str | None:
    if isinstance(segment, Literal):
        return segment.text
    # Neither can be a segment's text, which holds no slash that was not encoded, or is not both.
    return "/{...}" if segment.rest else None


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise BadRequest("a path that is not UTF-8", hint="encode it as UTF-8, then in percent") from None
