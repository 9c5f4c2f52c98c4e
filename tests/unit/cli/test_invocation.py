"""What one invocation did is kept within bounds, and what was not kept is told."""

from __future__ import annotations

import json

from actorhost.cli.invocation import KEPT_BYTES, KEPT_CALLS, Call, Calls, Lines, Report
from actorhost.errors import DeadlineExceeded
from actorhost.host.log import KEPT_LINES, LONGEST_LINE


def test_the_first_calls_are_kept() -> None:
    calls = Calls()
    for number in range(KEPT_CALLS + 5):
        calls.add(Call("", "ns", str(number), b""))
    assert len(calls.kept) == KEPT_CALLS
    assert calls.kept[-1].operation == str(KEPT_CALLS - 1)
    assert calls.dropped == 5


def test_a_few_large_calls_are_as_much_as_many_small_ones() -> None:
    calls = Calls()
    for _ in range(5):
        calls.add(Call("", "ns", "op", bytes(KEPT_BYTES // 4), bytes(KEPT_BYTES // 4)))
    assert (len(calls.kept), calls.dropped) == (2, 3)


def test_the_last_lines_are_kept() -> None:
    log = Lines()
    for number in range(KEPT_LINES + 5):
        log.write("console", f"{number}")
    assert len(log.kept) == KEPT_LINES
    assert (log.kept[0], log.kept[-1]) == (("console", "5"), ("console", f"{KEPT_LINES + 4}"))
    assert (log.dropped, log.cut) == (5, 0)


def test_long_lines_are_cut_and_many_of_them_dropped() -> None:
    log = Lines()
    for _ in range(KEPT_LINES):
        log.write("stdout", "x" * (LONGEST_LINE + 1))
    assert {len(text) for _, text in log.kept} == {LONGEST_LINE}
    assert log.cut == KEPT_LINES
    assert log.dropped == KEPT_LINES - len(log.kept) > 0
    assert len(log.kept) * LONGEST_LINE <= KEPT_BYTES


def test_one_text_of_many_lines_is_many_lines() -> None:
    log = Lines()
    log.write("stderr", "one\ntwo\r\nthree\n")
    assert [text for _, text in log.kept] == ["one", "two", "three"]


def test_people_and_programs_read_what_was_dropped() -> None:
    report = Report(status="deadline", error=DeadlineExceeded("too late", where="_initialize"))
    report.calls.dropped, report.log.dropped, report.log.cut = 1, 2, 3
    text = "\n".join(report.lines())
    assert "error   too late [_initialize]" in text
    assert "(not shown: 1 more)" in text
    assert "(not shown: 2 earlier)" in text
    assert f"(cut at {LONGEST_LINE} characters: 3)" in text
    answer = json.loads(json.dumps(report.as_json()))
    assert (answer["calls_dropped"], answer["log_dropped"], answer["log_cut"]) == (1, 2, 3)
    assert (answer["error"]["code"], answer["error"]["where"]) == ("deadline", "_initialize")
