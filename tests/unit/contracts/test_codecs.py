"""Parameters and results on the wire: what is taken, what is refused, what is sent."""

from __future__ import annotations

import msgpack
import pytest

from actorhost.contracts import keyvalue, logging, random
from actorhost.contracts.base import Contract, Effect, Operation
from actorhost.contracts.keyvalue import (
    MAX_KEY,
    MAX_MANY,
    MAX_NUMBER,
    MAX_TTL_MS,
    MAX_VALUE,
    MIN_NUMBER,
    Entry,
    GetParams,
    KeyPage,
    SetOutcome,
    SetParams,
    add,
    parse_number,
)
from actorhost.contracts.logging import Level, WriteParams
from actorhost.errors import BadRequest, InternalError, ProtocolError, TooLarge

OPERATIONS = keyvalue.CONTRACT.operations


def pack(value: object) -> bytes:
    """Encode with the independent encoder."""
    packed: bytes = msgpack.packb(value)
    return packed


def test_parameters_travel_as_a_map_with_wit_names() -> None:
    sent = OPERATIONS["set"].encode_params(SetParams("k", b"v", ttl_ms=5))
    assert msgpack.unpackb(sent) == {
        "key": "k", "value": b"v", "ttl-ms": 5, "if-absent": None, "if-revision": None,
    }  # fmt: skip


def test_results_travel_in_their_plain_forms() -> None:
    def sent(name: str, result: object) -> object:
        return msgpack.unpackb(OPERATIONS[name].encode_result(result))

    assert sent("get", None) is None
    assert sent("get", Entry(b"", 7)) == {"value": b"", "revision": 7}
    assert sent("set", SetOutcome(stored=False, revision=0)) == {"stored": False, "revision": 0}
    assert sent("delete", True) is True
    assert sent("increment", -5) == -5
    assert sent("keys", KeyPage(["a"])) == {"keys": ["a"], "cursor": None}
    assert sent("get-many", [None, Entry(b"x", 1)]) == [None, {"value": b"x", "revision": 1}]
    assert sent("set-many", [1, 2]) == [1, 2]
    assert OPERATIONS["get"].encode_result(Entry(b"", 7)).count(b"\xc4\x00") == 1


def test_no_result_is_no_bytes() -> None:
    write = logging.CONTRACT.operation("write")
    assert write.encode_result(None) == b""
    assert write.decode_result(b"") is None
    assert write.decode_result(b"\xc0") is None
    with pytest.raises(ProtocolError, match="1 bytes where none were expected"):
        write.decode_result(b"\x01")


def test_an_operation_without_parameters_may_be_called_with_no_bytes() -> None:
    for payload in (b"", pack({}), pack({"unknown": 1})):
        assert random.CONTRACT.operation("u64").decode_params(payload) == random.U64Params()
    with pytest.raises(ProtocolError, match="missing required field `count`"):
        random.CONTRACT.operation("bytes").decode_params(b"")


def test_missing_and_nil_options_and_unknown_keys_are_taken() -> None:
    wanted = SetParams("k", b"v")
    for extra in ({}, {"ttl-ms": None}, {"if-absent": None, "unknown": [1, {"a": 2}]}, {"ttl_ms": 9}):
        assert OPERATIONS["set"].decode_params(pack({"key": "k", "value": b"v", **extra})) == wanted


@pytest.mark.parametrize(
    "head", [b"\xcc", b"\xcd\0", b"\xce\0\0\0", b"\xcf\0\0\0\0\0\0\0", b"\xd0", b"\xd1\0"]
)
def test_any_integer_marker_is_taken(head: bytes) -> None:
    data = b"\x82\xa3key\xa1n\xa5delta" + head + b"\x05"
    assert OPERATIONS["increment"].decode_params(data) == keyvalue.IncrementParams("n", 5)


def test_text_is_taken_for_bytes_also_deep_inside() -> None:
    assert OPERATIONS["set"].decode_params(pack({"key": "k", "value": "é"})) == SetParams("k", "é".encode())
    many = OPERATIONS["set-many"].decode_params(pack({"entries": [{"key": "k", "value": "v", "x": 1}]}))
    assert many == keyvalue.SetManyParams([keyvalue.KeyAndValue("k", b"v")])
    assert OPERATIONS["get"].decode_result(pack({"value": "v", "revision": 1})) == Entry(b"v", 1)


