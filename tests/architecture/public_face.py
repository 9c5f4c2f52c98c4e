"""The public face as text: every public name, its signature and its public members.

``python -m tests.architecture.public_face`` writes it to ``public_face.txt`` beside this file.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import EnumType
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

PINNED: Final = Path(__file__).with_suffix(".txt")
MODULES: Final = (
    "actorhost",
    "actorhost.contracts.base",
    "actorhost.contracts.provider",
    "actorhost.errors",
    "actorhost.manifest",
    "actorhost.testing",
)
PLAIN: Final = bool | int | float | str | bytes | tuple | None


def _public_names(module: ModuleType) -> list[str]:
    """Return ``__all__``, or what the module itself defines without an underscore."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    )


def _signature(thing: object) -> str:
    """Return parameters as they were written; a default that is no plain value is ``...``."""
    if not callable(thing) or isinstance(thing, EnumType):
        return ""
    found = inspect.signature(thing)
    parameters = [
        item
        if isinstance(item.default, type(inspect.Parameter.empty) | PLAIN)
        else item.replace(default=Ellipsis)
        for item in found.parameters.values()
    ]
    text = str(found.replace(parameters=parameters)).replace("Ellipsis", "...")
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)


def _members(thing: object) -> Iterator[str]:
    if not inspect.isclass(thing):
        return
    for name, member in sorted(vars(thing).items()):
        if name.startswith("_"):
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        signature = _signature(plain) if inspect.isfunction(plain) else ""
        yield f"    {'async ' if inspect.iscoroutinefunction(plain) else ''}{name}{signature}"


def _lines() -> Iterator[str]:
    for module in map(import_module, MODULES):
        yield module.__name__
        for name in _public_names(module):
            thing = getattr(module, name)
            bases = [base.__name__ for base in getattr(thing, "__bases__", ()) if base is not object]
            yield f"  {name}{_signature(thing)}{' : ' + ', '.join(bases) if bases else ''}"
            yield from _members(thing)


def render() -> str:
    """Return the public face, a line for each name."""
    return "\n".join(_lines()) + "\n"


if __name__ == "__main__":
    PINNED.write_text(render(), encoding="utf-8")
