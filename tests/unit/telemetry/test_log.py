"""Logs: one line an event, in the format asked for, at the level asked for, without secrets."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog

from actorhost.errors import InvalidInput
from actorhost.telemetry import log


class Broken(io.StringIO):
    """A stream nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


def closed() -> io.StringIO:
    """Return a stream that was closed."""
    stream = io.StringIO()
    stream.close()
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_where_nobody_looks() -> None:
    stream = io.StringIO()
    log.configure(stream)
    structlog.get_logger("actorhost.host").info("application deployed", actors=3)
    (line,) = lines(stream)
    moment = line.pop("timestamp")
    assert moment.endswith("Z")
    assert line == {
        "event": "application deployed",
        "actors": 3,
        "level": "info",
        "logger": "actorhost.host",
    }


def test_text_when_asked_for() -> None:
    stream = io.StringIO()
    log.configure(stream, style="text")
    structlog.get_logger("actorhost.host").warning("connection lost", waiting=2)
    text = stream.getvalue()
    assert "connection lost" in text
    assert "waiting=2" in text
    assert "\x1b" not in text


def test_levels() -> None:
    stream = io.StringIO()
    log.configure(stream, level="WARNING")
    logger = structlog.get_logger("x")
    logger.debug("a")
    logger.info("b")
    logger.warning("c")
    logger.error("d")
    assert [line["event"] for line in lines(stream)] == ["c", "d"]


@pytest.mark.parametrize("wrong", [{"level": "loud"}, {"style": "xml"}])
def test_a_level_or_style_that_there_is_not(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        log.configure(io.StringIO(), **wrong)
    assert refusal.value.hint.startswith("use one of")


def test_secrets_are_blotted_out() -> None:
    stream = io.StringIO()
    log.configure(stream)
    structlog.get_logger("x").info(
        "connecting to nats://me:hunter2@there:4222",
        password="hunter2",  # noqa: S106 - what must not be shown
        config={"api_key": "hunter2", "inner": {"Token": "hunter2"}, "size": 3},
        server="tls://hunter2@there",
    )
    assert "hunter2" not in stream.getvalue()
    (line,) = lines(stream)
    assert line["event"] == "connecting to nats://***@there:4222"
    assert line["config"]["size"] == 3


def test_exceptions_are_told_without_secrets() -> None:
    stream = io.StringIO()
    log.configure(stream)
    try:
        raise ValueError("cannot reach nats://me:hunter2@there")
    except ValueError:
        structlog.get_logger("x").exception("bug")
    (line,) = lines(stream)
    assert "ValueError: cannot reach nats://***@there" in line["exception"]


def test_a_bug_is_told_without_the_data_it_was_about(caplog: pytest.LogCaptureFixture) -> None:
    def handle(payload: bytes) -> None:
        try:
            raise ValueError(len(payload))
        except ValueError:
            log.bug(log.Log("x"), "bug", actor="echo")

    structlog.reset_defaults()
    handle(b"a secret")
    assert "ValueError: 8" in caplog.text
    assert "a secret" not in caplog.text
    stream = io.StringIO()
    log.configure(stream)
    handle(b"a secret")
    (line,) = lines(stream)
    assert line["exception"].endswith("ValueError: 8\n")
    assert (line["event"], line["actor"]) == ("bug", "echo")


def test_a_program_that_configures_nothing_gets_the_standard_librarys_loggers(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.reset_defaults()
    ours = log.Log("actorhost.host")
    ours.debug("nobody asked")
    ours.warning("connection lost", servers="nats://me:hunter2@there", waiting=2)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("actorhost.host", "WARNING")
    assert record.getMessage() == "connection lost servers='nats://***@there' waiting=2"
    assert capsys.readouterr().out == ""


def test_the_standard_librarys_lines_go_the_same_way() -> None:
    stream = io.StringIO()
    log.configure(stream)
    logging.getLogger("asyncio").error("task was destroyed: %s", "it")
    logging.getLogger("asyncio").info("chatter")
    (line,) = lines(stream)
    assert (line["logger"], line["event"], line["level"]) == ("asyncio", "task was destroyed: it", "error")


@pytest.mark.parametrize("stream", [Broken(), closed()], ids=["broken", "closed"])
def test_a_reader_that_is_gone_ends_nothing(stream: io.StringIO) -> None:
    log.configure(stream, style="json")
    log.Log("x").error("nobody hears this")
