"""Which pattern matches which subject, against a second reading of the rules; and what is a subject."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorhost.errors import InvalidName
from actorhost.transport.subjects import matches, require_pattern, require_queue, require_subject

TOKEN = st.sampled_from(["a", "b", "ab", "%2E"])
SUBJECTS = st.lists(TOKEN, min_size=1, max_size=5).map(".".join)
PATTERNS = st.builds(
    lambda tokens, rest: ".".join([*tokens, *rest]),
    st.lists(TOKEN | st.just("*"), min_size=1, max_size=4),
    st.sampled_from([[], [">"]]),
)


def as_expression(pattern: str) -> str:
    parts = [{"*": r"[^.]+", ">": r".+"}.get(token, re.escape(token)) for token in pattern.split(".")]
    return r"\.".join(parts)


@given(PATTERNS, SUBJECTS)
def test_matching_agrees_with_a_regular_expression(pattern: str, subject: str) -> None:
    require_pattern(pattern)
    require_subject(subject)
    assert matches(pattern, subject) is (re.fullmatch(as_expression(pattern), subject) is not None)


@given(st.text())
def test_no_text_that_passes_could_end_a_command_of_the_protocol(text: str) -> None:
    try:
        require_subject(text)
    except InvalidName:
        return
    assert text
    assert not re.search(r"\s", text)


def test_no_queue_group_is_fine_and_a_blank_in_its_name_is_not() -> None:
    require_queue("")
    require_queue("workers")
    with pytest.raises(InvalidName, match="'two words' is not a subject"):
        require_queue("two words")
