"""What the references in an application's configuration stand for, looked up on the host that runs it.

Owned by a deployment: read before anything is stopped or started for it, forgotten with it. The
values live here, in the configuration that providers are given, and nowhere else; redaction blots
them out of every error (see :mod:`actorhost.capability.redaction`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from typing import Final

from actorhost.capability.redaction import spellings_of
from actorhost.contracts.config import Unknown
from actorhost.errors import InternalError, InvalidInput, ProviderRefused
from actorhost.limits import KIB
from actorhost.manifest.model import Application
from actorhost.manifest.references import Reference, Source, parse, replace_texts

MAX_SECRET: Final = 64 * KIB
"""Bytes of one value."""

_SHOWN: Final = 20
"""References that one error names."""


class Secrets:
    """The values behind the references of one application; none before :meth:`read`."""

    def __init__(self) -> None:
        self._values: dict[Reference, str] = {}
        self._filled_in = False
        self._unknown = False
        self.hidden: tuple[str, ...] = ()

    @classmethod
    def told(cls, hidden: tuple[str, ...]) -> Secrets:
        """Return the secrets of a configuration that has them in it: nothing in it is a reference."""
        known = cls()
        known.hidden = hidden
        known._filled_in = True
        return known

    @classmethod
    def unknown(cls) -> Secrets:
        """Return what knows no value: a text :class:`Unknown` stands for each reference."""
        known = cls()
        known._unknown = True
        return known

    def read(self, application: Application, environ: Mapping[str, str] | None = None) -> None:
        """Look up every reference of `application`, in `environ` (``os.environ``) and files; blocks.

        Raises :class:`ProviderRefused` that names each reference without a usable value, where it
        stands and what to do; then there are no values.
        """
        environ = os.environ if environ is None else environ
        values: dict[Reference, str] = {}
        wrong: list[str] = []
        for reference, place in _references(application):
            try:
                if reference not in values:
                    values[reference] = _value(reference, environ)
            except InvalidInput as error:
                wrong.append(f"{place}: {error.message}")
        if wrong:
            raise _refusal(application, wrong)
        self._values = values
        self.hidden = spellings_of(values.values())

    def fill(self, config: Mapping[str, object]) -> Mapping[str, object]:
        """Return `config` with values for references; what holds none is returned as it is."""
        if self._filled_in:
            return config
        filled = replace_texts(config, "config", self._filled)
        if not isinstance(filled, Mapping):
            raise InternalError("a configuration is a map")
        return filled

    def forget(self) -> None:
        """Let go of the values."""
        self._values = {}
        self.hidden = ()

    def _filled(self, text: str, path: str) -> str:
        meant = parse(text)
        if isinstance(meant, str):
            return meant
        if self._unknown:
            return Unknown(text)
        if meant not in self._values:
            raise InternalError(f"{path}: {meant} was used before it was read")
        return self._values[meant]


def _references(application: Application) -> Iterator[tuple[Reference, str]]:
    """Yield each reference and where it stands; a text that is none though it looks so raises."""
    for provider in application.providers:
        yield from _references_in(provider.config, f"provider {provider.name!r}")
    for actor in application.actors:
        for link in actor.links:
            if not link.is_actor:  # what actors are linked to never sees the link's configuration
                place = f"actor {actor.name!r}, link {link.name!r} to {link.target!r}"
                yield from _references_in(link.config, place)


def _references_in(config: Mapping[str, object], owner: str) -> list[tuple[Reference, str]]:
    found: list[tuple[Reference, str]] = []

    def look(text: str, path: str) -> str:
        place = f"{owner}, {path}"
        try:
            meant = parse(text)
        except InvalidInput as error:
            raise ProviderRefused(f"{place}: {error.message}", hint=error.hint) from None
        if isinstance(meant, Reference):
            found.append((meant, place))
        return text

    replace_texts(config, "config", look)
    return found


def _refusal(application: Application, wrong: list[str]) -> ProviderRefused:
    told = "; ".join(wrong[:_SHOWN]) + (f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")
    return ProviderRefused(
        f"application {application.name!r} refers to secrets that this host does not have: {told}",
        hint="set the variable for the host's process, make the file readable for its user, or correct"
        " the reference; then deploy again",
    )


def _value(reference: Reference, environ: Mapping[str, str]) -> str:
    """Return what `reference` stands for, or raise :class:`InvalidInput`, which never repeats it."""
    if reference.source is Source.FILE:
        data = _content(reference)
    elif (text := environ.get(reference.name)) is None:
        raise InvalidInput(f"the environment variable of {reference} is not set")
    else:
        # Bytes that are not UTF-8 come as lone surrogates.
        data = text.encode("utf-8", "surrogateescape")
    if not data:
        raise InvalidInput(f"what {reference} stands for is empty")
    if len(data) > MAX_SECRET:
        raise InvalidInput(f"what {reference} stands for is over {MAX_SECRET} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"what {reference} stands for is not UTF-8") from None


def _content(reference: Reference) -> bytes:
    """Return the content of a file without the line end that editors and ``echo`` add."""
    try:
        # A pipe without a writer would otherwise hold the host for ever.
        descriptor = os.open(reference.name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidInput(f"{reference} is not a file")
            data = file.read(MAX_SECRET + 3)
    except OSError as error:
        raise InvalidInput(f"{reference} cannot be read: {error.strerror}") from None
    return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data
