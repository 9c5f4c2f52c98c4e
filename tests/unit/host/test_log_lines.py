"""A log that is followed: each line once, whatever is repeated, lost or begun anew on the way."""

from __future__ import annotations

from actorhost import clock
from actorhost.errors import NoRoute
from actorhost.host.control_messages import LogsReply, WatchReply
from actorhost.host.follow import Round
from actorhost.host.log import ActorLog, Line
from actorhost.host.log_lines import Found, LogLines
from actorhost.host.watch_messages import LogBatch
from actorhost.testing.clock import ManualClock


class Hosts:
    """Logs of one actor on some hosts, and what follows them."""

    def __init__(self, *names: str) -> None:
        self.logs = {name: ActorLog("a") for name in names}
        self.clock = ManualClock()
        self.lines = LogLines(self.tail, now=self.clock)
        self.fetched = 0

    async def tail(self, host: str, count: int) -> LogsReply:
        self.fetched += 1
        if host not in self.logs:
            raise NoRoute("gone")
        return LogsReply(tuple(self.logs[host].tail(count)))

    def write(self, host: str, *texts: str) -> list[Line]:
        """Log `texts` and return the lines."""
        for text in texts:
            self.logs[host].write("console", text)
        return self.logs[host].tail(len(texts))

    def round(self) -> Round:
        return Round({host: WatchReply(10_000, log.last) for host, log in self.logs.items()})

    async def batch(self, host: str, lines: list[Line]) -> list[str]:
        return texts(await self.lines.take(LogBatch(host, 0, tuple(lines))))


def texts(found: Found) -> list[str]:
    return [line.text for _, line in found]


async def test_the_tail_and_what_overlaps_it() -> None:
    hosts = Hosts("h")
    first = hosts.write("h", "1", "2", "3")
    assert texts(await hosts.lines.begin(hosts.round(), 2)) == ["2", "3"]
    assert await hosts.batch("h", [*first, *hosts.write("h", "4", "5")]) == ["4", "5"]
    assert await hosts.batch("h", hosts.write("h", "6")) == ["6"]
    assert hosts.fetched == 1


async def test_the_tails_of_all_hosts_are_one() -> None:
    hosts = Hosts("h", "i")
    for host, text in (("h", "1"), ("i", "2"), ("h", "3")):
        hosts.write(host, text)
    assert texts(await hosts.lines.begin(hosts.round(), 2)) == ["2", "3"]


async def test_lines_that_were_lost_on_the_way_are_fetched() -> None:
    hosts = Hosts("h")
    await hosts.lines.begin(hosts.round(), 10)
    hosts.write("h", "1", "2")
    assert await hosts.batch("h", hosts.write("h", "3")) == ["1", "2", "3"]
    hosts.clock.advance(5)
    hosts.write("h", "4", "5")
    assert await hosts.lines.take(hosts.round()) == [], "they may be on their way"
    assert texts(await hosts.lines.take(hosts.round())) == ["4", "5"]
    assert await hosts.lines.take(hosts.round()) == []
    assert not hosts.lines.lost


async def test_an_actor_that_is_deployed_again_goes_on() -> None:
    hosts = Hosts("h")
    hosts.write("h", "old")
    await hosts.lines.begin(hosts.round(), 10)
    hosts.logs["h"] = ActorLog("a")
    for _ in range(3):
        assert await hosts.lines.take(hosts.round()) == []
    assert hosts.fetched == 2, "an empty log is looked at once"
    assert await hosts.batch("h", hosts.write("h", "new")) == ["new"]
    del hosts.logs["h"]
    assert await hosts.lines.take(hosts.round()) == []
    assert not hosts.lines.lost


async def test_a_host_that_comes_later_tells_what_it_logged_since() -> None:
    hosts = Hosts("h")
    await hosts.lines.begin(hosts.round(), 10)
    hosts.logs["i"] = ActorLog("a")
    before, since = hosts.write("i", "before", "since")
    hosts.logs["i"]._lines[0] = Line(clock.wall_ns() - 10**12, "console", "before", before.number)
    assert texts(await hosts.lines.take(hosts.round())) == ["since"]
    assert await hosts.batch("i", [since, *hosts.write("i", "next")]) == ["next"]


async def test_what_the_host_does_not_keep_any_more_is_lost_and_said_to_be() -> None:
    hosts = Hosts("h")
    hosts.write("h", "0")
    await hosts.lines.begin(hosts.round(), 10)
    lines = hosts.write("h", *map(str, range(1, 1500)))
    found = await hosts.batch("h", lines[-1:])
    assert (found[0], found[-1], len(found)) == ("500", "1499", 1000)
    assert hosts.lines.lost
    hosts.lines.lost = False
    hosts.write("h", "too soon")
    assert await hosts.batch("h", hosts.write("h", "after")) == ["after"]
    assert hosts.lines.lost, "one fetch a second is enough"
