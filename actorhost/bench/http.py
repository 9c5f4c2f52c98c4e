"""``bench http``: an actor behind the HTTP server against a bare aiohttp handler.

Load generator, host and bare server are processes of their own; the host is what ``actorhost up`` starts,
with default limits. Both answer the same request with the same bytes, and neither computes anything: what
is left is what the way to an actor costs. Both are measured without an access log and with one, each its
own, to a file.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from actorhost.bench import process
from actorhost.bench.figures import Rounds
from actorhost.bench.http_load import offer
from actorhost.engine.source import to_wasm
from actorhost.host import child

BODY: Final = b'{"device":"0123456789","temperature":21.5,"unit":"C","ok":true}\n'
"""What every answer holds."""
_ROUTES: Final = ("silent", "logged")
_ANSWER: Final = msgspec.msgpack.encode(
    {"status": 200, "headers": [("content-type", "application/json")], "body": BODY}
)
_GUEST: Final = """(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "DATA")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $request (i32.const 1024) (i32.const 2048))
    (call $respond (i32.const 0) (i32.const SIZE))
    (i32.const 1)))"""


async def run(*, rounds: int, requests: int, connections: int) -> dict[str, Any]:
    """Return ``throughput_ratio`` and ``logged_ratio``: requests a second, actor / bare handler."""
    rates: dict[str, list[float]] = {}
    async with _host() as url, child.started("actorhost.bench.http_bare") as bare:
        urls = {
            **{f"bare-{name}": f"http://127.0.0.1:{bare.ready[name]}/{name}" for name in _ROUTES},
            **{name: f"{url}/{name}" for name in _ROUTES},
        }
        for number in range(rounds + 1):
            for name, target in urls.items():
                rate = await offer(f"{target}/0123456789?unit=C", connections=connections, requests=requests)
                if number:  # the first does not count
                    rates.setdefault(name, []).append(rate)
    silent, logged = (Rounds(rates[name], rates[f"bare-{name}"]) for name in _ROUTES)
    return {
        "throughput_ratio": round(silent.ratio, 3),
        "logged_ratio": round(logged.ratio, 3),
        "detail": {
            "requests_per_second": silent.detail(),
            "requests_per_second_logged": logged.detail(),
            "connections": connections,
            "requests": requests,
        },
    }


@asynccontextmanager
async def _host() -> AsyncIterator[str]:
    """Run a host with the same actor on two routes of one port, with and without an access log."""
    data = "".join(f"\\{byte:02x}" for byte in _ANSWER)
    with process.place() as here, socket.socket() as probe:
        (here.folder / "answer.wasm").write_bytes(
            to_wasm(_GUEST.replace("DATA", data).replace("SIZE", str(len(_ANSWER))).encode(), "answer.wat")
        )
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        async with here.up(_manifest(here.folder, port)):
            yield f"http://127.0.0.1:{port}"


def _manifest(folder: Path, port: int) -> Path:
    contract = "actorhost:http"
    links = [
        {
            "type": "link",
            "properties": {
                "target": name,
                "contract": contract,
                "name": name,
                "config": {"path": f"/{name}/{{device}}", "methods": ["GET"]},
            },
        }
        for name in _ROUTES
    ]
    providers = [
        {
            "name": name,
            "type": "provider",
            "properties": {
                "provider": "http-server",
                "contract": contract,
                "config": {"port": port, "access-log": name == "logged"},
            },
        }
        for name in _ROUTES
    ]
    actor = {
        "name": "answer",
        "type": "actor",
        "properties": {"module": "answer.wasm", "contracts": [contract]},
        "traits": links,
    }
    manifest = {
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": {"name": "bench"},
        "spec": {"components": [actor, *providers]},
    }
    path = folder / "bench.yaml"
    path.write_text(json.dumps(manifest))  # JSON is YAML
    return path
