"""Cuts a host's connection to NATS when the host stands still; a script, never imported.

``python -I -S guard_process.py DESCRIPTOR PATIENCE``, where DESCRIPTOR is a Unix socket on which the
host speaks: any byte says that its event loop turns, a passed descriptor is the connection to cut, and
``r`` says that there is none any more. After PATIENCE seconds of silence the connection is shut down,
which a process can do to a socket it shares with one that is frozen. Ends when the host does.

Only the standard library: neither site-packages nor the environment's ``PYTHON*`` are looked at.
"""

from __future__ import annotations

import contextlib
import socket
import sys

RELEASED = b"r"


def guard(host: socket.socket) -> None:
    """Hold what `host` passes and cut it when `host` times out; returns when `host` has gone."""
    held: socket.socket | None = None
    while True:
        try:
            words, passed, _, _ = socket.recv_fds(host, 4096, 8)
        except TimeoutError:
            cut(held)
            held = None
            continue
        except OSError:
            return
        if not words:
            return
        if held is not None and (passed or RELEASED in words):
            held.close()
            held = None
        for descriptor in passed:
            held = socket.socket(fileno=descriptor)


def cut(connection: socket.socket | None) -> None:
    """Tell the other end of `connection` that nobody is there."""
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def main(descriptor: str, patience: str) -> None:
    """Run what the command line says."""
    host = socket.socket(fileno=int(descriptor))
    host.settimeout(float(patience))
    guard(host)


if __name__ == "__main__":
    main(*sys.argv[1:])
