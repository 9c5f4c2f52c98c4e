"""Runs a program so that it never outlives the process that wanted it; a script, never imported.

``python -I -S server_launcher.py MODE PARENT PROGRAM ARGUMENT...`` where PARENT is the process id of
the caller. MODE ``tie`` (Linux): the kernel is told to kill this process when the thread that started
it ends, then this process becomes PROGRAM. MODE ``watch`` (elsewhere): PROGRAM runs as a child, and
standard input is a pipe that only the caller holds open; its end is the order to stop.

Only the standard library: neither site-packages nor the environment's ``PYTHON*`` are looked at.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
GRACE = 5.0
"""Seconds that a watched program may take to end when told to."""


def tie(parent: int, command: list[str]) -> None:
    """Become `command`, killed by the kernel as soon as the calling thread is gone."""
    import ctypes  # noqa: PLC0415 - slow to import, and not there on every system

    # SIGKILL: SIGTERM would stay pending in a frozen server. JetStream survives it by design.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # The caller may have died before the kernel knew what to do about it.
    if os.getppid() != parent:
        sys.exit("the process that wanted this program is gone")
    os.execv(command[0], command)  # noqa: S606 - replacing itself is the point


def watch(command: list[str]) -> int:
    """Run `command` until it ends or standard input does; returns its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the caller's choice
    threading.Thread(target=_stop_at_end_of_input, args=(child,), daemon=True).start()
    return child.wait()


def _stop_at_end_of_input(child: subprocess.Popen[bytes]) -> None:
    # Not sys.stdin: its lock would make the interpreter abort when the child ends first.
    while os.read(0, 1):
        pass
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    child.kill()


def main(arguments: list[str]) -> None:
    """Run what the command line says."""
    mode, parent, *command = arguments
    if mode == "tie":
        tie(int(parent), command)
    sys.exit(watch(command))


if __name__ == "__main__":
    main(sys.argv[1:])
