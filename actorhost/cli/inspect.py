"""``actorhost inspect``: what a module declares, who signed it, and whether it can run here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from actorhost import limits
from actorhost.cli import output, payload
from actorhost.contracts.declaration import Need, Signature
from actorhost.contracts.types import spelled
from actorhost.engine import admission, trampoline, wasi
from actorhost.engine.modules import declaration_of, examine
from actorhost.engine.sections_model import FuncType, MemoryType, ModuleInfo, TableType
from actorhost.engine.source import to_wasm
from actorhost.errors import ModuleRefused
from actorhost.ids import Digest
from actorhost.limits import MIB, PAGE

_CLAIMS: Final = ("jwt", "wasmcloud_jwt")
"""Custom sections in which wasmCloud's tools put a module's claims (wascap)."""


def inspect(
    module: Annotated[Path, typer.Argument(help="Wasm file, or WAT text ending in .wat.")],
    memory: Annotated[int, typer.Option(help="MiB of memory the guest may have.", min=1, max=4096)] = 64,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a module declares, and whether it can run here.

    Exits with 2 when it cannot.
    """
    bounds = limits.load()
    wasm = to_wasm(payload.read_file(module), str(module))
    info = examine(wasm, max_module=bounds.max_module)
    refusal = _refusal(info, memory * MIB, bounds.table_elements)
    facts = {**_facts(wasm, info), "runs_here": refusal is None, "refusal": refusal}
    if json:
        output.json_line(facts)
    else:
        for line in _lines(facts):
            output.data(line)
    raise typer.Exit(0 if refusal is None else 2)


def _refusal(info: ModuleInfo, memory: int, table_elements: int) -> str | None:
    try:
        admission.admit(info, memory=memory, table_elements=table_elements)
    except ModuleRefused as error:
        return error.message
    return None


def _facts(wasm: bytes, info: ModuleInfo) -> dict[str, Any]:
    return {
        "digest": str(Digest.of(wasm)),
        "bytes": info.size,
        "abi": list(_abi(info)),
        "functions": info.code_count,
        "memory": [_memory(item) for item in info.memories],
        "tables": [_table(item) for item in info.tables],
        "imports": [f"{item.module}.{item.name} {item.kind} {_type(item.type)}" for item in info.imports],
        "exports": [f"{item.name} {item.kind} {_type(item.type)}" for item in info.exports],
        "starts": list(_starts(info)),
        "custom_sections": [f"{item.name} ({item.size} bytes)" for item in info.customs],
        "claims": _claims(wasm, info),
        "declares": _declared(wasm, info),
    }


def _abi(info: ModuleInfo) -> Iterator[str]:
    """Yield the ABIs the module speaks, by the modules it imports from."""
    modules = {item.module for item in info.imports}
    for name in sorted(modules & (trampoline.WAPC_MODULE_NAMES | wasi.MODULE_NAMES)):
        yield f"waPC ({name})" if name in trampoline.WAPC_MODULE_NAMES else f"WASI ({name})"
    names = {item.name for item in info.exports}
    yield from sorted(names & {"__wasmbus_rpc_version", "__actor_api_version"})


def _starts(info: ModuleInfo) -> Iterator[str]:
    names = {item.name for item in info.exports}
    if info.start is not None:
        yield "start section"
    yield from (name for name in admission.STARTS if name in names)


def _type(kind: object) -> str:
    if isinstance(kind, FuncType):
        return str(kind)
    if isinstance(kind, MemoryType):
        return _memory(kind)
    return _table(kind) if isinstance(kind, TableType) else ""


def _memory(item: MemoryType) -> str:
    most = "no maximum" if item.maximum is None else f"at most {item.maximum * PAGE} bytes"
    return f"{item.minimum * PAGE} bytes, {most}"


def _table(item: TableType) -> str:
    most = "no maximum" if item.maximum is None else f"at most {item.maximum}"
    return f"{item.minimum} {item.element}, {most}"


def _declared(wasm: bytes, info: ModuleInfo) -> dict[str, Any] | None:
    """Return the module's declaration, if it has one: signatures as people write them."""
    try:
        declaration = declaration_of(wasm, info)
    except ModuleRefused as error:
        return {"unreadable": error.message}
    if declaration is None:
        return None
    return {
        "needs": [_need(need) for need in declaration.needs],
        "serves": [_signature(name, each) for name, each in declaration.serves.items()],
        "provides": [f"{contract} {version}" for contract, version in declaration.provides.items()],
        "calls": [
            _signature(f"{actor}.{name}", each)
            for actor, calls in declaration.calls.items()
            for name, each in calls.items()
        ],
    }


def _need(need: Need) -> str:
    links = f" over {', '.join(need.links)}" if need.links else ""
    return f"{need.contract} {need.version}{links}{' (optional)' if need.optional else ''}"


def _signature(name: str, signature: Signature) -> str:
    result = spelled(signature.result) if signature.result is not None else "nothing"
    return f"{name}({spelled(signature.params)}) -> {result}"


def _claims(wasm: bytes, info: ModuleInfo) -> dict[str, Any] | None:
    """Return the claims of the first section that holds any, as they stand: nothing is verified."""
    for item in info.customs:
        if item.name in _CLAIMS:
            return _decoded_claims(wasm[item.offset : item.offset + item.size])
    return None


def _decoded_claims(token: bytes) -> dict[str, Any]:
    try:
        _, body, _ = token.split(b".")
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError):
        return {"unreadable": "the section is not a JSON web token"}
    return claims if isinstance(claims, dict) else {"unreadable": "its claims are not an object"}


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    for name in ("digest", "bytes", "functions"):
        yield f"{name:<16}{facts[name]}"
    for name in ("abi", "starts", "memory", "tables", "imports", "exports", "custom_sections"):
        for position, text in enumerate(facts[name] or ["none"]):
            yield f"{name.replace('_', ' ') if position == 0 else '':<16}{text}"
    for name, texts in (facts["declares"] or {}).items():
        for position, text in enumerate([texts] if isinstance(texts, str) else texts):
            yield f"{name if position == 0 else '':<16}{text}"
    if facts["claims"] is not None:
        yield "claims          (as they stand; the signature is not verified)"
        for name, value in facts["claims"].items():
            yield f"{'':<16}{name}: {value}"
    yield f"{'runs here':<16}{'yes' if facts['runs_here'] else 'no: ' + facts['refusal']}"
