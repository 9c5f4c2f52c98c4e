"""Puts the rules of random, clock and logging to their backends, here and elsewhere, and to broken ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from actorhost.contracts.logging import Level, Logging
from actorhost.contracts.provider import Provider
from actorhost.errors import ProviderRefused
from actorhost.manifest import Place
from actorhost.telemetry.log import LEVEL_VARIABLE
from actorhost.testing.conformance import clock, logging, random
from actorhost.testing.conformance.case import Case
from actorhost.testing.conformance.logging import Line, LoggingCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from actorhost_providers.clock.host import HostClock
from actorhost_providers.logging.host import HostLogging
from actorhost_providers.random.host import HostRandom
from tests.contract.broken_small import BROKEN
from tests.contract.places import placed
from tests.table import Table

Factory = Callable[[], AbstractAsyncContextManager[Any]]

BACKENDS: Final[dict[type[Provider], tuple[Rule[Any], ...]]] = {
    HostRandom: random.RULES,
    HostClock: clock.RULES,
    HostLogging: logging.RULES,
}
KEPT = [(backend, rule) for backend, rules in BACKENDS.items() for rule in rules]
kept: Counter[type[Provider]] = Counter()
"""How many rules each backend has kept so far."""
each_rule = pytest.mark.parametrize(("backend", "rule"), KEPT, ids=[rule.id for _, rule in KEPT])


def factory(backend: type[Provider]) -> Factory:
    """Return a factory of cases of `backend`, with a log of their own where there is one."""

    @asynccontextmanager
    async def case() -> AsyncIterator[Case]:
        if not issubclass(backend, HostLogging):
            yield Case(backend({}))
            return
        capture = structlog.testing.LogCapture()
        log: Logging = backend({}, structlog.wrap_logger(None, processors=[capture]))

        async def lines() -> Sequence[Line]:
            return [line_of(entry) for entry in capture.entries]

        yield LoggingCase(log, lines)

    return case


def line_of(entry: Mapping[str, Any]) -> Line:
    """Return an entry of the host's log as the suite sees it."""
    level = entry.get("guest_level") or str(entry.get("log_level") or entry["level"]).replace(
        "warning", "warn"
    )
    return Line(Level(level), entry["event"], entry.get("fields", {}), entry["actor"])


@each_rule
async def test_a_backend_in_the_host_keeps(backend: type[Provider], rule: Rule[Any], table: Table) -> None:
    await put(rule, factory(backend))
    kept[backend] += 1
    table.note(backend.contract.id, "host", kept=kept[backend], of=len(BACKENDS[backend]))


@each_rule
async def test_the_suite_catches_the_backend_that_breaks(backend: type[Provider], rule: Rule[Any]) -> None:
    with pytest.raises(RuleBroken, match=f"^{rule.id}: ") as caught:
        await put(rule, factory(BROKEN[rule.id]))
    assert rule.sentence in str(caught.value)


@pytest.mark.parametrize("backend", [HostRandom, HostClock])
async def test_a_backend_in_a_process_of_its_own_keeps_every_rule(
    backend: type[Provider], tmp_path: Path, table: Table
) -> None:
    async with placed(backend({}), Place.PROCESS, tmp_path) as provider:

        @asynccontextmanager
        async def case() -> AsyncIterator[Case]:
            yield Case(provider)

        for rule in BACKENDS[backend]:
            await put(rule, case)
    count = len(BACKENDS[backend])
    table.note(backend.contract.id, "host", kept=count, of=count, place=Place.PROCESS)


async def test_a_log_written_in_a_process_of_its_own_keeps_every_rule(
    tmp_path: Path, table: Table, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEVEL_VARIABLE, "debug")
    async with placed(HostLogging({}), Place.PROCESS, tmp_path) as provider:
        assert isinstance(provider, Logging)

        @asynccontextmanager
        async def case() -> AsyncIterator[LoggingCase]:
            capfd.readouterr()
            written = list[str]()

            async def lines() -> Sequence[Line]:
                written.append(capfd.readouterr().err)  # written before the call was answered
                entries = map(json.loads, "".join(written).splitlines())
                return [line_of(entry) for entry in entries if entry["logger"] == "actorhost.actor"]

            yield LoggingCase(provider, lines)

        for rule in logging.RULES:
            await put(rule, case)
    table.note(
        HostLogging.contract.id, "host", kept=len(logging.RULES), of=len(logging.RULES), place=Place.PROCESS
    )


@pytest.mark.parametrize("backend", [HostRandom, HostClock])
def test_there_is_nothing_to_configure(backend: type[Provider]) -> None:
    with pytest.raises(ProviderRefused, match="seed: unknown key"):
        backend({"seed": 1})
    with pytest.raises(ProviderRefused, match="seed: unknown key"):
        Case(backend({})).linked({"seed": 1})


def test_every_rule_has_its_own_id_sentence_and_broken_backend() -> None:
    rules = [rule for _, rule in KEPT]
    assert [name for name, count in Counter(rule.id for rule in rules).items() if count > 1] == []
    assert [rule.id for rule in rules if not rule.sentence.endswith(".")] == []
    assert {rule.id for rule in rules} == set(BROKEN)
