"""Makes sure that this interpreter survives running guests, before the first one runs.

Two things can kill the process. ``faulthandler`` enabled after Wasmtime has installed its signal
handlers turns the next trap into SIGILL, so it is enabled first. And from CPython 3.14 on the
interpreter checks the bounds of the C stack; early 3.14 releases took a fiber's stack for an
overflow (python/cpython#139653). Where that is possible a child process tries it out.
"""

from __future__ import annotations

import ctypes
import faulthandler
import subprocess
import sys
from functools import cache
from typing import Final

from actorhost.errors import EngineUnavailable

OPENED_UNTRIED: Final[list[bool]] = []
"""Not empty in the child process that is the trial, which must not start another."""

_TRIAL_TIMEOUT: Final = 30.0
_FIRST_CHECKED: Final = (3, 14)


def prepare() -> None:
    """Make guests safe to run, or raise :class:`EngineUnavailable`; cheap after the first time."""
    enable_faulthandler()
    if sys.version_info >= _FIRST_CHECKED and not (OPENED_UNTRIED or _tells_stacks_apart()):
        _try_in_child()


def enable_faulthandler() -> None:
    """Have Python's signal handlers come before Wasmtime's, which the first engine brings."""
    if faulthandler.is_enabled():
        return
    try:
        faulthandler.enable()
    except (AttributeError, OSError, RuntimeError, ValueError):
        return  # no usable stderr: then nobody else can enable it there later either


def _tells_stacks_apart() -> bool:
    """Tell whether the interpreter knows that a stack outside the thread's bounds is no overflow.

    The fix and ``PyUnstable_ThreadState_SetStackProtection`` came with the same change.
    """
    return hasattr(ctypes.pythonapi, "PyUnstable_ThreadState_SetStackProtection")


@cache
def _try_in_child() -> None:
    try:
        trial = subprocess.run(
            [sys.executable, "-m", "actorhost.engine.trial"],
            capture_output=True,
            timeout=_TRIAL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(f"cannot try guests out on this interpreter: {error}") from error
    if trial.returncode:
        raise EngineUnavailable(
            f"CPython {sys.version.split()[0]} does not survive a guest on a stack of its own "
            f"(the trial ended with status {trial.returncode})",
            hint="use a later release of this Python (python/cpython#139653)",
        )
