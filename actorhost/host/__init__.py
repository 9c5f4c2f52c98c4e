"""The host: puts the parts together and runs actors. ``host.py`` is the composition root.

The way of a message inside is router (subject to actor), actor (mailbox and runners), slot
(instance by policy), and back through the delivery's answer.
"""

from actorhost.host.client import Client
from actorhost.host.host import Host

__all__ = ["Client", "Host"]
