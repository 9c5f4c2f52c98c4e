"""Manifests: bytes in, an application or a list of located errors out.

Pure: no file is opened and no clock is read here. Whoever holds the bytes calls
:func:`load_manifest`; nothing lives longer than that call. In reading order: ``nodes`` (YAML to
located values), ``kinds`` and ``shapes`` (what one value may be), ``grammar`` (every key of a
manifest), ``fitting`` and ``check`` (what must agree across keys), ``build`` (the model), ``draft``
(the model before all is known to be right), ``load`` (all of it).
"""

from __future__ import annotations

from actorhost.manifest.load import MAX_MANIFEST, load_manifest
from actorhost.manifest.model import (
    DENSE_MEMORY,
    ActorSpec,
    Application,
    IngestSpec,
    InstancePolicy,
    LinkSpec,
    PayloadFormat,
    Place,
    Profile,
    ProviderSpec,
)
from actorhost.manifest.schema import schema_text

__all__ = [
    "DENSE_MEMORY",
    "MAX_MANIFEST",
    "ActorSpec",
    "Application",
    "IngestSpec",
    "InstancePolicy",
    "LinkSpec",
    "PayloadFormat",
    "Place",
    "Profile",
    "ProviderSpec",
    "load_manifest",
    "schema_text",
]