MALFORMED = {
    "nothing": b"",
    "no MessagePack": b"\xc1",
    "truncated": pack({"key": "k", "value": b"v"})[:-1],
    "followed by more": pack({"key": "k", "value": b"v"}) + b"\0",
    "no map": pack(["k", b"v"]),
    "not UTF-8": b"\x82\xa3key\xa1\xff\xa5value\xc4\x00",
    "a surrogate": b"\x82\xa3key\xa3\xed\xa0\x80\xa5value\xc4\x00",
    "no value": pack({"key": "k"}),
    "empty key": pack({"key": "", "value": b""}),
    "long key": pack({"key": "é" * (MAX_KEY // 2) + "x", "value": b""}),
    "key no text": pack({"key": b"k", "value": b""}),
    "value a number": pack({"key": "k", "value": 1}),
    "text for bytes, and worse": pack({"key": "k", "value": "v", "ttl-ms": 0}),
    "ttl zero": pack({"key": "k", "value": b"", "ttl-ms": 0}),
    "ttl too long": pack({"key": "k", "value": b"", "ttl-ms": MAX_TTL_MS + 1}),
    "ttl a fraction": pack({"key": "k", "value": b"", "ttl-ms": 1.5}),
    "revision negative": pack({"key": "k", "value": b"", "if-revision": -1}),
    "flag a number": pack({"key": "k", "value": b"", "if-absent": 1}),
    "two conditions": pack({"key": "k", "value": b"", "if-absent": True, "if-revision": 0}),
    "too deep": b"\x81\xa1x" * 100_000,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=list(MALFORMED))
def test_malformed_parameters_are_a_protocol_error_with_a_hint(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        OPERATIONS["set"].decode_params(data)
    assert caught.value.hint


def test_the_refusal_names_the_operation_and_the_place() -> None:
    with pytest.raises(ProtocolError, match=r"parameters of 'set': Expected `int` >= 1 - at `\$.ttl-ms`"):
        OPERATIONS["set"].decode_params(MALFORMED["text for bytes, and worse"])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("increment", {"key": "n", "delta": MAX_NUMBER + 1}),
        ("keys", {"prefix": "", "limit": 0}),
        ("keys", {"prefix": "", "limit": MAX_MANY + 1}),
        ("keys", {"prefix": "x" * (MAX_KEY + 1)}),
        ("keys", {"prefix": "", "cursor": "é" * MAX_KEY}),
        ("get-many", {"keys": ["k"] * (MAX_MANY + 1)}),
        ("get-many", {"keys": ["k", ""]}),
        ("set-many", {"entries": [{"key": "k", "value": b""}] * 2}),
        ("delete", {"key": ""}),
        ("exists", {"key": "x" * (MAX_KEY + 1)}),
    ],
)
def test_parameters_out_of_bounds_are_refused(name: str, params: object) -> None:
    with pytest.raises(ProtocolError):
        OPERATIONS[name].decode_params(pack(params))


def test_the_bounds_themselves_are_taken() -> None:
    for key in ("k", "x" * MAX_KEY, "é" * (MAX_KEY // 2)):
        assert OPERATIONS["get"].decode_params(pack({"key": key})) == GetParams(key)
    largest = {"key": "k", "value": bytes(MAX_VALUE), "ttl-ms": MAX_TTL_MS}
    assert OPERATIONS["set"].decode_params(pack(largest)) == SetParams("k", bytes(MAX_VALUE), MAX_TTL_MS)


def test_a_value_over_its_limit_is_too_large() -> None:
    for name, params in (
        ("set", {"key": "k", "value": bytes(MAX_VALUE + 1)}),
        ("set-many", {"entries": [{"key": "k", "value": bytes(MAX_VALUE + 1)}]}),
    ):
        with pytest.raises(TooLarge, match="524289 bytes"):
            OPERATIONS[name].decode_params(pack(params))


def test_log_lines_are_bounded() -> None:
    write = logging.CONTRACT.operation("write")
    line = {"level": "warn", "message": "m", "fields": [["a", "b"]]}
    assert write.decode_params(pack(line)) == WriteParams(Level.WARN, "m", [("a", "b")])
    with pytest.raises(ProtocolError):
        write.decode_params(pack({"level": "loud", "message": "m"}))
    with pytest.raises(ProtocolError):
        write.decode_params(pack(line | {"fields": [["a", "b"]] * 65}))
    for change in ({"message": "é" * 8193}, {"fields": [["n" * 65, ""]]}, {"fields": [["a", "x" * 4097]]}):
        with pytest.raises(TooLarge):
            write.decode_params(pack(line | change))
    with pytest.raises(BadRequest, match="a field without a name"):
        write.decode_params(pack(line | {"fields": [["", "b"]]}))


@pytest.mark.parametrize("number", [0, 1, -1, 42, -7, MAX_NUMBER, MIN_NUMBER])
def test_numbers_have_one_stored_form(number: int) -> None:
    assert parse_number(b"%d" % number) == number


@pytest.mark.parametrize("value", [b"", b"-", b"-0", b"007", b"+1", b"1_0", b" 1", b"9" * 5000])
def test_other_forms_are_no_numbers(value: bytes) -> None:
    with pytest.raises(BadRequest, match="no number"):
        parse_number(value)


def test_sums_stay_within_64_bits() -> None:
    assert add(MAX_NUMBER, MIN_NUMBER) == -1
    with pytest.raises(BadRequest, match="64-bit range"):
        add(MAX_NUMBER, 1)


def test_an_unknown_operation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadRequest, match="no operation 'bet'") as caught:
        keyvalue.CONTRACT.operation("bet")
    assert "get, set, delete" in caught.value.hint


def test_a_contract_cannot_declare_an_operation_twice() -> None:
    twice = Operation("get", Effect.READ, idempotent=True, params=GetParams, result=bool)
    with pytest.raises(InternalError):
        Contract.of("some:contract", "1", twice, twice)
