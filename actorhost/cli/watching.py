"""What commands that follow an actor say besides what they show: where from, and what is missing."""

from __future__ import annotations

from actorhost.cli import output
from actorhost.host.follow import Round
from actorhost.ids import ActorName


class Watching:
    """Notes for people on stderr; `many` is true once more than one host was seen to run the actor."""

    def __init__(self, actor: ActorName, first: Round) -> None:
        """Say that following begins."""
        self.many = len(first.leases) > 1
        self._seen = set(first.leases)
        self._state = ""
        self._missed = 0
        hosts = f"{len(first.leases)} host{'s' if self.many else ''}"
        output.note(f"following actor {actor} on {hosts}; Ctrl-C ends it")

    def saw(self, host: str) -> None:
        """Take note of a host that published something."""
        self._seen.add(host)
        self.many = len(self._seen) > 1

    def round(self, found: Round) -> None:
        """Say what a round of leases shows, once for each change."""
        for host in found.leases:
            self.saw(host)
        if found.missed:
            output.note(f"{found.missed} batches came faster than they could be shown")
        if found.reconnected:
            output.note("the connection was lost for a while, and is back")
        state = _state(found)
        if state != self._state:
            output.note(state or "following again")
        self._state = state


def _state(found: Round) -> str:
    if found.error is not None:
        return f"cannot ask the hosts now, and go on trying: {found.error.message}"
    return "" if found.leases else "no host runs the actor now; waiting for one"
