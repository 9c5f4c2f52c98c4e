"""What a guest's author writes: read whole, or refused with every finding at its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.contracts.declaration import Declaration, Need, Signature, signature_of
from actorhost.contracts.keyvalue import CONTRACT
from actorhost.contracts.known import known_contracts
from actorhost.contracts.types import NOTHING, Either, Enum, List, Option, Record, Tuple, Type, spelled
from actorhost.errors import ManifestInvalid
from actorhost.manifest.declares import load_declaration

CONTRACTS = {CONTRACT.id: CONTRACT}


def load(text: str | bytes) -> Declaration:
    return load_declaration(text if isinstance(text, bytes) else text.encode(), "d.yaml", CONTRACTS)


def findings_of(text: str | bytes) -> list[str]:
    with pytest.raises(ManifestInvalid) as caught:
        load(text)
    assert str(caught.value).startswith("d.yaml is no declaration: ")
    return [f"{one.line}: {one.path}: {one.message}" for one in caught.value.findings if one.hint]


def type_of(text: str, named: str = "") -> Type:
    return load(f"types:\n  unused: any\n{named}\nserves:\n  Do: {{params: any, result: {text}}}\n").serves[
        "Do"
    ].result or pytest.fail("no result")


def test_a_whole_one() -> None:
    assert load("""
needs:
  actorhost:keyvalue: {version: 0.1.0, links: [users, default]}
  acme:queue: {version: 2.3.4, optional: true}
types:
  reading: {sensor: string, value: value}
  value: f64 | string
serves:
  Read: {params: reading, result: option<reading>}
  Ping: {}
  get: actorhost:keyvalue@0.1.0
calls:
  alarm:
    Raise: {params: {sensor: string}}
    Count: {result: s64}
""") == Declaration(
        needs=(
            Need("actorhost:keyvalue", "0.1.0", ("users", "default")),
            Need("acme:queue", "2.3.4", optional=True),
        ),
        serves={
            "Read": Signature(
                reading := Record({"sensor": "string", "value": Either(("f64", "string"))}), Option(reading)
            ),
            "Ping": Signature(NOTHING, None),
            "get": signature_of(CONTRACT.operation("get")),
        },
        provides={"actorhost:keyvalue": "0.1.0"},
        calls={
            "alarm": {
                "Raise": Signature(Record({"sensor": "string"}), "any"),
                "Count": Signature(NOTHING, "s64"),
            }
        },
    )


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("list<u8>", "list<u8>"),
        ("list<u64>", List("u64")),
        ('"tuple<string, option< s64 >>"', Tuple(("string", Option("s64")))),
        ("option<string | s64>", Option(Either(("string", "s64")))),
        ("[high, low]", Enum(("high", "low"))),
        ("{a: {b: bool}}", Record({"a": Record({"b": "bool"})})),
        ("{}", NOTHING),
        ("list<mine>", List("f32")),
    ],
)
def test_types(text: str, shape: Type) -> None:
    assert type_of(text, "  mine: f32") == shape


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strin", "there is no type 'strin'"),
        ("list", "'list' is no whole type"),
        ("list<>", "a type is missing in 'list<>'"),
        ("list<string", "'list<string' is no whole type"),
        ("string>", "'string>' goes on after the type"),
        ("string string", "'string string' goes on after the type"),
        ('"option<string, string>"', "'option<string, string>' is no whole type"),
        ('"string |"', "a type is missing in 'string |'"),
        ('"a+b"', "'a+b' is no type"),
        ("5", "expected text, found the number 5"),
        ("[1]", "expected text, found the number 1"),
    ],
)
def test_what_is_no_type(text: str, message: str) -> None:
    assert findings_of(f"serves:\n  Do: {{params: any, result: {text}}}\n") == [
        f"2: serves.Do.result: {message}"
    ]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("neds: {}", "1: neds: unknown key"),
        ("needs: {keyvalue: {version: 0.1.0}}", "1: needs.keyvalue: 'keyvalue' is not a contract id"),
        ("needs: {a:b: {version: v1}}", "1: needs.'a:b'.version: 'v1' is not a version"),
        ("needs: {a:b: {}}", "1: needs.'a:b': the key version is missing"),
        (
            "needs: {actorhost:keyvalue: {version: 0.2.0}}",
            "1: needs.'actorhost:keyvalue'.version: actorhost:keyvalue is at 0.1.0 here",
        ),
        ("types: {string: s64}", "1: types.string: string is a type already"),
        ("types: {a: {x: b}, b: list<a>}", "1: types.b: the type a holds itself"),
        ("serves: {get: acme:store@0.1.0}", "1: serves.get: the contract 'acme:store' is not known here"),
        ("serves: {got: actorhost:keyvalue@0.1.0}", "1: serves.got: actorhost:keyvalue has no operation got"),
        ("serves: {get: actorhost:keyvalue@0.2.0}", "1: serves.get: actorhost:keyvalue is at 0.1.0 here"),
        ("serves: {get: keyvalue}", "1: serves.get: expected params and result, or a contract"),
        ("calls: {A: {B: {}}}", "1: calls.A: 'A' is not an actor name"),
        ("needs: {actorhost:keyvalue: {}}", "1: needs.'actorhost:keyvalue': the key version is missing"),
        (b"\xff", "1: declaration: the file is not UTF-8"),
        ("\n", "1: declaration: the declaration is empty"),
        ("# nothing", "1: declaration: the declaration is empty"),
        ("[]", "1: declaration: expected a map, found a list"),
    ],
)  # fmt: skip
def test_what_is_no_declaration(text: str | bytes, finding: str) -> None:
    assert findings_of(text) == [finding]


@given(st.text(st.sampled_from("aginopstu8<>,| -"), max_size=30))
def test_any_text_is_a_type_or_a_finding(text: str) -> None:
    try:
        result = type_of(json.dumps(text))
    except ManifestInvalid as error:
        places = {one.path for one in error.findings}
    else:
        places = {"serves.Do.result"}
        assert type_of(json.dumps(spelled(result))) == result
    assert places == {"serves.Do.result"}


def test_types_that_double_at_each_name_end_in_a_finding() -> None:
    names = "".join(f"  t{n}: {{a: t{n + 1}, b: t{n + 1}}}\n" for n in range(60))
    assert any("more than 4000 parts" in each for each in findings_of(f"types:\n{names}  t60: bool\n"))


def test_the_example_of_the_guide() -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "contracts.md").read_text("utf-8")
    text = guide.partition("file=declares.yaml\n")[2].partition("```")[0]
    declaration = load_declaration(text.encode(), "declares.yaml", known_contracts())
    assert list(declaration.serves) == ["Reading", "Statistics", "handle"]
    assert list(declaration.calls) == ["alarm"]
