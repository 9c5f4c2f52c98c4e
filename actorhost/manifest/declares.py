"""What a guest's author declares, as YAML: bytes in, a declaration or every finding out.

Read at build time by `actorhost embed`. Signatures may refer to a contract that is known here
(``get: actorhost:keyvalue@0.1.0``); its types are then written out, so that the declaration stays what
the guest was built with. Pure functions; nothing outlives the call but the declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from actorhost.contracts.base import Contract
from actorhost.contracts.declaration import (
    Declaration,
    Need,
    Signature,
    compatible,
    parse_version,
    signature_of,
)
from actorhost.contracts.types import NOTHING
from actorhost.errors import InvalidInput, InvalidName
from actorhost.ids import ActorName, ContractId, LinkName, OperationName
from actorhost.manifest.cursor import Cursor
from actorhost.manifest.findings import START, Findings
from actorhost.manifest.kinds import Flag, Kind, Named, Schema, Single, Unfit, text_of
from actorhost.manifest.nodes import Node, Scalar, compose
from actorhost.manifest.shapes import Field, ListOf, MapOf, Object, Record
from actorhost.manifest.type_text import Types
from actorhost.manifest.wording import shown, suggestion

Contracts = Mapping[ContractId, Contract]

_WHOLE: Final = "declaration"
_OPERATION: Final = Named(OperationName, "an operation name")


class _Unread(Kind[Cursor]):
    """A value that is read once all names are known: what there is, is its place."""

    def read(self, cursor: Cursor) -> Cursor:
        """Return where the value stands."""
        return cursor

    def schema(self) -> Schema:
        """Describe the value: anything."""
        return {}


class _Version(Single[str]):
    """A semantic version."""

    def value(self, node: Node) -> str:
        """Return the version."""
        try:
            parse_version(text := text_of(node))
        except InvalidInput as error:
            raise Unfit(error.message, error.hint) from None
        return text

    def schema(self) -> Schema:
        """Describe the value."""
        return {"type": "string"}


class _Need:
    version: Final = Field(
        key="version", kind=_Version(), required=True, about="0.1.0, the version built with"
    )
    links: Final = Field(
        key="links",
        kind=ListOf(Named(LinkName, "a link name"), 1, 100),
        about="[default], the links it calls",
    )
    optional: Final = Field(key="optional", kind=Flag(), default=False, about="whether it can do without")
    shape: Final = Object("A contract it calls.", version, links, optional)


class _Signature:
    params: Final = Field(key="params", kind=_Unread(), about="a record, or any; nothing if left out")
    result: Final = Field(key="result", kind=_Unread(), about="a type")
    shape: Final = Object("What an operation takes and gives.", params, result)


class _File:
    needs: Final = Field(
        key="needs", kind=MapOf(Named(ContractId, "a contract id"), _Need.shape), about="contracts it calls"
    )
    types: Final = Field(
        key="types", kind=MapOf(Named(ActorName, "a name"), _Unread()), about="names for types"
    )
    serves: Final = Field(key="serves", kind=MapOf(_OPERATION, _Unread()), about="operations it serves")
    calls: Final = Field(
        key="calls",
        kind=MapOf(Named(ActorName, "an actor name"), MapOf(_OPERATION, _Unread())),
        about="operations it calls on actors it is linked to",
    )
    shape: Final = Object("What a module needs, serves and calls.", needs, types, serves, calls)


def load_declaration(data: bytes, source: str, contracts: Contracts) -> Declaration:
    """Return the declaration in the YAML `data`, with the types of `contracts` it refers to.

    `source` is its name in findings. Raises :class:`actorhost.errors.ManifestInvalid` with every
    finding, each with its line, key path and hint.
    """
    text, findings = _text(data, source)
    node = None if findings.count else compose(text, findings)
    record = None if node is None else _File.shape.read(Cursor(node, "", START, findings))
    found = Declaration() if record is None else _declared(record, contracts)
    findings.raise_if_any("is no declaration")
    return found


def _text(data: bytes, source: str) -> tuple[str, Findings]:
    """Return the text and its findings so far: one when there is none to read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        findings = Findings(source, whole=_WHOLE)
        findings.add(START, "", "the file is not UTF-8", "save it as UTF-8")
        return "", findings
    return text, Findings(source, text, whole=_WHOLE, start="write at least serves: {NAME: {params: any}}")


def _declared(record: Record, contracts: Contracts) -> Declaration:
    types = Types(record.find(_File.types) or {})
    types.read_named()
    needs = record.find(_File.needs) or {}
    serves = record.find(_File.serves) or {}
    return Declaration(
        needs=tuple(_need(ContractId(name), need, contracts) for name, need in needs.items()),
        serves={name: _signature(name, place, types, contracts) for name, place in serves.items()},
        provides=_provided(serves.values()),
        calls={
            actor: {
                name: _signature(name, place, types, contracts, called=True) for name, place in each.items()
            }
            for actor, each in (record.find(_File.calls) or {}).items()
        },
    )


def _need(contract: ContractId, need: Record, contracts: Contracts) -> Need:
    written = need.find(_Need.version)
    version = written or "0.0.0"
    if contract in contracts and written is not None:
        _check_version(need.place(_Need.version), contracts[contract], version)
    links = tuple(map(str, need.find(_Need.links) or ()))
    return Need(str(contract), version, links, need.need(_Need.optional))


def _check_version(place: Cursor, contract: Contract, version: str) -> None:
    if not compatible(version, contract.version):
        place.refuse(f"{contract.id} is at {contract.version} here", f"write {contract.version}, or update")


def _provided(places: Iterable[Cursor]) -> dict[str, str]:
    """Return the contracts that are named at `places`, at the oldest version that is written of each."""
    found: dict[str, str] = {}
    for place in places:
        if (reference := _reference(place)) is not None:
            contract, version = reference
            found[contract] = min(found.get(contract, version), version, key=parse_version)
    return found


def _reference(place: Cursor) -> tuple[ContractId, str] | None:
    """Return the contract and version that are named at `place`, or None if none are."""
    try:
        text, _, version = text_of(place.node).partition("@")
        parse_version(version)
        return ContractId.parse(text), version
    except (Unfit, InvalidName, InvalidInput):
        return None


def _signature(
    name: str, place: Cursor, types: Types, contracts: Contracts, *, called: bool = False
) -> Signature:
    if isinstance(place.node, Scalar):
        return _referred(name, place, contracts)
    record = _Signature.shape.read(place)
    params, result = (
        (record.find(_Signature.params), record.find(_Signature.result)) if record else (None, None)
    )
    # A caller that says nothing of the answer takes any; one who serves gives what it says.
    given = types.read(result) if result else "any" if called else None
    return Signature(types.read(params) if params else NOTHING, given)


def _referred(name: str, place: Cursor, contracts: Contracts) -> Signature:
    """Return the signature of operation `name` of the contract that is named at `place`."""
    if (reference := _reference(place)) is None:
        place.refuse(
            "expected params and result, or a contract",
            "write {params: ..., result: ...}, or acme:store@0.1.0",
        )
        return Signature("any")
    text, version = reference
    if (contract := contracts.get(text)) is None:
        place.refuse(
            f"the contract {shown(text)} is not known here", suggestion(text, contracts, "contracts")
        )
        return Signature("any")
    _check_version(place, contract, version)
    operations = {**contract.operations, **contract.exports}
    if name not in operations:
        place.refuse_key(f"{text} has no operation {name}", suggestion(name, operations, "operations"))
        return Signature("any")
    return signature_of(operations[name])
