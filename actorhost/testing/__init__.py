"""The public test kit: faults, stand-ins and conformance suites. Nothing imports it at run time.

:class:`FaultProxy` is a bad network, :class:`ManualClock` a clock that obeys. ``docs/testing.md``
shows how they are used.
"""

from __future__ import annotations

from actorhost.testing.clock import ManualClock
from actorhost.testing.conditions import Direction
from actorhost.testing.proxy import FaultProxy, ProxyStatistics

__all__ = ["Direction", "FaultProxy", "ManualClock", "ProxyStatistics"]
