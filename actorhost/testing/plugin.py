"""The pytest plugin: a running host as the fixture ``actorhost_host``.

Put ``pytest_plugins = ["actorhost.testing.plugin"]`` into your top-level ``conftest.py``; nothing else
imports pytest. The fixture needs a plugin that runs async tests: pytest-asyncio, or anyio's own where
pytest-asyncio is not installed. One host for each test, stopped when the test has ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from actorhost.contracts.provider import Provider
from actorhost.errors import InvalidInput
from actorhost.host import Client, Host
from actorhost.limits import Limits
from actorhost.manifest import Application, load_manifest
from actorhost.transport import MemoryBus, MemoryTransport, NatsServer

_fixture: Any
try:
    import pytest_asyncio
except ImportError:
    _fixture = pytest.fixture
else:
    _fixture = pytest_asyncio.fixture

MARK: Final = "actorhost"


class HostUnderTest(Host):
    """A host that deploys files: paths are relative to `folder`.

    On the NATS server at `url`, or on a bus in memory without one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        url: str = "",
        limits: Limits | None = None,
        providers: Mapping[str, type[Provider]] | None = None,
    ) -> None:
        self.url = url
        self._folder = folder
        self._bus = MemoryBus()
        transport = None if url else MemoryTransport(self._bus)
        super().__init__(nats=url or None, limits=limits, transport=transport, providers=providers)

    async def deploy_file(self, manifest: str | Path) -> Application:
        """Run the application of a manifest and return it; raises as :meth:`Host.deploy` does."""
        path = self._folder / manifest
        try:
            text = await anyio.Path(path).read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"cannot read manifest {path}: {error.strerror}",
                hint="paths are relative to pytest's root directory",
            ) from None
        application = load_manifest(text, str(path), self.limits)
        await self.deploy(application, path.parent)
        return application

    def client(self) -> Client:
        """Return a client that reaches this host; use ``async with``."""
        if self.url:
            return Client(self.url, limits=self.limits)
        return Client(limits=self.limits, transport=MemoryTransport(self._bus))


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(nats=False, limits=None, providers=None): how the host of the fixture actorhost_host is"
        " made; with nats=True it is on a NATS server of the test's own",
    )


@_fixture  # type: ignore[untyped-decorator]
async def actorhost_host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HostUnderTest]:
    """A running host of this test alone; the marker ``actorhost`` says how it is made."""
    mark = request.node.get_closest_marker(MARK)
    options: dict[str, Any] = dict(mark.kwargs) if mark else {}
    async with AsyncExitStack() as stack:
        url = ""
        if options.pop("nats", False):
            server = NatsServer(tmp_path / "actorhost-nats", limits=options.get("limits"))
            url = (await stack.enter_async_context(server)).url
        host = HostUnderTest(request.config.rootpath, url=url, **options)
        yield await stack.enter_async_context(host)
