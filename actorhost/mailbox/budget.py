"""What all mailboxes of a host may hold together.

Owned by the host; each mailbox takes from it and gives back. It outlives any one mailbox.
"""

from __future__ import annotations

from actorhost.errors import Overloaded


class Budget:
    """At most `max_count` items of together at most `max_bytes`, in any number of mailboxes.

    `count` and `size` are what they hold; a mailbox adds to them itself, as it is done for each message.
    """

    __slots__ = ("_max_bytes", "_max_count", "count", "size")

    def __init__(self, *, max_count: int, max_bytes: int) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self.count = 0
        self.size = 0

    def fits(self, size: int) -> bool:
        """Whether one more item of `size` bytes may be taken."""
        return self.count < self._max_count and self.size + size <= self._max_bytes

    def full(self) -> Overloaded:
        """Return what an item that does not fit is refused with."""
        return Overloaded(
            f"the host's mailboxes are full: {self.count} messages, {self.size} bytes",
            hint="retry later, or add hosts; ACTORHOST_HOST_MAILBOX_COUNT and _BYTES bound them",
        )

    def give_back(self, count: int, size: int) -> None:
        """Account for `count` items of together `size` bytes that were taken out."""
        self.count -= count
        self.size -= size

    def fuller_than(self, share: float) -> bool:
        """Whether more than `share` (0 to 1) of either bound is taken."""
        return self.count > share * self._max_count or self.size > share * self._max_bytes
