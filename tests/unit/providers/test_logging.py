"""Lines of actors in the host's log: marked, filtered, and unable to pretend."""

from __future__ import annotations

import pytest
import structlog

from actorhost.contracts.logging import CONTRACT, Level, WriteParams
from actorhost.contracts.provider import Link
from actorhost.errors import ProviderRefused
from actorhost.ids import ActorName, LinkName
from actorhost_providers.logging.host import HostLogging, printable

Lines = list[structlog.typing.EventDict]


def link(**config: object) -> Link:
    return Link(ActorName("thermostat"), CONTRACT.id, LinkName("default"), config)


async def lines(params: WriteParams, to: Link, **config: object) -> Lines:
    """Return what comes of one write."""
    capture = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[capture])
    await HostLogging(config, logger).write(to, params)
    return capture.entries


async def test_a_line_carries_actor_link_and_fields() -> None:
    params = WriteParams(Level.WARN, "too hot", [("actor", "forged"), ("celsius", "41"), ("celsius", "42")])
    assert await lines(params, link()) == [
        {
            "event": "too hot", "log_level": "warning", "actor": "thermostat", "link": "default",
            "fields": {"actor": "forged", "celsius": "42"},
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "method"),
    [("debug", "debug"), ("info", "info"), ("warn", "warning"), ("error", "error"), ("critical", "critical")],
)
async def test_levels_are_those_of_the_log(level: str, method: str) -> None:
    (line,) = await lines(WriteParams(Level(level), "m"), link())
    assert line["log_level"] == method


async def test_a_trace_is_a_debug_line_that_says_so() -> None:
    (line,) = await lines(WriteParams(Level.TRACE, "m"), link())
    assert (line["log_level"], line["guest_level"]) == ("debug", "trace")


async def test_lines_below_the_level_of_link_or_provider_are_dropped() -> None:
    info, error = WriteParams(Level.INFO, "m"), WriteParams(Level.ERROR, "m")
    assert await lines(info, link(level="warn")) == []
    assert await lines(info, link(), level="warn") == []
    assert await lines(info, link(level="trace"), level="warn") == []
    assert len(await lines(error, link(level="warn"), level="error")) == 1
    assert len(await lines(info, link(level="info"), level="info")) == 1


async def test_guest_text_cannot_break_or_colour_a_line() -> None:
    params = WriteParams(Level.INFO, "a\nroot: \x1b[31mb\r", [("x\ny", "\u2028\x9b")])
    (line,) = await lines(params, link())
    assert line["event"] == r"a\nroot: \x1b[31mb\r"
    assert line["fields"] == {r"x\ny": r"\u2028\x9b"}


def test_printable_text_stays_as_it_is() -> None:
    assert printable("Größe 21 °C 🌡 \\n") == "Größe 21 °C 🌡 \\n"


@pytest.mark.parametrize("config", [{"level": "loud"}, {"levels": "info"}])
def test_wrong_configuration_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused, match="provider logging"):
        HostLogging(config)
    with pytest.raises(ProviderRefused, match="the link 'default' of actor 'thermostat'"):
        HostLogging({}).check_link(link(**config))
