"""Writes a contract's Python face as WIT, so that it can be compared with the WIT file."""

from __future__ import annotations

import re
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from actorhost.contracts.base import Contract

SCALARS = {bool: "bool", str: "string", bytes: "list<u8>"}
RENAMED = {"KeyAndValue": "key-value"}
"""Names that Python needs for something else: ``KeyValue`` is the provider."""


class Writer:
    """Writes types and functions; collects the records and enums it meets."""

    def __init__(self) -> None:
        self.defined: dict[str, str] = {}

    def type_text(self, shape: Any) -> str:
        """Return the WIT of a type annotation."""
        origin, args = get_origin(shape), get_args(shape)
        if origin is Annotated:
            named = [meta.extra["wit"] for meta in args[1:] if meta.extra]
            for extra in (meta.extra for meta in args[1:] if meta.extra and "variant" in meta.extra):
                self.defined[extra["wit"]] = f"variant {extra['wit']} {{ {extra['variant']} }}"
            return str(named[0]) if named else self.type_text(args[0])
        if origin in (Union, UnionType):
            (wanted,) = [part for part in args if part is not NoneType]
            return f"option<{self.type_text(wanted)}>"
        if origin in (list, tuple):
            return f"{origin.__name__}<{', '.join(map(self.type_text, args))}>"
        return SCALARS.get(shape) or self.define(shape)

    def define(self, shape: type) -> str:
        """Return the name of a record or enum, after noting what it holds."""
        name = RENAMED.get(shape.__name__, kebab(shape.__name__))
        if issubclass(shape, Enum):
            self.defined[name] = f"enum {name} {{ {' '.join(f'{each.value},' for each in shape)} }}"
        else:
            body = " ".join(f"{field}," for field in self.fields(shape))
            self.defined[name] = f"record {name} {{ {body} }}"
        return name

    def fields(self, shape: type) -> list[str]:
        """Return ``name: type`` of each field of a struct, in order."""
        hints = get_type_hints(shape, include_extras=True)
        return [
            f"{field.encode_name}: {self.type_text(hints[field.name])}"
            for field in msgspec.structs.fields(shape)
        ]


def face_as_wit(contract: Contract) -> tuple[dict[str, str], list[str]]:
    """Return the definitions by name, and the functions in order."""
    writer, functions = Writer(), []
    for operation in (*contract.operations.values(), *contract.exports.values()):
        result = "" if operation.result is None else f" -> {writer.type_text(operation.result)}"
        parameters = ", ".join(writer.fields(operation.params))
        functions.append(f"{operation.name}: func({parameters}){result};")
    return writer.defined, functions


def file_as_wit(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the definitions and functions of a WIT file in the same form."""
    plain = re.sub(r"\s+", " ", re.sub(r"//.*", "", text))
    plain = plain.replace("( ", "(").replace(", )", ")")
    defined = {
        match[2]: match[0] for match in re.finditer(r"(record|enum|variant) ([a-z0-9-]+) \{[^}]*\}", plain)
    }
    return defined, re.findall(r"[a-z0-9-]+: func\([^;]*;", plain)


def kebab(name: str) -> str:
    """Return a Python class name in kebab case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
