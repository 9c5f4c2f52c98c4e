"""``actorhost invoke``: one message through one module, with an engine and nothing else.

Prints how it ended, the reply, the capability calls the guest made, what it logged and the time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from actorhost import clock, limits
from actorhost.cli import output, payload
from actorhost.cli.invocation import Call, Calls, Report
from actorhost.cli.options import finite, utf8
from actorhost.engine import Engine, InstanceOptions
from actorhost.engine.cache import default_directory
from actorhost.engine.source import to_wasm
from actorhost.errors import ActorhostError, Denied, InvalidInput
from actorhost.host import loop
from actorhost.limits import MIB, Limits


class _Host:
    """Answers a guest's capability calls from files or by echo, and notes each."""

    def __init__(self, replies: dict[tuple[str, str], bytes], calls: Calls, *, echo: bool) -> None:
        self._replies = replies
        self._calls = calls
        self._echo = echo

    async def answer(self, binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
        """Answer one call, or refuse it as a host without that link would."""
        reply = self._replies.get((namespace, operation), self._replies.get((namespace, "*")))
        if reply is None and self._echo:
            reply = payload
        if reply is not None:
            self._calls.add(Call(binding, namespace, operation, payload, reply))
            return reply
        error = Denied(
            f"no link {binding or 'default'!r} to {namespace!r} for {operation!r}",
            hint=f"answer it with --host-reply {namespace}/{operation}=FILE, or with --host-echo",
        )
        self._calls.add(Call(binding, namespace, operation, payload, refused=error.message))
        raise error


def invoke(
    module: Annotated[Path, typer.Argument(help="Wasm file, or WAT text ending in .wat.")],
    operation: Annotated[str, typer.Argument(callback=utf8, help="Operation name, sent as it is.")],
    payload_text: Annotated[
        str | None, typer.Argument(metavar="PAYLOAD", help="JSON, @FILE, or - for standard input.")
    ] = None,
    host_reply: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMESPACE/OPERATION=FILE", help="Answer such calls with a file (*.json: as MessagePack)."
        ),
    ] = None,
    host_echo: Annotated[
        bool, typer.Option("--host-echo", help="Answer other calls with their payload.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Send the payload's bytes as they are.")] = False,
    hexadecimal: Annotated[bool, typer.Option("--hex", help="The payload is in hex digits.")] = False,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.001,
            max=3600,
            callback=finite,
            help="How long the start functions may take, and then the message.",
        ),
    ] = 5.0,
    memory: Annotated[int, typer.Option(help="MiB of memory the guest may have.", min=1, max=4096)] = 64,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", callback=utf8, help="Environment of the guest."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run one message through one module, without a host.

    Calls the guest makes are refused unless answered with --host-reply or --host-echo.
    """
    wasm = to_wasm(payload.read_file(module), str(module))
    message = payload.read(payload_text, raw=raw, hexadecimal=hexadecimal)
    replies = dict(_reply(text) for text in host_reply or ())
    environment = dict(_pair(text, "--env NAME=VALUE") for text in env or ())
    report = Report()
    host = _Host(replies, report.calls, echo=host_echo)
    settings = _Settings(timeout, memory * MIB, environment, limits.load())
    loop.run(_invoke(report, host, wasm, (operation, message), settings))
    if json:
        output.json_line(report.as_json())
    else:
        for line in report.lines():
            output.data(line)
    raise typer.Exit(0 if report.error is None else 1)


@dataclass(frozen=True)
class _Settings:
    timeout: float
    memory: int
    environment: dict[str, str]
    limits: Limits


async def _invoke(
    report: Report, host: _Host, wasm: bytes, message: tuple[str, bytes], settings: _Settings
) -> None:
    """Fill `report`; a module that cannot run raises instead."""
    async with Engine(settings.limits, cache=default_directory(os.environ)) as engine:
        started = clock.monotonic_ns()
        module = await engine.compile(wasm, memory=settings.memory)
        options = _options(engine, report, host, settings)
        try:
            instance = await engine.instantiate(module, options)
            report.load_ms = (clock.monotonic_ns() - started) / 1e6
            started = clock.monotonic_ns()
            deadline = clock.monotonic() + settings.timeout
            report.reply = await instance.call(*message, deadline=deadline, host_call=host.answer)
        except ActorhostError as error:
            report.status, report.error = error.code, error
        report.call_ms = (clock.monotonic_ns() - started) / 1e6


def _options(engine: Engine, report: Report, host: _Host, settings: _Settings) -> InstanceOptions:
    return replace(
        engine.options(),
        memory=settings.memory,
        max_message=min(settings.limits.max_message, settings.memory // 4),
        start_timeout=settings.timeout,
        environment=settings.environment,
        log=report.log.write,
        host_call=host.answer,
    )


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InvalidInput(f"{text!r} is not of the form {form}")
    return name, value


def _reply(text: str) -> tuple[tuple[str, str], bytes]:
    address, file = _pair(text, "--host-reply NAMESPACE/OPERATION=FILE")
    namespace, slash, operation = utf8(address).rpartition("/")
    if not slash:
        raise InvalidInput(
            f"{address!r} names no operation", hint="write NAMESPACE/OPERATION, or NAMESPACE/*"
        )
    content = payload.read_file(file)
    return (namespace, operation), payload.from_json(content) if file.endswith(".json") else content
