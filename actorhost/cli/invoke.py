"""``actorhost invoke``: one message through one module, with an engine and nothing else.

Prints how it ended, the reply, the capability calls the guest made, what it logged and the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from actorhost import clock, limits
from actorhost.cli import output, payload
from actorhost.engine import Engine, InstanceOptions
from actorhost.engine.source import to_wasm
from actorhost.errors import ActorhostError, Denied, InvalidInput
from actorhost.host import loop
from actorhost.limits import MIB


@dataclass
class _Call:
    binding: str
    namespace: str
    operation: str
    payload: bytes
    reply: bytes | None = None
    refused: str = ""


@dataclass
class _Report:
    """All there is to say about one invocation; times are in milliseconds."""

    status: str = "ok"
    reply: bytes = b""
    error: ActorhostError | None = None
    calls: list[_Call] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    load_ms: float = 0.0
    call_ms: float = 0.0


class _Host:
    """Answers a guest's capability calls from files or by echo, and notes each."""

    def __init__(self, replies: dict[tuple[str, str], bytes], calls: list[_Call], *, echo: bool) -> None:
        self._replies = replies
        self._calls = calls
        self._echo = echo

    async def answer(self, binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
        """Answer one call, or refuse it as a host without that link would."""
        made = _Call(binding, namespace, operation, payload)
        self._calls.append(made)
        for name in (operation, "*"):
            if (namespace, name) in self._replies:
                made.reply = self._replies[namespace, name]
                return made.reply
        if self._echo:
            made.reply = payload
            return payload
        error = Denied(
            f"no link {binding or 'default'!r} to {namespace!r} for {operation!r}",
            hint=f"answer it with --host-reply {namespace}/{operation}=FILE, or with --host-echo",
        )
        made.refused = error.message
        raise error


def invoke(
    module: Annotated[Path, typer.Argument(help="Wasm file, or WAT text ending in .wat.")],
    operation: Annotated[str, typer.Argument(help="Operation name, sent as it is.")],
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
    timeout: Annotated[float, typer.Option(help="Seconds the message may take.")] = 5.0,
    memory: Annotated[int, typer.Option(help="MiB of memory the guest may have.", min=1, max=4096)] = 64,
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Environment of the guest.")
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
    report = _Report()
    host = _Host(replies, report.calls, echo=host_echo)
    settings = _Settings(timeout, memory * MIB, environment)
    loop.run(_invoke(report, host, wasm, (operation, message), settings))
    if json:
        output.json_line(_as_json(report))
    else:
        _print(report)
    raise typer.Exit(0 if report.error is None else 1)


@dataclass(frozen=True)
class _Settings:
    timeout: float
    memory: int
    environment: dict[str, str]


async def _invoke(
    report: _Report, host: _Host, wasm: bytes, message: tuple[str, bytes], settings: _Settings
) -> None:
    """Fill `report`; a module that cannot run raises instead."""
    async with Engine(limits.load()) as engine:
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


def _options(engine: Engine, report: _Report, host: _Host, settings: _Settings) -> InstanceOptions:
    return replace(
        engine.options(),
        memory=settings.memory,
        max_message=settings.memory // 4,
        environment=settings.environment,
        log=lambda source, text: report.log.append((source, text)),
        host_call=host.answer,
    )


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InvalidInput(f"{text!r} is not of the form {form}")
    return name, value


def _reply(text: str) -> tuple[tuple[str, str], bytes]:
    address, file = _pair(text, "--host-reply NAMESPACE/OPERATION=FILE")
    namespace, slash, operation = address.rpartition("/")
    if not slash:
        raise InvalidInput(
            f"{address!r} names no operation", hint="write NAMESPACE/OPERATION, or NAMESPACE/*"
        )
    content = payload.read_file(file)
    return (namespace, operation), payload.from_json(content) if file.endswith(".json") else content


def _print(report: _Report) -> None:
    output.data(f"status  {report.status}")
    if report.error is not None:
        output.data(f"error   {report.error.message}")
        if report.error.hint:
            output.data(f"hint    {report.error.hint}")
    else:
        shown = payload.show(report.reply) if report.reply else ""
        output.data(f"reply   {shown}  ({len(report.reply)} bytes)")
    for call in report.calls:
        result = f"refused: {call.refused}" if call.reply is None else payload.show(call.reply)
        address = f"{call.binding or 'default'} {call.namespace} {call.operation}"
        output.data(f"call    {address} {payload.show(call.payload)} -> {result}")
    for source, text in report.log:
        output.data(f"log     {source}: {text}")
    output.data(f"time    {report.call_ms:.3f} ms, after {report.load_ms:.1f} ms to load")


def _as_json(report: _Report) -> dict[str, Any]:
    error = report.error
    return {
        "status": str(report.status),
        "reply": payload.as_json(report.reply) if error is None else None,
        "reply_bytes": len(report.reply),
        "reply_hex": report.reply.hex(),
        "error": None
        if error is None
        else {"code": str(error.code), "message": error.message, "hint": error.hint},
        "calls": [
            {
                "binding": call.binding,
                "namespace": call.namespace,
                "operation": call.operation,
                "payload": payload.as_json(call.payload),
                "payload_hex": call.payload.hex(),
                "reply": None if call.reply is None else payload.as_json(call.reply),
                "refused": call.refused or None,
            }
            for call in report.calls
        ],
        "log": [{"source": source, "text": text} for source, text in report.log],
        "load_ms": round(report.load_ms, 3),
        "time_ms": round(report.call_ms, 3),
    }
