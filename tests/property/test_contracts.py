"""Any bytes into any operation's decoders give a value or an error of ours; values come back."""

from __future__ import annotations

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from actorhost.contracts import keyvalue, logging
from actorhost.contracts.base import Operation
from actorhost.contracts.keyvalue import MAX_NUMBER, MIN_NUMBER, parse_number
from actorhost.errors import BadRequest, ProtocolError, TooLarge

OPERATIONS = [*keyvalue.CONTRACT.operations.values(), *logging.CONTRACT.operations.values()]
operations = st.sampled_from(OPERATIONS)

integers = st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | integers | st.floats() | st.text(max_size=20) | st.binary(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9) | integers, inner, max_size=4)
    ),
    max_leaves=8,
)


@given(operations, st.binary())
def test_any_bytes_are_parameters_or_refused(operation: Operation, data: bytes) -> None:
    _decode(operation, data)


@given(operations, values)
def test_any_messagepack_is_parameters_or_refused(operation: Operation, value: object) -> None:
    _decode(operation, msgpack.packb(value))


@given(st.data())
def test_any_values_under_the_right_names_are_parameters_or_refused(data: st.DataObject) -> None:
    operation = data.draw(operations)
    names = operation.params.__struct_encode_fields__
    params = data.draw(st.dictionaries(st.sampled_from(names), values))
    _decode(operation, msgpack.packb(params))


@given(operations, st.data())
def test_parameters_come_back(operation: Operation, data: st.DataObject) -> None:
    params = data.draw(_valid(operation))
    assert operation.decode_params(operation.encode_params(params)) == params  # type: ignore[arg-type]


@given(operations, st.binary() | values.map(msgpack.packb))
def test_any_bytes_are_a_result_or_refused(operation: Operation, data: bytes) -> None:
    try:
        result = operation.decode_result(data)
    except (ProtocolError, TooLarge):
        return
    assert isinstance(result, operation.result_types)


@given(st.integers(MIN_NUMBER, MAX_NUMBER))
def test_every_64_bit_number_has_a_stored_form(number: int) -> None:
    assert parse_number(b"%d" % number) == number


@given(st.binary() | st.from_regex(rb"[-+ ]?[0-9_]{1,25}\s?", fullmatch=True))
def test_any_value_is_the_number_it_shows_or_none(value: bytes) -> None:
    try:
        number = parse_number(value)
    except BadRequest:
        return
    assert b"%d" % number == value


def _decode(operation: Operation, data: bytes) -> None:
    try:
        params = operation.decode_params(data)
    except (ProtocolError, TooLarge):
        return
    assert isinstance(params, operation.params)


def _valid(operation: Operation) -> st.SearchStrategy[object]:
    keys = st.text(min_size=1, max_size=40)
    flags, numbers, values = st.none() | st.booleans(), st.integers(0, 2**64 - 1), st.binary(max_size=60)
    drawn: dict[str, st.SearchStrategy[object]] = {
        "get": st.builds(keyvalue.GetParams, keys),
        "set": st.builds(keyvalue.SetParams, keys, values, st.none() | st.integers(1, 9), flags)
        | st.builds(keyvalue.SetParams, keys, values, if_revision=st.none() | numbers),
        "delete": st.builds(keyvalue.DeleteParams, keys, st.none() | numbers),
        "exists": st.builds(keyvalue.ExistsParams, keys),
        "increment": st.builds(keyvalue.IncrementParams, keys, st.integers(MIN_NUMBER, MAX_NUMBER)),
        "keys": st.builds(keyvalue.KeysParams, st.text(max_size=40), st.none() | keys, st.integers(1, 1000)),
        "get-many": st.builds(keyvalue.GetManyParams, st.lists(keys)),
        "set-many": st.lists(st.builds(keyvalue.KeyAndValue, keys, values), unique_by=lambda e: e.key).map(
            keyvalue.SetManyParams
        ),
        "write": st.builds(
            logging.WriteParams,
            st.sampled_from(logging.Level),
            st.text(),
            st.none() | st.lists(st.tuples(st.text(min_size=1, max_size=16), st.text()), max_size=64),
        ),
    }
    return drawn[operation.name]
