"""``actorhost up``: a host in the foreground, with a NATS server of its own unless told otherwise.

Runs until it is interrupted or told to terminate, then stops applications, host and server, in this
order. What JetStream has stored stays in the server's directory.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from actorhost import Host
from actorhost import limits as limits_module
from actorhost.cli import foreign_server, manifest_file, output
from actorhost.cli.connection import Lattice
from actorhost.cli.manifest_file import ManifestFile
from actorhost.cli.options import http_address, utf8
from actorhost.cli.stopping import until_told
from actorhost.engine.cache import default_directory
from actorhost.errors import InvalidInput, ServerUnavailable
from actorhost.host import loop
from actorhost.limits import Limits
from actorhost.telemetry import log
from actorhost.transport import NatsServer

if TYPE_CHECKING:
    from actorhost.host.endpoint import Endpoint

DEFAULT_PORT: Final = 4222

_TAKEN: Final = (
    "--nats URL joins the server that is already there; a second one of your own needs"
    " --port 0 (a free port) and --store DIRECTORY (its own files)"
)


@dataclass(frozen=True)
class _Settings:
    manifests: list[ManifestFile]
    nats: str | None
    port: int
    mqtt_port: int | None
    http: tuple[str, int] | None
    store: Path
    lattice: str
    limits: Limits
    json: bool


def up(
    manifests: Annotated[
        list[Path] | None, typer.Argument(metavar="MANIFEST", help="Manifests to deploy at once.")
    ] = None,
    nats: Annotated[
        str | None,
        typer.Option(metavar="URL", callback=utf8, help="Join this NATS server instead of starting one."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=0,
            max=65535,
            help=f"Port of the server; 0 for a free one.  [default: {DEFAULT_PORT}]",
        ),
    ] = None,
    mqtt_port: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=0,
            max=65535,
            help="Let MQTT clients connect to the server, at this port; 0 for a free one.",
        ),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(metavar="DIRECTORY", help="Directory of the server's files.")
    ] = None,
    http: Annotated[
        str,
        typer.Option(
            metavar="[ADDRESS:]PORT",
            callback=utf8,
            help="Serve /livez, /readyz and /metrics there; on loopback unless an address is given, 0 for a"
            " free port.",
        ),
    ] = "",
    lattice: Lattice = "default",
    log_level: Annotated[
        str, typer.Option(metavar="LEVEL", envvar=log.LEVEL_VARIABLE, help=f"One of {', '.join(log.LEVELS)}.")
    ] = "info",
    log_format: Annotated[
        str,
        typer.Option(
            metavar="FORMAT", help=f"One of {', '.join(log.FORMATS)}; text on a terminal, else json."
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object when ready.")] = False,
) -> None:
    """Start a host, with a NATS server of its own unless told otherwise.

    Prints one line when it is ready and runs until Ctrl-C; logs go to standard error.
    """
    if nats is not None and not (port is None and mqtt_port is None and store is None):
        raise InvalidInput(
            "--nats joins a server, while --port, --mqtt-port and --store are for one of its own",
            hint="give one or the other",
        )
    limits = limits_module.load()
    settings = _Settings(
        manifests=manifest_file.read(manifests or [], limits),
        nats=nats,
        port=DEFAULT_PORT if port is None else port,
        mqtt_port=mqtt_port,
        http=http_address(http) if http else None,
        store=store or _default_store(),
        lattice=lattice,
        limits=limits,
        json=json,
    )
    log.configure(sys.stderr, level=log_level, style=log_format)
    os.environ[log.LEVEL_VARIABLE] = log_level  # for providers in processes of their own
    loop.run(until_told(_be_up(settings)))


async def _be_up(settings: _Settings) -> None:
    async with _server(settings) as (url, server):
        cache = default_directory(os.environ)
        host = Host(nats=url, lattice=settings.lattice, limits=settings.limits, cache=cache)
        async with _monitored(host, settings.http) as endpoint, host:
            for manifest in settings.manifests:
                await host.deploy(manifest.application, manifest.path.parent)
            loop.settle()
            if endpoint is not None:
                endpoint.started()
            _announce(host, _Places(url, server, endpoint), json=settings.json)
            await _while_served(server, url, settings.limits)


@asynccontextmanager
async def _monitored(host: Host, address: tuple[str, int] | None) -> AsyncIterator[Endpoint | None]:
    """Serve monitors of `host` at `address`, if there is one."""
    if address is None:
        yield None
        return
    from actorhost.host.endpoint import Endpoint  # noqa: PLC0415 - its HTTP server costs 15 MB

    async with Endpoint(host, *address) as endpoint:
        yield endpoint


@asynccontextmanager
async def _server(settings: _Settings) -> AsyncIterator[tuple[str, NatsServer | None]]:
    """Yield the URL to join, and the server if it is our own, which stops at the end."""
    if settings.nats is not None:
        yield settings.nats, None
        return
    server = NatsServer(
        settings.store, port=settings.port, mqtt_port=settings.mqtt_port, limits=settings.limits
    )
    try:
        await server.start()
    except ServerUnavailable as error:
        if "listen for MQTT connections" in error.message:
            error.message = f"cannot start a NATS server: port {settings.mqtt_port} for MQTT is taken"
            error.hint = "--mqtt-port 0 takes a free one"
        elif "address already in use" in error.message:
            error.message, error.hint = f"cannot start a NATS server: port {settings.port} is taken", _TAKEN
        elif error.message.startswith("another NATS server uses"):
            error.hint = _TAKEN
        raise
    try:
        yield server.url, server
    finally:
        await server.stop()


async def _while_served(server: NatsServer | None, url: str, limits: Limits) -> None:
    """Wait for ever, or until the server of our own ends: then there is nothing left to do."""
    if server is None:
        await foreign_server.examine(url, limits)
        await asyncio.get_running_loop().create_future()
        return
    await server.wait()
    raise ServerUnavailable("the NATS server of this host ended", hint=f"see its log, {server.log_path}")


@dataclass(frozen=True)
class _Places:
    """Where everything is."""

    nats: str
    server: NatsServer | None
    endpoint: Endpoint | None

    @property
    def mqtt(self) -> str:
        return "" if self.server is None else self.server.mqtt_url

    @property
    def http(self) -> str:
        return "" if self.endpoint is None else self.endpoint.url


def _announce(host: Host, places: _Places, *, json: bool) -> None:
    actors = sorted(host.router.actors)
    if json:
        output.json_line(
            {
                "event": "ready",
                "nats": places.nats,
                "mqtt": places.mqtt or None,
                "http": places.http or None,
                "lattice": str(host.lattice),
                "host": str(host.id),
                "pid": os.getpid(),
                "actors": actors,
                "server_log": None if places.server is None else str(places.server.log_path),
            }
        )
        return
    count = f"{len(actors)} actor{'s' * (len(actors) != 1)}"
    urls = " ".join(filter(None, (places.nats, places.mqtt, places.http)))
    output.data(f"ready {urls} lattice {host.lattice}, {count}")


def _default_store() -> Path:
    """Return where the server keeps its files when nothing else is said."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "actorhost" / "nats"
