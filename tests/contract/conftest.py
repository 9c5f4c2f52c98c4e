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
    """How many rules of each contract each backend kept."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], str] = {}

    def note(self, contract: str, backend: str, *, kept: int, of: int) -> None:
        """Fill one cell."""
        self._cells[contract, backend] = f"{kept}/{of}"

    def lines(self) -> list[str]:
        """Return a line for each contract, with a cell for each backend."""
        contracts = sorted({contract for contract, _ in self._cells})
        return [
            "  ".join(
                [
                    f"{contract:<20}",
                    *(f"{b} {cell}" for (c, b), cell in sorted(self._cells.items()) if c == contract),
                ]
            )
            for contract in contracts
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
