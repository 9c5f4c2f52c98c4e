"""A configuration is read whole, or refused with every key that is wrong; what is unknown is no mistake."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Optional

import pytest
from msgspec import Meta

from actorhost.capability.redaction import blot
from actorhost.contracts.config import WRONG, Config, Each, Rules, Unknown, spelled
from actorhost.errors import ConfigRefused, InvalidInput, ProviderRefused


def even(number: int) -> None:
    if number % 2:
        raise InvalidInput(f"{number} is odd", hint="write an even one")


def known(name: str) -> None:
    if name == "nobody":
        raise InvalidInput("nobody is no name")


class Inner(Config, frozen=True):
    """A part of a configuration."""

    file: Annotated[str, Meta(min_length=1)]
    mode: Literal["read", "write"] = "read"


class Outer(Config, frozen=True, rename="kebab"):
    """A configuration with a value of each sort."""

    name: Annotated[str, Meta(max_length=8)]
    number: int = 0
    inner: Inner | None = None
    other: Optional[Inner] = None  # noqa: UP045 - others may write it so
    some_names: tuple[str, ...] = ()
    texts: Mapping[str, str] = MappingProxyType({})

    rules: ClassVar[Rules] = MappingProxyType(
        {"number": even, "some-names": Each(known), "texts": Each(known, key=known)}
    )


def faults(config: Mapping[str, object]) -> dict[str, str]:
    """Return the messages by key path; an error without any has its own under ``plain``."""
    try:
        Outer.read(config, "one")
    except ConfigRefused as error:
        return {spelled(fault.path): fault.message for fault in error.faults}
    except ProviderRefused as error:
        return {"plain": error.message}
    return {}


MISTAKEN = {
    "nmae": "a", "number": "1", "inner": {"mode": "none", "extra": 1}, "other": 5,
    "some-names": ["a", 1, 2], "texts": {"a": 1, "b": "b"},
}  # fmt: skip


def test_every_wrong_key_is_found_at_once() -> None:
    assert faults(MISTAKEN) == {
        "nmae": "unknown key",
        "name": "the key name is missing",
        "number": "Expected `int`, got `str`",
        "inner.mode": "Invalid enum value 'none'",
        "inner.extra": "unknown key",
        "inner.file": "the key file is missing",
        "other": "Expected `object | null`, got `int`",
        "some-names[1]": "Expected `str`, got `int`",
        "some-names[2]": "Expected `str`, got `int`",
        "texts.a": "Expected `str`, got `int`",
    }


def test_the_error_names_the_keys_and_each_fault_says_what_to_do() -> None:
    with pytest.raises(ConfigRefused) as caught:
        Outer.read({"name": "a", "numbre": 1, "other": {"file": ""}}, "one")
    error = caught.value
    assert (
        error.message
        == "configuration of one: numbre: unknown key; other.file: Expected `str` of length >= 1"
    )
    keys = "it may hold: name, number, inner, other, some-names, texts"
    assert error.hint == keys
    assert [fault.hint for fault in error.faults] == [
        f"did you mean number? {keys}", "write `str` of length >= 1",
    ]  # fmt: skip


def test_rules_judge_values_of_the_right_type_beside_other_mistakes() -> None:
    assert faults({"number": 3, "some-names": ["nobody"]}) == {
        "number": "3 is odd",
        "some-names[0]": "nobody is no name",
        "name": "the key name is missing",
    }
    with pytest.raises(ConfigRefused, match="configuration of one: number: 3 is odd") as caught:
        Outer.read({"name": "a", "number": 3}, "one")
    assert caught.value.hint == "write an even one"


def test_of_an_unknown_text_only_the_type_is_judged() -> None:
    text = Unknown("env:TEXT")
    assert faults({"name": text, "some-names": [text], "texts": {"a": text}}) == {}
    assert faults({"name": text, "number": text, "numbre": text}) == {
        "number": "Expected `int`, got `str`",
        "numbre": "unknown key",
    }
    read = Outer.read({"name": "a", "inner": {"file": text, "mode": text}, "number": 2}, "one")
    assert (read.number, read.inner) == (2, None), "the rest is there to be looked at"
    assert list(faults({"name": Unknown("env:TOO_LONG_ITSELF")})) == ["plain"], "and needed to read it"


def test_what_holds_unknown_texts_is_judged_as_a_whole_and_by_its_other_parts() -> None:
    text = Unknown("env:TEXT")
    assert faults({"name": [text], "number": {"a": text}, "inner": [text], "some-names": {"a": text}}) == {
        "name": "Expected `str`, got `array`",
        "number": "Expected `int`, got `object`",
        "inner": "Expected `object | null`, got `array`",
        "some-names": "Expected `array`, got `object`",
    }
    assert faults({"name": "a", "some-names": [text, "nobody", "b", "nobody"]}) == {
        "some-names[1]": "nobody is no name",
        "some-names[3]": "nobody is no name",
    }
    assert faults({"name": "a", "texts": {"a": 5, "b": "nobody"}, "some-names": [1, "nobody"]}) == {
        "texts.a": "Expected `str`, got `int`",
        "texts.b": "nobody is no name",
        "some-names[0]": "Expected `str`, got `int`",
        "some-names[1]": "nobody is no name",
    }
    assert faults({"name": "a", "texts": {"nobody": text, "a": "nobody", "b": text}}) == {
        "texts.nobody": "nobody is no name",
        "texts.a": "nobody is no name",
    }


def test_many_faults_are_counted_in_the_message() -> None:
    with pytest.raises(ConfigRefused, match=r"; and 991 more$") as caught:
        Outer.read({f"key {number}": 1 for number in range(1000)}, "one")
    assert len(caught.value.faults) == 1001
    assert len(caught.value.message) < 500


def test_what_is_blotted_out_of_the_message_is_not_in_the_faults() -> None:
    with pytest.raises(ConfigRefused) as caught:
        Outer.read({"name": "a", "inner": {"file": "b", "mode": "hunter22"}}, "one")
    blot(caught.value, ("hunter22",))
    assert "hunter22" not in caught.value.message
    assert caught.value.faults == ()


def test_what_was_found_to_be_wrong_is_taken_for_right() -> None:
    read = Outer.read({"name": WRONG, "number": WRONG, "unheard-of": WRONG, "some-names": ["a"]}, "one")
    assert (read.number, read.some_names) == (0, ("a",))
    with pytest.raises(ConfigRefused, match="configuration of one: number: 3 is odd"):
        Outer.read({"name": WRONG, "number": 3}, "one")
