"""JSON as it is printed: readable, and unable to steer the terminal it is printed on."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any) -> str:
    """Return `value` as one line of JSON; in ASCII if it holds anything that is not printable."""
    text = json.dumps(value, ensure_ascii=False)
    # JSON escapes only the first 32 control characters; others can hide or overwrite text as well.
    return text if text.isprintable() else json.dumps(value)
