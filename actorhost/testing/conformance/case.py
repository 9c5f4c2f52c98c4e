"""A corner of any provider under test: one link, called by the wire's types.

A backend's own tests make one for each rule and own it. Every call goes through the contract's codecs
both ways, so a value of the wrong type shows.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from actorhost.contracts.base import Params
from actorhost.contracts.provider import Link, Provider
from actorhost.ids import ActorName, LinkName


class Case:
    """One link to `provider`, which was started."""

    def __init__(self, provider: Provider) -> None:
        """Call `provider` on behalf of an actor, over a link without configuration."""
        self.provider = provider
        self.link = Link(ActorName("conformance"), provider.contract.id, LinkName("default"))

    def linked(self, config: Mapping[str, object]) -> Self:
        """Return another case of the same provider, over a link with this configuration."""
        other = copy.copy(self)
        other.link = replace(self.link, config=config)
        self.provider.check_link(other.link)
        return other

    async def call(self, name: str, params: Params) -> Any:
        """Return what operation `name` answers."""
        operation = self.provider.contract.operation(name)
        received = operation.decode_params(operation.encode_params(params))
        result = await getattr(self.provider, operation.method)(self.link, received)
        return operation.decode_result(operation.encode_result(result))
