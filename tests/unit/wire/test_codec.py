"""Envelopes on the wire: their form, and what is said of bytes that are none."""

from __future__ import annotations

import msgpack
import pytest

from actorhost.errors import ProtocolError
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import Envelope, Kind
from actorhost.wire.fault import Fault


def test_an_envelope_is_an_array_in_field_order() -> None:
    data = encode(Envelope(1, Kind.ASK, "id", b"hello", source="me", remaining_ms=5000, chain=("a", "b")))
    assert msgpack.unpackb(data) == [1, 1, "id", b"hello", "me", 5000, ["a", "b"], 0, "", "", None]


def test_only_the_first_fields_are_required_and_later_ones_are_ignored() -> None:
    assert decode(msgpack.packb([1, 2, "id", b"x"])) == Envelope(1, Kind.TELL, "id", b"x")
    fields = [1, 1, "id", b"", "", 0, [], 0, "", "", None, "later", {"a": 1}]
    assert decode(msgpack.packb(fields)) == Envelope(1, Kind.ASK, "id", b"")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([2, 1, "id", b""], "version 2, and this host speaks version 1"),
        ([2, "another", {"shape": 1}], "version 2, and this host speaks version 1"),
        ([1, 9, "id", b""], "9"),
        ([1, 1, "i" * 65, b""], "64"),
        ([1, 1, "id", "text"], "bytes"),
        ([1, 1, "id", b"", "", -1], ">= 0"),
        ([1, 1, "id", b"", "", 3_600_001], "3600000"),
        ([1, 1, "id", b"", "", 0, ["a"] * 65], "64"),
        ([1, 4, "id", b""], "must carry a fault"),
        ([1, 3, "id", b"", "", 0, [], 0, "", "", ["timeout", "late"]], "no other may"),
        ({"version": 1}, "array"),
        ([], "length"),
    ],
)
def test_what_is_wrong_is_said(fields: object, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        decode(msgpack.packb(fields))


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"hello", b"\x94\x01\x01", b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff"]
)
def test_bytes_that_are_no_envelope_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="is not an envelope"):
        decode(data)


def test_a_fault_travels_in_an_envelope() -> None:
    sent = Envelope(1, Kind.FAULT, "id", b"", fault=Fault("timeout", "late", hint="wait"))
    assert decode(encode(sent)) == sent
