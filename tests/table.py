"""What backends kept of the rules of their contracts: filled by tests, printed at the end of the run.

A plugin of pytest, loaded by ``tests/conftest.py``. Where workers run the tests, each hands its cells over
when it ends, and the process that started them prints the whole.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

_OUTPUT: Final = "conformance"


class Table:
    """How many rules of each contract each backend kept, in each place it can run in."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, ...], str] = {}

    def note(self, contract: str, backend: str, *, kept: int, of: int, place: str = "host") -> None:
        """Fill one cell; `place` is as in a manifest."""
        # Plain texts: workers hand over nothing else.
        self.cells[str(contract), str(place), backend] = f"{kept}/{of}"

    def lines(self) -> list[str]:
        """Return a line for each contract and place, with a cell for each backend."""
        rows = sorted({(contract, place) for contract, place, _ in self.cells})
        return [f"{contract:<20}  in {place:<8}  {self._row(contract, place)}" for contract, place in rows]

    def _row(self, contract: str, place: str) -> str:
        cells = sorted((key[2], cell) for key, cell in self.cells.items() if key[:2] == (contract, place))
        return "  ".join(f"{backend} {cell}" for backend, cell in cells)


_TABLE: Final = Table()


@pytest.fixture
def table() -> Table:
    """Return the table of this run."""
    return _TABLE


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the cells over, if this is a worker."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = [[*key, cell] for key, cell in _TABLE.cells.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the cells of a worker; one that crashed has none."""
    for *key, cell in getattr(node, "workeroutput", {}).get(_OUTPUT, []):
        _TABLE.cells[tuple(key)] = cell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of those contracts that were put to backends."""
    if lines := _TABLE.lines():
        terminalreporter.section("conformance: rules kept by each backend")
        for line in lines:
            terminalreporter.write_line(line)
