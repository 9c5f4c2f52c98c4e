"""Guests that answer HTTP requests, applications that give them routes, and clients of plain sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from actorhost import Host
from actorhost.contracts.http import HANDLE, HandleParams
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.manifest import Application, InstancePolicy, LinkSpec, ProviderSpec
from tests.integration.host.conftest import actor
from tests.wat import guest

HTTP: Final = ContractId("actorhost:http")
PATIENCE: Final = 10.0
_AT: Final = 256
_HEAD: Final = msgspec.msgpack.encode({"status": 200, "headers": [], "body": b""})[:-2] + b"\xc6"
"""An answer up to the length of its body, which is four bytes."""


def _data(at: int, data: bytes) -> str:
    text = "".join(f"\\{byte:02x}" for byte in data)
    return f'(data (i32.const {at}) "{text}")'


def replying(data: bytes) -> bytes:
    """Return a guest that answers everything with `data`."""
    return guest(f"(call $respond (i32.const {_AT}) (i32.const {len(data)})) (i32.const 1)", _data(_AT, data))


def answering(status: int = 200, headers: list[tuple[str, str]] | None = None, body: bytes = b"") -> bytes:
    """Return a guest that answers every request alike, with whatever is given."""
    return replying(msgspec.msgpack.encode({"status": status, "headers": headers or [], "body": body}))


def mirror() -> bytes:
    """Return a guest whose answer's body is the request as it came."""
    length, start = _AT + len(_HEAD), _AT + len(_HEAD) + 4
    store = " ".join(
        f"(i32.store8 (i32.const {length + n}) (i32.shr_u (local.get $m) (i32.const {24 - 8 * n})))"
        for n in range(4)
    )
    body = (
        f"(call $request (i32.const 0) (i32.const {start})) {store}"
        f" (call $respond (i32.const {_AT}) (i32.add (local.get $m) (i32.const {len(_HEAD) + 4})))"
        " (i32.const 1)"
    )
    return guest(body, _data(_AT, _HEAD), pages=40)


def seen(body: bytes) -> HandleParams:
    """Return what a mirror saw."""
    params = HANDLE.decode_params(body)
    assert isinstance(params, HandleParams)
    return params


def route(path: str, name: str = "default", policy: InstancePolicy | None = None, **config: Any) -> LinkSpec:
    """Return a link that gives an actor a route."""
    settings = {"path": path, **config}
    return LinkSpec(
        target=ActorName("web"), namespace=HTTP, name=LinkName(name), policy=policy, config=settings
    )


async def serve(
    host: Host,
    guests: dict[str, tuple[bytes, list[LinkSpec]]],
    name: str = "app",
    options: dict[str, Any] | None = None,
    **config: Any,
) -> str:
    """Deploy actors with routes on one port, and return where that is."""
    actors = tuple(
        actor(each, contracts=(HTTP,), links=tuple(links), **(options or {}))
        for each, (_, links) in guests.items()
    )
    settings = {"port": 0, "access-log": False}
    settings |= {key.replace("_", "-"): value for key, value in config.items()}
    web = ProviderSpec(name=ActorName("web"), provider="http-server", contract=HTTP, config=settings)
    wanted = Application(name=ActorName(name), actors=actors, providers=(web,))
    await host.deploy_modules(wanted, {each: module for each, (module, _) in guests.items()})
    return str(host.deployments[name]._registry.running["web"].url)  # type: ignore[attr-defined]


class Wire:
    """A client that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def agree(self, context: ssl.SSLContext) -> None:
        """Agree on TLS with the server, as localhost."""
        await self._writer.start_tls(context, server_hostname="localhost", ssl_handshake_timeout=PATIENCE)

    def get(self, path: str, method: str = "GET", more: str = "", body: bytes = b"") -> None:
        """Send a request."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.send(f"{method} {path} HTTP/1.1\r\nHost: test\r\n{length}{more}\r\n".encode() + body)

    async def head(self) -> tuple[int, list[tuple[str, str]]]:
        """Return status and headers of the next answer."""
        async with asyncio.timeout(PATIENCE):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.split("\r\n")[:-2]
        pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return int(first.split(" ")[1]), pairs

    async def answer(self, *, body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the next answer."""
        status, pairs = await self.head()
        headers = dict(pairs)
        length = int(headers.get("content-length", "0")) if body else 0
        async with asyncio.timeout(PATIENCE):
            return status, headers, await self._reader.readexactly(length)

    async def ended(self) -> bytes:
        """Return what comes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    def close(self) -> None:
        """Go away."""
        self._writer.close()


@asynccontextmanager
async def wire(url: str, **options: Any) -> AsyncIterator[Wire]:
    """Yield a connection to the server at `url`."""
    address, _, port = url.rpartition("//")[2].rpartition(":")
    reader, writer = await asyncio.open_connection(address, int(port), **options)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def ask(url: str, path: str, method: str = "GET", **more: Any) -> tuple[int, dict[str, str], bytes]:
    """Return the answer to one request on a connection of its own."""
    async with wire(url) as client:
        client.get(path, method, **more)
        return await client.answer(body=method != "HEAD")
