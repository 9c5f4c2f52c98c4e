"""The host: puts the parts together and runs actors. ``host.py`` is the composition root.

The way of a message inside is router (subject to actor), actor (mailbox and runners), slot
(instance by policy), and back through the delivery's answer. ``Host`` and ``Client`` are imported when
first asked for: the process of a provider needs no engine.
"""

from typing import TYPE_CHECKING

__all__ = ["Client", "Host"]

if TYPE_CHECKING:
    from actorhost.host.client import Client
    from actorhost.host.host import Host
else:

    def __getattr__(name: str) -> object:
        """Return a public class, imported now."""
        if name == "Client":
            from actorhost.host.client import Client  # noqa: PLC0415 - that is the point

            return Client
        if name == "Host":
            from actorhost.host.host import Host  # noqa: PLC0415

            return Host
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
