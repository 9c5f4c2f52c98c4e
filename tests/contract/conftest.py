"""Every test here starts real parts, so each is watched for what it leaves behind.

What backends kept of the rules of their contracts is printed as a table at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.leaks import nothing_left


@pytest_asyncio.fixture(autouse=True)
async def watch_for_leaks() -> AsyncIterator[None]:
    """Fail the test that leaves a task, thread, file or process behind."""
    async with nothing_left():
        yield


class Table:
    """How many rules of each contract each backend kept, in each place it can run in."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, str], str] = {}

    def note(self, contract: str, backend: str, *, kept: int, of: int, place: str = "host") -> None:
        """Fill one cell; `place` is as in a manifest."""
        self._cells[contract, place, backend] = f"{kept}/{of}"

    def lines(self) -> list[str]:
        """Return a line for each contract and place, with a cell for each backend."""
        rows = sorted({(contract, place) for contract, place, _ in self._cells})
        return [
            "  ".join(
                [
                    f"{contract:<20}  in {place:<8}",
                    *(
                        f"{b} {cell}"
                        for (c, p, b), cell in sorted(self._cells.items())
                        if (c, p) == (contract, place)
                    ),
                ]
            )
            for contract, place in rows
        ]


_TABLE = Table()


@pytest.fixture
def table() -> Table:
    return _TABLE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of those contracts that were put to backends."""
    if lines := _TABLE.lines():
        terminalreporter.section("conformance: rules kept by each backend")
        for line in lines:
            terminalreporter.write_line(line)
