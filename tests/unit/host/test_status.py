"""What a host says of its actors, however much there is to say."""

from __future__ import annotations

import msgspec

from actorhost.errors import FaultCode
from actorhost.host.control_messages import MAX_PAGE, ActorStatus, StatusPage, encode
from actorhost.limits import KIB, MIB


def worst() -> ActorStatus:
    """Return a status that takes as much room as one can."""
    many = 2**40
    words = {"name": "n" * 63, "application": "n" * 63, "digest": "0" * 64, "policy": "per-call"}
    words |= {"profile": "dense", "state": "running", "last_end": "\U0001f525" * 50}
    faults = {str(code): many for code in FaultCode}
    counts = {
        field.name: many if field.type is int else 123_456.789
        for field in msgspec.structs.fields(ActorStatus)
        if field.type in (int, float)
    }
    return msgspec.convert({**words, **counts, "faults": faults}, ActorStatus)


def test_a_page_of_the_longest_statuses_fits_one_message() -> None:
    assert len(encode(StatusPage((worst(),) * MAX_PAGE, more=True))) < MIB - 4 * KIB
