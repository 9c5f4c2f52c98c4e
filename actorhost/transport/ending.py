"""A subscription that ends once, however often it is closed: what transports hand out.

Owned by the subscriber.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class EndingSubscription:
    """Calls `end` at the first :meth:`close`."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[], Awaitable[None]]) -> None:
        self._end: Callable[[], Awaitable[None]] | None = end

    async def close(self) -> None:
        """End it: what was on its way is still delivered, and nothing after this returns."""
        end, self._end = self._end, None
        if end is not None:
            await end()
