"""The public test kit: faults, stand-ins and conformance suites. Nothing imports it at run time.

:class:`FaultProxy` is a bad network before a NATS server, :class:`MemoryLattice` hosts and clients
without one, :class:`ManualClock` a clock that obeys, :func:`own_process` runs a provider where it may not
share anything; ``hanging_provider`` and its like are providers
that misbehave. The pytest fixture is in :mod:`actorhost.testing.plugin`, the conformance suites are in
:mod:`actorhost.testing.conformance`; ``docs/testing.md`` shows how all of it is used.
"""

from __future__ import annotations

from actorhost.testing.clock import ManualClock
from actorhost.testing.conditions import Direction
from actorhost.testing.faulty import Lie, failing_provider, hanging_provider, lying_provider
from actorhost.testing.lattice import MemoryLattice
from actorhost.testing.place import own_process
from actorhost.testing.proxy import FaultProxy, ProxyStatistics

__all__ = [
    "Direction",
    "FaultProxy",
    "Lie",
    "ManualClock",
    "MemoryLattice",
    "ProxyStatistics",
    "failing_provider",
    "hanging_provider",
    "lying_provider",
    "own_process",
]
