"""Backends that break the rules about listing keys."""

from __future__ import annotations

import msgspec

from actorhost.contracts.keyvalue import DEFAULT_PAGE, MAX_MANY, DeleteParams, KeyPage, KeysParams, SetParams
from actorhost.contracts.provider import Link
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.contract.broken_keyvalue.entry import breaks, cut_page


class BendsPages(MemoryKeyValue):
    """Lets a subclass make the pages from all keys."""

    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        raise NotImplementedError

    async def keys(self, link: Link, params: KeysParams) -> KeyPage:
        names = list(self._bucket(link).keys_from("", None))
        return self.cut(names, params)


@breaks("keys-none")
class BreaksKeysNone(BendsPages):
    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        return msgspec.structs.replace(cut_page(names, params), cursor=None if names else "0")


@breaks("keys-prefix")
class BreaksKeysPrefix(BendsPages):
    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        if params.prefix.startswith("*"):
            params = msgspec.structs.replace(params, prefix="")
        return cut_page(names, params)


@breaks("keys-order")
class BreaksKeysOrder(BendsPages):
    """Orders by UTF-16, as some languages do."""

    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        page = cut_page(names, msgspec.structs.replace(params, limit=MAX_MANY))
        return KeyPage(sorted(page.keys, key=lambda name: name.encode("utf-16-be")))


@breaks("keys-pages")
class BreaksKeysPages(BendsPages):
    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        """Answers the next key as the cursor, and goes on after it."""
        page = cut_page(names, params)
        return page if page.cursor is None else KeyPage(page.keys, names[names.index(page.cursor) + 1])


@breaks("keys-limit")
class BreaksKeysLimit(BendsPages):
    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        return cut_page(names, params, limit=max(params.limit or 0, 10))


@breaks("keys-limit-default")
class BreaksKeysLimitDefault(BendsPages):
    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        return cut_page(names, params, limit=params.limit or MAX_MANY)


@breaks("keys-limit-largest")
class BreaksKeysLimitLargest(BendsPages):
    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        page = cut_page(names, params)
        return KeyPage(page.keys) if params.limit == MAX_MANY else page


@breaks("keys-deleted")
class BreaksKeysDeleted(MemoryKeyValue):
    async def delete(self, link: Link, params: DeleteParams) -> bool:
        removed = await super().delete(link, params)
        await super().set(link, SetParams(params.key, b"tombstone"))
        return removed


class NumberedPages(BendsPages):
    """Counts where it was, so that writes in front of that place move the pages."""

    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        limit, start = params.limit or DEFAULT_PAGE, int(params.cursor or "0")
        names = [name for name in names if name.startswith(params.prefix)]
        more = len(names) > start + limit
        return KeyPage(names[start : start + limit], str(start + limit) if more else None)


@breaks("keys-stable")
class BreaksKeysStable(NumberedPages):
    pass


@breaks("keys-cursor-deleted")
class BreaksKeysCursorDeleted(BendsPages):
    """Looks for the cursor's key and ends the listing when it is gone."""

    def cut(self, names: list[str], params: KeysParams) -> KeyPage:
        if params.cursor is not None and params.cursor not in names:
            return KeyPage([])
        return cut_page(names, params)
