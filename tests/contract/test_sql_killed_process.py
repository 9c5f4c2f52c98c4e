"""A SQL provider whose own process is killed under load: calls end in time, batches are whole or absent."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from actorhost import clock
from actorhost.contracts.provider import Link
from actorhost.contracts.sql import CONTRACT, BatchParams, ExecuteParams, Sql, Statement
from actorhost.errors import ActorhostError
from actorhost.ids import ActorName, LinkName
from actorhost.limits import Limits
from actorhost.testing import own_process
from actorhost.transport import NatsServer
from actorhost_providers.sql.sqlite import SqliteSql

LINK = Link(ActorName("tester"), CONTRACT.id, LinkName("default"))
TIMEOUT = 1.0
BACK = 2.0
ROWS = 5


class Load:
    """Batches of five rows with a number of their own, one after the other, and how each ended."""

    def __init__(self, database: Sql) -> None:
        self._database = database
        self.ended: dict[int, str] = {}
        self.longest = 0.0
        self.over = False

    async def run(self, first: int) -> None:
        number = first
        while not self.over:
            number += 1_000_000
            began = clock.monotonic()
            self.ended[number] = await self._batch(number)
            self.longest = max(self.longest, clock.monotonic() - began)
            await asyncio.sleep(0.001)

    async def _batch(self, number: int) -> str:
        insert = Statement("insert into kept values ($1, $2)")
        rows = [Statement(insert.text, [number, row]) for row in range(ROWS)]
        try:
            await self._database.batch(LINK, BatchParams(rows))
        except ActorhostError as error:
            return str(error.code)
        return ""

    def done(self) -> int:
        """Return how many batches were answered."""
        return sum(not how for how in self.ended.values())


def process() -> psutil.Process:
    """Return the provider's process."""
    (found,) = (child for child in psutil.Process().children() if "provider" in child.cmdline())
    return found


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_killed_under_load_no_batch_is_half_applied(tmp_path: Path, times: int) -> None:
    path = tmp_path / "kept.sqlite"
    async with (
        NatsServer(tmp_path / "nats", limits=Limits()) as server,
        own_process(SqliteSql({"path": str(path)}), server.url, timeout=TIMEOUT) as database,
    ):
        await database.execute(LINK, ExecuteParams("create table kept (number integer, row integer)"))
        load = Load(database)
        async with asyncio.TaskGroup() as tasks:
            for first in range(4):
                tasks.create_task(load.run(first))
            for _ in range(times):
                await asyncio.sleep(0.15)
                process().kill()
                killed, before = clock.monotonic(), load.done()
                while load.done() <= before + 4:
                    assert clock.monotonic() - killed < BACK
                    await asyncio.sleep(0.01)
            load.over = True
    with closing(sqlite3.connect(path)) as file:
        kept = Counter(number for (number,) in file.execute("select number from kept"))
    assert set(kept.values()) == {ROWS}
    assert {number for number, how in load.ended.items() if not how} <= set(kept)
    assert set(load.ended.values()) <= {"", "unavailable", "unknown_outcome"}
    assert not [number for number, how in load.ended.items() if how == "unavailable" and number in kept]
    assert load.longest < TIMEOUT + 0.1
