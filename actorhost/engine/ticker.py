"""The epoch ticker: a thread that makes busy guests yield, and sleeps when none runs.

Started and stopped by the engine. While guests wait for turns it advances the epochs about every
millisecond, otherwise every few; after a while without guests it blocks on a lock, so an idle host
is idle.
"""

from __future__ import annotations

import threading
from typing import Final

from actorhost import clock
from actorhost.engine.capi import C
from actorhost.engine.config import CALM_TICK, TICK

_IDLE_TICKS: Final = 8
_JOIN_TIMEOUT: Final = 5.0


class EpochTicker:
    """Advances the epochs while :attr:`polling` is true, faster while :attr:`urgent` is.

    The event loop's thread writes :attr:`polling` around every poll and calls :meth:`wake` when
    :attr:`dormant` is true; under the GIL no tick is lost between the two. It sets :attr:`urgent`
    while guests wait for their turns.
    """

    __slots__ = ("_engines", "_stopping", "_thread", "_wakeup", "dormant", "polling", "ticks", "urgent")

    def __init__(self) -> None:
        self.polling = False
        self.urgent = False
        self.dormant = False
        self.ticks = 0
        self._engines: tuple[int, ...] = ()
        self._stopping = False
        self._wakeup = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="actorhost-epoch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def watch(self, engine: int) -> None:
        """Advance the epoch of `engine` (an address) too."""
        self._engines = (*self._engines, engine)

    def wake(self) -> None:
        """End the dormancy; called by the thread that set :attr:`polling`."""
        self.dormant = False
        self._wakeup.release()

    def stop(self) -> None:
        """End the thread and wait for it; no engine is touched afterwards."""
        self._stopping = True
        self._wakeup.release()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_TIMEOUT)

    def _run(self) -> None:
        idle = 0
        while not self._stopping:
            clock.sleep(TICK if self.urgent else CALM_TICK)
            if self.polling:
                idle = 0
                self._tick()
            elif (idle := idle + 1) > _IDLE_TICKS:
                idle = 0
                self._rest()

    def _tick(self) -> None:
        self.ticks += 1
        for engine in self._engines:
            C.wasmtime_engine_increment_epoch(engine)

    def _rest(self) -> None:
        self.dormant = True
        # A poll that began before `dormant` was visible wakes nobody: look again.
        if self.polling or self._stopping:
            self.dormant = False
            return
        self._wakeup.acquire()
