"""A manifest as far as it could be read: its parts with their places, and what is wrong so far.

Made by :func:`actorhost.manifest.read_manifest` for whoever looks further than the text, at the
modules and providers it names: what they find is added to the same report. Ends with
:meth:`Draft.application`.
"""

from __future__ import annotations

from functools import cached_property

from actorhost.errors import InternalError
from actorhost.ids import ActorName
from actorhost.limits import Limits
from actorhost.manifest.build import Part, build, build_actors, build_providers
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.findings import START, Findings
from actorhost.manifest.grammar import Manifest, Metadata
from actorhost.manifest.model import ActorSpec, Application, ProviderSpec
from actorhost.manifest.shapes import Record


class Draft:
    """The manifest `record`, or None for one that could not be read at all, and its `findings`."""

    def __init__(self, record: Record | None, findings: Findings, limits: Limits) -> None:
        self._record = record
        self._findings = findings
        self._limits = limits

    @classmethod
    def unreadable(cls, source: str, message: str, hint: str) -> Draft:
        """Return the draft of a file whose bytes cannot be had: one finding."""
        findings = Findings(source)
        findings.add(START, "", message, hint)
        return cls(None, findings, Limits())

    @property
    def source(self) -> str:
        """The name of the file."""
        return self._findings.source

    @property
    def name(self) -> ActorName | None:
        """The name of the application, if it could be read."""
        metadata = self._record.find(Manifest.metadata) if self._record else None
        return metadata.find(Metadata.name) if metadata else None

    @cached_property
    def actors(self) -> tuple[Part[ActorSpec], ...]:
        """The actors that have a module; what is wrong in one stands at its default."""
        return build_actors(self._record, self._limits) if self._record else ()

    @cached_property
    def providers(self) -> tuple[Part[ProviderSpec], ...]:
        """The providers that say which they are; what is wrong in one stands at its default."""
        return build_providers(self._record) if self._record else ()

    def sound(self, place: Cursor) -> bool:
        """Whether nothing was found wrong so far at `place` or in it."""
        return not self._findings.touch(place.path)

    def application(self) -> Application:
        """Return the application, or raise :class:`ManifestInvalid` with every finding."""
        self._findings.raise_if_any()
        if self._record is None:
            raise InternalError(f"{self.source} could not be read and has no finding")
        return build(self._record, self.actors, self.providers)
