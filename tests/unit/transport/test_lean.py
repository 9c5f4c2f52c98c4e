"""What is imported is what is used: a host without an HTTP endpoint has no HTTP client in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "print('aiohttp.client' in sys.modules)"


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        (f"import sys, actorhost.cli.up; {LOADED}", "False"),
        (f"import sys, actorhost, aiohttp; aiohttp.ClientSession; {LOADED}", "True"),
        (f"import sys, actorhost; from aiohttp import web; web.Application; {LOADED}", "True"),
        (f"import sys, actorhost, aiohttp.web; aiohttp.web.Application; {LOADED}", "True"),
        (f"import sys, aiohttp, actorhost; aiohttp.ClientSession; {LOADED}", "True"),
        ("import actorhost, nats.aio.transport as t; print(t.aiohttp.WSMsgType.BINARY.name)", "BINARY"),
    ],
)
def test_the_http_client_is_there_when_it_is_used(program: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == (printed, "", 0)
