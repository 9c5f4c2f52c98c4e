"""The contracts that have a face in this package, by id.

Found by looking through the package, so a contract is known as soon as its module is there. Asked at
build and check time only: it imports all of them. Nothing is kept but what Python keeps of modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from actorhost import contracts
from actorhost.contracts.base import Contract
from actorhost.ids import ContractId


def known_contracts() -> Mapping[ContractId, Contract]:
    """Return every contract of this package; where two sides share an id, both sides in one."""
    names = (found.name for found in iter_modules(contracts.__path__))
    modules = (import_module(f"{contracts.__name__}.{name}") for name in names)
    found: dict[ContractId, Contract] = {}
    for value in (value for module in modules for value in vars(module).values()):
        if isinstance(value, Contract):
            found[value.id] = _joined(found.get(value.id, value), value)
    return MappingProxyType(found)


def _joined(one: Contract, other: Contract) -> Contract:
    operations = MappingProxyType({**one.operations, **other.operations})
    return Contract(one.id, one.version, operations, MappingProxyType({**one.exports, **other.exports}))
