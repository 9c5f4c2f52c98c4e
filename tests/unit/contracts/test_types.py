"""Types of operations: what fits what, how they are spelled, and what a Python face's are."""

from __future__ import annotations

import pytest

from actorhost.contracts import keyvalue, logging
from actorhost.contracts.declaration import Signature, call_misfit, compatible, signature_of
from actorhost.contracts.types import (
    NOTHING,
    Either,
    Enum,
    List,
    Option,
    Record,
    Tuple,
    Type,
    misfit,
    spelled,
)

POINT = Record({"x": "s32", "y": Option("s32")})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("string", "string"),
        ("any", "s64"),
        ("s64", "any"),
        ("u8", "u64"),
        ("u32", "s64"),
        ("s8", "s64"),
        ("f32", "f64"),
        ("s64", Option("s64")),
        (Option("u8"), Option("u64")),
        (List("u8"), List("u16")),
        (Tuple(("string", "u8")), Tuple(("string", "u64"))),
        (Record({"x": "s32"}), POINT),
        (Record({"x": "s32", "y": "s32", "z": "s32"}), POINT),
        (Record({}), Record({"whatever": "any"})),
        (POINT, NOTHING),
        (Enum(("a",)), Enum(("a", "b"))),
        (Enum(("a",)), "string"),
        ("s8", Either(("string", "s64"))),
        (Either(("string", "s8")), Either(("s64", "string"))),
    ],
)
def test_a_value_that_fits(given: Type, wanted: Type) -> None:
    assert misfit(given, wanted) == ""


@pytest.mark.parametrize(
    ("given", "wanted", "why"),
    [
        ("string", "s64", "it is string, not s64"),
        ("s64", "u64", "it is s64, not u64"),
        ("u64", "s64", "it is u64, not s64"),
        ("u16", "u8", "it is u16, not u8"),
        ("s64", "f64", "it is s64, not f64"),
        ("string", "list<u8>", "it is string, not list<u8>"),
        (Option("s64"), "s64", "it is option<s64>, not s64"),
        (List("string"), List("s64"), "it[] is string, not s64"),
        (Tuple(("string", "u8")), Tuple(("string", "bool")), "it[1] is u8, not bool"),
        (Tuple(("u8",)), Tuple(("u8", "u8")), "it is tuple<u8>, not tuple<u8, u8>"),
        (Record({"y": "s32"}), POINT, "it.x (s32) is missing"),
        (Record({"x": "s32", "y": "string"}), POINT, "it.y is string, not s32"),
        (List(Record({})), List(POINT), "it[].x (s32) is missing"),
        (Enum(("a", "c")), Enum(("a", "b")), "it is [a, c], not [a, b]"),
        ("string", Enum(("a",)), "it is string, not [a]"),
        ("bool", Either(("string", "s64")), "it is bool, not string | s64"),
        (Either(("string", "bool")), "string", "it is bool, not string"),
    ],
)
def test_a_value_that_does_not_fit(given: Type, wanted: Type, why: str) -> None:
    assert misfit(given, wanted, "it") == why


def test_types_of_the_python_faces() -> None:
    assert signature_of(keyvalue.CONTRACT.operation("get")) == Signature(
        Record({"key": "string"}), Option(Record({"value": "list<u8>", "revision": "u64"}))
    )
    write = signature_of(logging.CONTRACT.operation("write"))
    assert write.result is None
    assert spelled(write.params) == (
        "{level: [trace, debug, info, warn, error, critical], message: string,"
        " fields: option<list<tuple<string, string>>>}"
    )


@pytest.mark.parametrize(
    ("call", "served", "why"),
    [
        (Signature(POINT, "any"), Signature(POINT, None), ""),
        (Signature(POINT, "any"), Signature(POINT, "string"), ""),
        (Signature(POINT, None), Signature(POINT, None), ""),
        (Signature(POINT, "s64"), Signature(POINT, "u8"), ""),
        (Signature(POINT, "u8"), Signature(POINT, "s64"), "result is s64, not u8"),
        (Signature(NOTHING), Signature(POINT), "parameter x (s32) is missing"),
        (
            Signature("string"),
            Signature(POINT),
            "what it is called with is string, not {x: s32, y: option<s32>}",
        ),
        (Signature(POINT, "s64"), Signature(POINT), "result: the caller has one, the other has none"),
        (Signature(POINT), Signature(POINT, "s64"), "result: the other has one, the caller has none"),
    ],
)
def test_parameters_go_one_way_and_results_the_other(call: Signature, served: Signature, why: str) -> None:
    assert call_misfit(call, served) == why


@pytest.mark.parametrize(
    ("needed", "provided", "fits"),
    [
        ("0.1.0", "0.1.0", True), ("0.1.0", "0.1.7", True), ("0.1.7", "0.1.0", False),
        ("0.1.0", "0.2.0", False), ("0.2.0", "0.1.0", False), ("0.9.0", "1.0.0", False),
        ("1.2.0", "1.10.0", True), ("1.10.0", "1.2.0", False), ("1.0.0", "2.0.0", False),
    ],
)  # fmt: skip
def test_versions(needed: str, provided: str, *, fits: bool) -> None:
    assert compatible(needed, provided) is fits
