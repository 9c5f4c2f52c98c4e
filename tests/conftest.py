"""Ground rules of every test: a clean environment, and how many examples a property is tried with.

Tests that need a server which is not here are left out and named at the end, except where
``ACTORHOST_CI=1`` says that it must be here. ``ACTORHOST_SOAK=1`` (`make soak`) tries 20,000
examples and runs the tests marked ``soak``. Every other ``ACTORHOST_`` variable is gone and the home
and cache directories are empty ones, so no test depends on who runs it.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.servers import postgres_programs, redis_program

MAY_LACK = os.environ.get("ACTORHOST_CI") != "1"
LACKING = {
    marker: program
    for marker, program, found in (
        ("needs_redis", "redis-server or valkey-server", redis_program()),
        ("needs_postgres", "PostgreSQL's programs (initdb, postgres)", postgres_programs()),
    )
    if MAY_LACK and found is None
}
"""What is not here, by the marker of the tests that need it."""
SOAK = os.environ.get("ACTORHOST_SOAK", "") == "1"

pytest_plugins = ["tests.table"]

settings.register_profile("default", max_examples=100, deadline=None, print_blob=True)
settings.register_profile(
    "soak",
    max_examples=20_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("soak" if SOAK else "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not to be run now: deselected, so nothing counts as skipped."""
    without = set()
    if not SOAK:
        without.add("soak")
    without.update(LACKING)
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in without)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out because a server is not here; said by the process that collects nothing, too."""
    if LACKING:
        terminalreporter.section("left out")
    for program in LACKING.values():
        terminalreporter.write_line(f"the tests that need {program}, which is not here")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_means_something() -> Iterator[None]:
    """Take SIGINT as an interactive shell has it: what a script starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def restored_logs() -> Iterator[None]:
    """Give the tests after this one the logs as they were: a command configures them for its process."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run every test with an empty home and cache and none of the user's own settings."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ACTORHOST_")]:
            if name != "ACTORHOST_SOAK":
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.setenv("XDG_RUNTIME_DIR", str(home))
        patch.setenv("NO_COLOR", "1")
        yield
