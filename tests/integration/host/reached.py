"""A provider of each contract there is, which says that it was reached; other processes can import them."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from actorhost.contracts.base import Contract
from actorhost.contracts.known import known_contracts
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import ProviderFailed


async def _reached(_self: Provider, link: Link, _params: object) -> NoReturn:
    raise ProviderFailed(f"reached by {link.actor}")


def _provider(name: str, contract: Contract) -> type[Provider]:
    methods: dict[str, Any] = {operation.method: _reached for operation in contract.operations.values()}
    return type(name, (Provider,), {"__module__": __name__, "contract": contract, **methods})


CONTRACTS: Final = tuple(known_contracts().values())
REACHED: Final = {
    f"Reached{number}": _provider(f"Reached{number}", contract) for number, contract in enumerate(CONTRACTS)
}
globals().update(REACHED)
