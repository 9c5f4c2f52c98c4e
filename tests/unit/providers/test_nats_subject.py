"""Names of streams and subjects: one token for any text, and the text back."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from actorhost_providers.kv.nats_clock import nanoseconds
from actorhost_providers.kv.nats_subject import Subjects

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)
TOKEN = re.compile(r"[A-Za-z0-9_%-]+")


@given(bucket=TEXT, key=TEXT)
def test_a_key_is_one_token_and_comes_back(bucket: str, key: str) -> None:
    subjects = Subjects(bucket)
    subject, mark = subjects.of(key), subjects.mark(key)
    assert all(TOKEN.fullmatch(token) for token in subject.split("."))
    assert (subject.count("."), mark.count(".")) == (2, 3)
    assert subjects.parse(subject) == (key.encode(), False)
    assert subjects.parse(mark) == (key.encode(), True)


@given(one=TEXT, other=TEXT)
def test_two_buckets_share_neither_stream_nor_subjects(one: str, other: str) -> None:
    first, second = Subjects(one), Subjects(other)
    assert (first.stream == second.stream) == (one == other)
    assert (first.all == second.all) == (one == other)


def test_the_longest_key_fits_a_control_line_and_a_long_bucket_a_name() -> None:
    subjects = Subjects("\U0010ffff" * 1000)
    assert len(subjects.stream) < 128
    assert len(subjects.mark("\0" * 1024)) < 3500
    assert Subjects("long-" + "0" * 64).stream != Subjects("x" * 300).stream


def test_times_are_read_to_the_microsecond() -> None:
    assert nanoseconds("1970-01-01T00:00:01.000002999Z") == 1_000_002_000
    assert nanoseconds("1970-01-01T02:00:00+02:00") == 0
