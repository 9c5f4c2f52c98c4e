"""A guest draws random bytes and reads the clocks over its links, and not without them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actorhost import Host, clock
from actorhost.errors import ActorFailed
from actorhost.ids import ActorName, ContractId
from actorhost.manifest import Application, LinkSpec, ProviderSpec
from tests.integration.host.conftest import actor
from tests.wat import guest

NAMES = ("random", "clock")


def asking(name: str) -> bytes:
    """Return a guest that passes each message on to contract `name`, and answers what comes back."""
    contract = f"actorhost:{name}"
    return guest(
        f"""(call $request (i32.const 1024) (i32.const 2048))
        (if (result i32) (call $call (i32.const 0) (i32.const 0) (i32.const 16) (i32.const {len(contract)})
            (i32.const 1024) (local.get $o) (i32.const 2048) (local.get $m))
          (then (call $reply (i32.const 4096))
            (call $respond (i32.const 4096) (call $reply_length)) (i32.const 1))
          (else (call $error (i32.const 4096))
            (call $fail (i32.const 4096) (call $error_length)) (i32.const 0)))""",
        f'(data (i32.const 16) "{contract}")',
        pages=2,
    )


async def deploy(host: Host, *, linked: bool) -> None:
    contracts = {name: ContractId(f"actorhost:{name}") for name in NAMES}
    links = {name: (LinkSpec(target=ActorName(f"the-{name}"), namespace=contracts[name]),) for name in NAMES}
    actors = tuple(
        actor(name, contracts=(contracts[name],), links=links[name] if linked else ()) for name in NAMES
    )
    providers = tuple(
        ProviderSpec(name=ActorName(f"the-{name}"), provider=name, contract=contracts[name]) for name in NAMES
    )
    wanted = Application(name=ActorName("app"), actors=actors, providers=providers)
    await host.deploy_modules(wanted, {name: asking(name) for name in NAMES})


async def ask(host: Host, name: str, operation: str, **params: object) -> Any:
    payload = msgspec.msgpack.encode(params) if params else b""
    return msgspec.msgpack.decode(await host.ask(name, operation, payload))


async def test_a_linked_guest_is_answered() -> None:
    async with Host() as host:
        await deploy(host, linked=True)
        assert len(await ask(host, "random", "bytes", count=40_000)) == 40_000
        assert await ask(host, "random", "u64") != await ask(host, "random", "u64")
        assert len(await ask(host, "random", "uuid")) == 36
        assert abs(await ask(host, "clock", "now") - clock.wall_ns()) < 10**9
        assert await ask(host, "clock", "monotonic") <= await ask(host, "clock", "monotonic")
        assert await ask(host, "clock", "resolution") == clock.resolution_ns()
        with pytest.raises(ActorFailed, match="Expected `int` <= 65536"):
            await ask(host, "random", "bytes", count=65_537)


async def test_a_guest_without_links_is_refused() -> None:
    async with Host() as host:
        await deploy(host, linked=False)
        for name, operation in (("random", "u64"), ("clock", "now")):
            with pytest.raises(ActorFailed, match=f"has no link to 'actorhost:{name}', which it declares"):
                await ask(host, name, operation)
