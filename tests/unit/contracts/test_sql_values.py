"""Values and statements of ``actorhost:sql`` on the wire: what is taken, what is refused, what is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgpack
import pytest

from actorhost.contracts.sql import (
    CONTRACT,
    MAX_PARAMETERS,
    MAX_ROWS,
    MAX_STATEMENT,
    MAX_STATEMENTS,
    Outcome,
    Page,
    QueryParams,
)
from actorhost.errors import ProtocolError, TooLarge

OPERATIONS = CONTRACT.operations
MOMENT = datetime(2026, 2, 28, 23, 59, 59, 123456, UTC)
PLAIN = [None, True, False, -(2**63), 2**63 - 1, 1.5, "text", b"blob"]


def sent(name: str, **fields: object) -> bytes:
    """Encode with the independent encoder."""
    packed: bytes = msgpack.packb(
        {key.replace("_", "-"): value for key, value in fields.items()}, datetime=True
    )
    return packed


def test_every_kind_of_value_is_taken_as_what_it_is() -> None:
    taken = OPERATIONS["query"].decode_params(sent("query", statement="", parameters=[*PLAIN, MOMENT]))
    assert isinstance(taken, QueryParams)
    assert [(type(value), value) for value in taken.parameters] == [
        (type(value), value) for value in [*PLAIN, MOMENT]
    ]


def test_every_kind_of_value_is_sent_as_what_it_is() -> None:
    rows = [[*PLAIN, MOMENT]]
    page = OPERATIONS["query"].encode_result(Page(["c"] * 9, rows, "next"))
    assert msgpack.unpackb(page, timestamp=3) == {"columns": ["c"] * 9, "rows": rows, "cursor": "next"}
    outcome = OPERATIONS["execute"].encode_result(Outcome(3))
    assert msgpack.unpackb(outcome) == {"rows-affected": 3, "columns": [], "rows": []}
    assert OPERATIONS["close"].encode_result(None) == b""


def test_parameters_may_be_left_out() -> None:
    taken = OPERATIONS["batch"].decode_params(sent("batch", statements=[{"text": "SELECT 1"}]))
    assert msgpack.unpackb(OPERATIONS["batch"].encode_params(taken)) == {
        "statements": [{"text": "SELECT 1", "parameters": []}],
        "timeout-ms": None,
    }


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**63, 2**64 - 1, [1], {"a": 1}, msgpack.ExtType(5, b"x")], ids=repr
)
def test_what_is_no_value_is_refused_by_its_number(value: object) -> None:
    for name, fields in (
        ("query", {"statement": "", "parameters": [1, value]}),
        ("execute", {"statement": "", "parameters": [1, value]}),
        ("batch", {"statements": [{"text": "", "parameters": [1, value]}]}),
    ):
        with pytest.raises(ProtocolError, match=r"parameter \$2 is no value"):
            OPERATIONS[name].decode_params(sent(name, **fields))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("query", {"statement": "SELECT '\0'"}),
        ("query", {"statement": "", "limit": 0}),
        ("query", {"statement": "", "limit": MAX_ROWS + 1}),
        ("query", {"statement": "", "timeout_ms": 0}),
        ("query", {"statement": "", "parameters": [1] * (MAX_PARAMETERS + 1)}),
        ("next", {"cursor": "x" * 101}),
        ("close", {"cursor": "x" * 101}),
        ("execute", {"statement": b"SELECT \xff"}),
        ("batch", {"statements": []}),
        ("batch", {"statements": [{"text": ""}] * (MAX_STATEMENTS + 1)}),
    ],
)
def test_what_is_out_of_bounds_is_refused(name: str, fields: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        OPERATIONS[name].decode_params(sent(name, **fields))


def test_a_statement_is_bounded_in_bytes() -> None:
    OPERATIONS["query"].decode_params(sent("query", statement="x" * MAX_STATEMENT))
    with pytest.raises(TooLarge, match="a statement of"):
        OPERATIONS["query"].decode_params(sent("query", statement="é" * (MAX_STATEMENT // 2 + 1)))


def test_a_timestamp_of_any_zone_is_the_same_moment() -> None:
    elsewhere = MOMENT.astimezone(tz=None) + timedelta(0)
    assert OPERATIONS["query"].encode_params(QueryParams("", [elsewhere])) == OPERATIONS[
        "query"
    ].encode_params(QueryParams("", [MOMENT]))
