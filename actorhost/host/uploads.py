"""Modules on their way to this host: taken in parts, checked against their digest, kept briefly.

Owned by the host's control; :meth:`Uploads.close` drops everything. A module that is not touched for
a minute is dropped, whole or not, and not sooner: others may be about to deploy the same one. Nothing
survives the process: whoever uploads starts again.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

from actorhost.errors import BadRequest, Overloaded, TooLarge
from actorhost.host.control_messages import ModuleChunk, ModuleOffer, ModuleProgress

KEEP: Final = 60.0
"""Seconds an upload is kept after it was last touched."""
_MAX_UPLOADS: Final = 1000
_ROOM: Final = 4
"""All uploads together may be this many times the largest module."""


class _Upload:
    __slots__ = ("content", "expiry", "hash", "size")

    def __init__(self, size: int, expiry: asyncio.TimerHandle) -> None:
        self.content: bytearray | bytes = bytearray()
        self.hash = hashlib.sha256()
        self.size = size
        self.expiry = expiry

    def progress(self) -> ModuleProgress:
        return ModuleProgress(len(self.content), complete=len(self.content) == self.size)


class Uploads:
    """Modules of at most `max_module` bytes each, by digest; `keep` is in seconds."""

    def __init__(self, *, max_module: int, keep: float = KEEP) -> None:
        self._max_module = max_module
        self._keep = keep
        self._uploads: dict[str, _Upload] = {}

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return sum(len(upload.content) for upload in self._uploads.values())

    def offer(self, offer: ModuleOffer) -> ModuleProgress:
        """Say how much of the module is here; raises :class:`TooLarge` and :class:`Overloaded`."""
        if offer.size > self._max_module:
            raise TooLarge(
                f"a module of {offer.size} bytes is over the host's limit of {self._max_module}",
                hint="strip debug information, or raise ACTORHOST_MAX_MODULE of the host",
            )
        upload = self._uploads.get(offer.digest)
        if upload is None:
            if len(self._uploads) >= _MAX_UPLOADS:
                raise self._full()
            upload = _Upload(offer.size, self._expire_later(offer.digest))
            self._uploads[offer.digest] = upload
        elif upload.size != offer.size:
            raise BadRequest(f"module {offer.digest} was offered with {upload.size} bytes before")
        self._touch(offer.digest, upload)
        return upload.progress()

    def add(self, chunk: ModuleChunk) -> ModuleProgress:
        """Take a part; one that does not continue what is here changes nothing.

        Raises :class:`Overloaded` when too much is held, and :class:`BadRequest` for a module that
        was not offered or is not what its digest says.
        """
        upload = self._uploads.get(chunk.digest)
        if upload is None:
            raise BadRequest(f"module {chunk.digest} was not offered, or too long ago", hint="offer it again")
        self._touch(chunk.digest, upload)
        if chunk.offset == len(upload.content):
            self._append(upload, chunk)
        return upload.progress()

    def take(self, digest: str) -> bytes:
        """Return a complete module, or raise :class:`BadRequest`; it stays here."""
        upload = self._uploads.get(digest)
        if upload is None or not upload.progress().complete:
            raise BadRequest(f"this host does not have module {digest}", hint="upload it first, then deploy")
        self._touch(digest, upload)
        return bytes(upload.content)  # no copy: complete ones are bytes

    def close(self) -> None:
        """Forget all."""
        for digest in tuple(self._uploads):
            self._drop(digest)

    def _append(self, upload: _Upload, chunk: ModuleChunk) -> None:
        if len(upload.content) + len(chunk.data) > upload.size:
            self._drop(chunk.digest)
            raise BadRequest(
                f"module {chunk.digest} is longer than the {upload.size} bytes it was offered with"
            )
        if self.held_bytes + len(chunk.data) > _ROOM * self._max_module:
            raise self._full()
        upload.content += chunk.data
        upload.hash.update(chunk.data)
        if not upload.progress().complete:
            return
        upload.content = bytes(upload.content)
        if upload.hash.hexdigest() != chunk.digest:
            self._drop(chunk.digest)
            raise BadRequest(
                f"what was uploaded has digest {upload.hash.hexdigest()}, not {chunk.digest}",
                hint="upload it again",
            )

    def _drop(self, digest: str) -> None:
        upload = self._uploads.pop(digest, None)
        if upload is not None:
            upload.expiry.cancel()

    def _full(self) -> Overloaded:
        return Overloaded(
            f"this host holds {len(self._uploads)} uploads of together {self.held_bytes} bytes",
            hint=f"retry later: each is kept for {self._keep:g} s after it was last used",
        )

    def _touch(self, digest: str, upload: _Upload) -> None:
        upload.expiry.cancel()
        upload.expiry = self._expire_later(digest)

    def _expire_later(self, digest: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._keep, self._drop, digest)
