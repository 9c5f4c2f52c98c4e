"""Room for sandboxes: how many memory mappings they take, and when to stop before the kernel does.

Linux bounds the mappings of a process. At that bound every allocation fails, Python's own included,
so the engine refuses a sandbox while there are still enough left for everything else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from actorhost.engine.config import Profile
from actorhost.errors import Unavailable

_BOUND: Final = Path("/proc/sys/vm/max_map_count")
_RESERVE: Final = 2_000
"""Mappings for all that is no sandbox: libraries, threads, the heap."""

_EACH: Final = {Profile.DENSE: 3, Profile.ROOMY: 10}
"""Mappings of one sandbox: 3 and 8 were measured, and growing memory may split one of the latter."""


class Headroom:
    """Counts the mappings of the sandboxes alive; where the system sets no bound, there is none."""

    def __init__(self) -> None:
        self._bound = int(_BOUND.read_text()) if _BOUND.is_file() else None
        self._taken = 0

    def take(self, profile: Profile) -> None:
        """Count one more sandbox, or raise :class:`Unavailable` when there is no room for it."""
        wanted = self._taken + _EACH[profile]
        if self._bound is not None and wanted > self._bound - _RESERVE:
            raise Unavailable(
                f"no room for another sandbox: vm.max_map_count = {self._bound} bounds this process",
                hint="raise it (sysctl vm.max_map_count), or run another host",
            )
        self._taken = wanted

    def give_back(self, profile: Profile) -> None:
        """Count one sandbox less."""
        self._taken -= _EACH[profile]
