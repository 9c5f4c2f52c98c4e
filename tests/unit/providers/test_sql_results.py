"""Results kept for cursors: bounded in number and bytes, and given back."""

from __future__ import annotations

import pytest

from actorhost.contracts.provider import Link
from actorhost.contracts.sql import CONTRACT, Page
from actorhost.errors import BadRequest, Overloaded
from actorhost.ids import ActorName, LinkName
from actorhost.testing.clock import ManualClock
from actorhost_providers.sql import results as module
from actorhost_providers.sql.link import Bounds
from actorhost_providers.sql.results import Results
from actorhost_providers.sql.rows import Rows


def link(actor: str = "one") -> Link:
    return Link(ActorName(actor), CONTRACT.id, LinkName("default"))


def opened(results: Results, count: int = 10, *, actor: str = "one") -> Page:
    """Return the first page, of one row, of a result with `count` rows."""
    rows = Rows(["n"], Bounds(ActorName("one"), 1.0, 1 << 30))
    for number in range(count):
        rows.add([number])
    return results.first(link(actor), rows, 1)


def cursor(page: Page) -> str:
    assert page.cursor is not None
    return page.cursor


async def test_what_was_read_is_given_back_and_what_is_left_too() -> None:
    results = Results(ManualClock())
    first = opened(results, 1000)
    whole = results._size
    second = results.next(link(), cursor(first), 500)
    assert results._size == whole
    third = results.next(link(), cursor(second), 100)
    assert results._size < whole * 0.51
    with pytest.raises(BadRequest, match="read on"):
        results.next(link(), cursor(first), 1)
    results.close(link(), cursor(third))
    assert (results._size, results._kept) == (0, {})
    results.clear()


async def test_a_link_has_a_tenth_of_the_results_and_its_own_make_room() -> None:
    results = Results(ManualClock())
    pages = [opened(results) for _ in range(module.MAX_KEPT // 10)]
    opened(results, actor="two")
    assert results.next(link(), cursor(pages[7]), 100).cursor is None
    opened(results)  # instead of the one that was read to its end
    with pytest.raises(BadRequest):
        results.next(link(), cursor(pages[7]), 100)
    assert results.next(link(), cursor(pages[0]), 1).rows == [[1]]
    opened(results)  # instead of the longest unused
    with pytest.raises(BadRequest, match="newer ones of this link"):
        results.next(link(), cursor(pages[1]), 1)
    assert results.next(link(), cursor(pages[0]), 1).rows == [[1]]
    assert len(results._kept) == module.MAX_KEPT // 10 + 1
    results.forget(link())
    assert len(results._kept) == 1
    results.clear()


async def test_bytes_of_all_links_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT_BYTES", 10_000)
    clock = ManualClock()
    results = Results(clock)
    opened(results, 150)
    with pytest.raises(Overloaded, match="no room"):
        opened(results, 150, actor="two")
    opened(results, 150)
    clock.advance(61)
    opened(results, 150, actor="two")
    results.clear()


async def test_memory_is_given_back_when_nobody_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIFE", -1.0)
    results = Results(ManualClock())
    opened(results)
    timer = results._timer
    results._wake()
    assert timer is not results._timer
    assert (results._size, results._kept) == (0, {})
