"""One request as aiohttp's server hands it over: what the head said, the body to come, and whose it is.

It stands in for aiohttp's own, which builds a URL and views of the headers that nobody here looks at.
Made by the server for each request, and gone with its answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import HttpVersion, StreamReader
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

if TYPE_CHECKING:
    from actorhost_providers.http.connection import Connection


class Request:
    """A request of `protocol`; `raw_headers` are names and values as they came.

    The methods that begin with an underscore are those that aiohttp's server calls.
    """

    __slots__ = (
        "_task", "content", "keep_alive", "method", "protocol", "raw_headers", "raw_path", "version",
        "writer",
    )  # fmt: skip

    def __init__(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: Connection,
        writer: AbstractStreamWriter,
        task: asyncio.Task[Any],
    ) -> None:
        self.method = message.method
        self.raw_path = message.path
        self.version: HttpVersion = message.version
        self.raw_headers = message.raw_headers
        self.keep_alive = not message.should_close
        self.content = payload
        self.protocol = protocol
        self.writer = writer
        self._task = task

    def _cancel(self, error: BaseException) -> None:
        """Let whoever reads the body know that no more of it will come."""
        self.content.set_exception(error)

    def _finish(self) -> None:
        """Do nothing: there is nothing to give back."""
