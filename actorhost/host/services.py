"""What every actor of a host shares, in one value handed down from the host.

Made once by the host, which owns the parts and ends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from actorhost.capability import Broker
from actorhost.contracts.provider import Provider
from actorhost.engine import Engine
from actorhost.errors import ActorhostError
from actorhost.host.delivery import Delivery
from actorhost.host.events import Events
from actorhost.ids import HostId, LatticeName
from actorhost.limits import Limits
from actorhost.mailbox import Budget
from actorhost.transport import Transport

GiveUp = Callable[[str, Delivery, ActorhostError], None]
"""Takes the actor's name, a message that has no answer and could not be handled, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The shared parts: `budget` bounds all mailboxes together, `give_up` keeps dead letters.

    `events` tells the lattice what happens.
    `providers` are classes by name that are not installed but may be used; `nats` is the server's URL.
    `transport`, `lattice` and `host` say how to reach those that run elsewhere.
    `shared` is what providers of different applications share.
    """

    engine: Engine
    broker: Broker
    limits: Limits
    budget: Budget
    give_up: GiveUp
    events: Events
    providers: Mapping[str, type[Provider]]
    transport: Transport
    lattice: LatticeName
    host: HostId
    nats: str = ""
    shared: MutableMapping[str, Any] = field(default_factory=dict)
