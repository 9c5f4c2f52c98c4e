"""The JSON schema of a manifest, generated from the grammar that the loader reads by.

Editors use it to complete and check; it says what one value may be, not what must agree across
keys. ``manifests/schema.json`` holds its text; a test compares them.
"""

from __future__ import annotations

import json

from actorhost.manifest.grammar import Manifest
from actorhost.manifest.kinds import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """Return the schema of a manifest, JSON schema draft 2020-12."""
    return {"$schema": DIALECT, "title": "actorhost manifest"} | Manifest.shape.schema()


def schema_text() -> str:
    """Return the schema as indented JSON, ending with a line break."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
