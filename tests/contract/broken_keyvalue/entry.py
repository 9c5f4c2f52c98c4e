"""Where the broken backends are entered, and what several of them are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from actorhost.contracts.keyvalue import DEFAULT_PAGE, KeyPage, KeysParams, SetOutcome, SetParams
from actorhost.contracts.provider import Link
from actorhost_providers.kv.memory import MemoryKeyValue

BROKEN: Final[dict[str, type[MemoryKeyValue]]] = {}


def breaks(rule_id: str) -> Callable[[type[MemoryKeyValue]], None]:
    """Enter the decorated backend as the one that breaks `rule_id`."""

    def enter(backend: type[MemoryKeyValue]) -> None:
        assert rule_id not in BROKEN, rule_id
        BROKEN[rule_id] = backend

    return enter


class BendsParams(MemoryKeyValue):
    """Lets a subclass change the parameters of ``set`` on their way in."""

    def bend(self, params: SetParams) -> SetParams:
        return params

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        return await super().set(link, self.bend(params))


class Restarting(MemoryKeyValue):
    """Begins to count revisions anew when a bucket has become empty."""

    async def set(self, link: Link, params: SetParams) -> SetOutcome:
        page = await self.keys(link, KeysParams(""))
        if not page.keys:
            self._bucket(link)._revision = 0
        return await super().set(link, params)


def cut_page(names: list[str], params: KeysParams, *, limit: int | None = None) -> KeyPage:
    limit = limit or params.limit or DEFAULT_PAGE
    names = [name for name in names if name.startswith(params.prefix) and name > (params.cursor or "")]
    return KeyPage(names[:limit], names[limit - 1] if len(names) > limit else None)
