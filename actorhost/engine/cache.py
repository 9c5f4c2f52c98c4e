"""Compiled modules on disk: private, written atomically, verified before use.

Loading a compiled module runs whatever machine code is in it, so a cache that another user could
write would be a way in: the directory must be ours and closed to others, and each file carries the
sha256 of its content. A file that fails any check is ignored and replaced. Entries are keyed by
digest, engine version, configuration and CPU; losing the directory only costs compilations.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import stat
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from actorhost.engine.config import FIBER_STACK, GUEST_STACK, Profile
from actorhost.ids import Digest

_MAGIC: Final = b"actorhost-module-1\n"
_FORMAT: Final = 1


def default_directory(environ: Mapping[str, str]) -> Path:
    """Return where compiled modules are kept when nothing else is said."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or tempfile.gettempdir()) / ".cache")
    return Path(base) / "actorhost" / "modules"


def _cpu() -> str:
    """Return what distinguishes this CPU: compiled code may use any feature it has."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                return hashlib.sha256(line.encode()).hexdigest()
    return platform.processor()


class ModuleCache:
    """Compiled modules under `directory`; None keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        parts = (_FORMAT, version("wasmtime"), platform.machine(), _cpu(), GUEST_STACK, FIBER_STACK)
        self._settings = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def load(self, digest: Digest, profile: Profile) -> bytes | None:
        """Return the compiled module, or None when there is none that may be trusted."""
        if self._directory is None:
            return None
        try:
            with open(self._path(digest, profile), "rb", opener=_no_links) as file:
                return _verified(file.read()) if _private(os.fstat(file.fileno())) else None
        except OSError:
            return None

    def store(self, digest: Digest, profile: Profile, compiled: bytes) -> None:
        """Keep `compiled`; a directory that cannot be used safely keeps nothing."""
        if self._directory is None or not self._ready():
            return
        with contextlib.suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self._directory, prefix=".new-", delete=False) as file:
                file.write(_MAGIC + hashlib.sha256(compiled).digest() + compiled)
            Path(file.name).replace(self._path(digest, profile))

    def _path(self, digest: Digest, profile: Profile) -> Path:
        assert self._directory is not None  # noqa: S101 - both callers have looked
        return self._directory / f"{digest}-{profile}-{self._settings}.bin"

    def _ready(self) -> bool:
        assert self._directory is not None  # noqa: S101
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self._directory.stat()
        except OSError:
            return False
        return _private(status) and not stat.S_IMODE(status.st_mode) & 0o077


def _no_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _private(status: os.stat_result) -> bool:
    """Tell whether only this user can have written what `status` describes."""
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _verified(data: bytes) -> bytes | None:
    head = len(_MAGIC) + 32
    if not data.startswith(_MAGIC):
        return None
    return data[head:] if hashlib.sha256(data[head:]).digest() == data[len(_MAGIC) : head] else None
