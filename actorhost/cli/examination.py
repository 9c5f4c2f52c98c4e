"""What a manifest names beyond its text, looked at without starting anything: modules, and how all agrees.

Everything found is added to the manifest's draft, at the place that names it. Nothing is kept; the
hosts check again, for what they are given may be another file by then.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actorhost.cli.provider_examination import Provided
from actorhost.contracts.declaration import Declaration
from actorhost.contracts.known import known_contracts
from actorhost.engine import admission
from actorhost.engine.modules import check_size, declaration_of, examine, validate
from actorhost.engine.sections_model import ModuleInfo
from actorhost.errors import InvalidInput, ModuleRefused
from actorhost.ids import ActorName, Digest
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, grammar
from actorhost.manifest.agreement import Parties, check_agreement
from actorhost.manifest.build import Part
from actorhost.manifest.draft import Draft
from actorhost.manifest.waits import check_waits


@dataclass(frozen=True)
class _Module:
    """A file that can be read: its digest, what it is or why it is no module, and what it declares."""

    digest: Digest
    info: ModuleInfo | ModuleRefused
    declaration: Declaration | None = None


def examine_modules(draft: Draft, base: Path, limits: Limits) -> Mapping[str, Declaration]:
    """Find modules that are missing, changed or cannot run; each file in `base` is read once.

    Returns what those that can run declare, by their path as written.
    """
    known: dict[str, _Module | InvalidInput] = {}
    for actor in draft.actors:
        path = actor.spec.module
        if path not in known:
            known[path] = _read(base / path, limits)
        _examine_actor(actor, known[path], limits)
    modules = ((path, module) for path, module in known.items() if isinstance(module, _Module))
    return {path: module.declaration for path, module in modules if module.declaration is not None}


def examine_agreement(draft: Draft, declared: Mapping[str, Declaration], provided: Provided) -> None:
    """Find where modules, what they are linked to and how long they wait do not go together."""
    check_agreement(draft, Parties(declared, provided.contracts, known_contracts(), provided.wanted))
    check_waits(draft, declared)


def examine_names(drafts: Iterable[Draft]) -> None:
    """Find actors that an application before them has too; one of the same name is replaced."""
    running: dict[ActorName, dict[str, str]] = {}
    for draft in drafts:
        others = {name: places for name, places in running.items() if name != draft.name}
        for actor in draft.actors:
            if draft.sound(actor.name):
                _examine_name(actor, others)
        if draft.name is not None:
            running[draft.name] = {
                actor.spec.name: f"{draft.source}:{actor.name.node.at.line}" for actor in draft.actors
            }


def _examine_name(actor: Part[ActorSpec], others: Mapping[ActorName, Mapping[str, str]]) -> None:
    for application, places in others.items():
        if (place := places.get(actor.spec.name)) is not None:
            message = f"application {application} has an actor of this name too"
            actor.name.refuse(
                message, f"actor names are unique in a lattice: rename one; the other is at {place}"
            )


def _examine_actor(actor: Part[ActorSpec], module: _Module | InvalidInput, limits: Limits) -> None:
    place = actor.properties.place(grammar.Actor.module)
    if isinstance(module, InvalidInput):
        place.refuse(module.message, module.hint)
        return
    if actor.spec.digest not in (None, module.digest):
        actor.properties.place(grammar.Actor.digest).refuse(
            f"the module has the digest {module.digest}", "rebuild the module, or correct the digest"
        )
    try:
        _admit(actor, module.info, limits)
    except ModuleRefused as error:
        place.refuse(error.message, error.hint)


def _admit(actor: Part[ActorSpec], info: ModuleInfo | ModuleRefused, limits: Limits) -> None:
    if isinstance(info, ModuleRefused):
        raise info
    # A limit with a finding of its own says nothing about the module.
    memory = actor.spec.memory if actor.properties.sound(grammar.Actor.memory) else sys.maxsize
    admission.admit(info, memory=memory, table_elements=limits.table_elements)


def _read(path: Path, limits: Limits) -> _Module | InvalidInput:
    try:
        wasm = _content(path, limits)
    except InvalidInput as error:
        return error
    try:
        info = examine(wasm, max_module=limits.max_module)
        validate(wasm)
        return _Module(Digest.of(wasm), info, declaration_of(wasm, info))
    except ModuleRefused as error:
        return _Module(Digest.of(wasm), error)


def _content(path: Path, limits: Limits) -> bytes:
    """Return the bytes of the module at `path`, or raise :class:`InvalidInput`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{path} is not a file", hint="give the path of a .wasm file")
        check_size(status.st_size, max_module=limits.max_module)
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read {path}: {error.strerror}", hint="build it, or correct the path"
        ) from None
