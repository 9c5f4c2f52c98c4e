"""A declaration comes out of its section as it went in; anything else in there is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.contracts.declaration import MAX_SECTION, Declaration, Need, Signature
from actorhost.contracts.known import known_contracts
from actorhost.contracts.types import (
    NOTHING,
    SCALARS,
    Either,
    Enum,
    List,
    Option,
    Record,
    Tuple,
    Type,
    misfit,
)
from actorhost.errors import InvalidInput, ModuleRefused

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)
types = st.recursive(
    st.sampled_from(sorted(SCALARS)),
    lambda inner: st.one_of(
        st.builds(Option, inner), st.builds(List, inner),
        st.builds(lambda parts: Tuple(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda parts: Either(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda cases: Enum(tuple(cases)), st.lists(names, max_size=3)),
        st.builds(Record, st.dictionaries(names, inner, max_size=3)),
    ),
    max_leaves=8,
)  # fmt: skip
signatures = st.dictionaries(names, st.builds(Signature, types, st.none() | types), max_size=3)


@given(signatures, st.dictionaries(names, signatures, max_size=2))
def test_what_goes_in_comes_out(serves: dict[str, Signature], calls: dict[str, dict[str, Signature]]) -> None:
    needs = (Need("a:b", "0.1.0", ("default",)), Need("c:d", "12.0.3", optional=True))
    declaration = Declaration(needs=needs, serves=serves, calls=calls, provides={"a:b": "0.1.0"})
    assert Declaration.decode(declaration.encode()) == declaration


@given(types, types)
def test_a_type_fits_itself_and_whatever_it_is_a_part_of(one: Type, other: Type) -> None:
    assert misfit(one, one) == ""
    assert misfit(one, Option(one)) == ""
    assert misfit(one, Either((other, one))) == ""
    assert (misfit(one, other) == "") == (misfit(List(one), List(other)) == "")


@given(st.binary(max_size=40))
def test_any_bytes_end_in_a_declaration_or_a_refusal(data: bytes) -> None:
    with pytest.raises(ModuleRefused, match="its section 'actorhost' is no declaration"):
        Declaration.decode(b"[" + data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"format":2}', b'{"format":1,"more":[]}', b'{"needs":[{"contract":"keyvalue","version":"0.1.0"}]}',
        b'{"provides":{"a:b":"1"}}', b'{"needs":[{"contract":"a:b","version":"1"}]}',
        b'{"serves":{"a":{"params":"text"}}}',
        b'{"serves":{"a":{"params":{"type":"map"}}}}', b" " * (MAX_SECTION + 1),
        b'{"serves":{"a":{"params":' + b'{"type":"list","of":' * 3000,
    ],
)  # fmt: skip
def test_what_a_reader_does_not_know_is_refused(data: bytes) -> None:
    with pytest.raises(ModuleRefused):
        Declaration.decode(data)


def test_one_that_is_too_large_is_not_written() -> None:
    many = Record({f"field-{n}": "string" for n in range(5000)})
    with pytest.raises(InvalidInput, match="over the limit of 65536"):
        Declaration(serves={"Take": Signature(many)}).encode()
    assert Declaration(serves={"Take": Signature(NOTHING)}).encode()


def test_known_contracts_are_those_with_a_face() -> None:
    known = known_contracts()
    assert {"actorhost:keyvalue", "actorhost:logging"} <= set(known)
    assert all(contract.id == name for name, contract in known.items())
