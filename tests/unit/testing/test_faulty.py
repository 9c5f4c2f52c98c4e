"""Providers that misbehave on purpose: what a caller of an actor is told, and that the host goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgpack
import pytest

from actorhost import Host, clock
from actorhost.contracts.keyvalue import KeyValue
from actorhost.contracts.provider import Provider
from actorhost.errors import (
    ActorFailed,
    ActorhostError,
    DeadlineExceeded,
    InvalidInput,
    Overloaded,
    ProviderFailed,
)
from actorhost.ids import ActorName, ContractId
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, Application, LinkSpec, ProviderSpec
from actorhost.testing import Lie, failing_provider, hanging_provider, lying_provider
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.leaks import nothing_left
from tests.wat import guest

KEYVALUE = ContractId("actorhost:keyvalue")
NAMES = KEYVALUE.encode() + b"get set delete exists"
OPERATIONS = {name: (NAMES.index(name.encode()), len(name)) for name in ("get", "set", "delete", "exists")}


def _caller(operation: str) -> bytes:
    """Return a guest that calls `operation` with the payload it got, and says what that ended with."""
    start, length = OPERATIONS[operation]
    text = NAMES.decode()
    return guest(
        f"""(call $request (i32.const 512) (i32.const 1024))
        (if (i32.eqz (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {len(KEYVALUE)})
          (i32.const {start}) (i32.const {length}) (i32.const 1024) (local.get $m))) (then
            (call $error (i32.const 2048))
            (call $fail (i32.const 2048) (call $error_length)) (return (i32.const 0))))
        (call $reply (i32.const 2048)) (call $respond (i32.const 2048) (call $reply_length))
        (i32.const 1)""",
        f'(data (i32.const 0) "{text}")',
    )


def _application(timeout: float) -> Application:
    link = LinkSpec(target=ActorName("store"), namespace=KEYVALUE)
    actors = tuple(
        ActorSpec(name=ActorName(name), module=name, contracts=(KEYVALUE,), links=(link,), timeout=timeout)
        for name in OPERATIONS
    )
    store = ProviderSpec(name=ActorName("store"), provider="faulty", contract=KEYVALUE)
    return Application(name=ActorName("app"), actors=actors, providers=(store,))


@asynccontextmanager
async def running(kind: type[Provider], *, timeout: float = 5.0) -> AsyncIterator[Host]:
    limits = Limits(start_timeout=0.5, stop_timeout=0.5)
    async with nothing_left(), Host(providers={"faulty": kind}, limits=limits) as host:
        await host.deploy_modules(_application(timeout), {name: _caller(name) for name in OPERATIONS})
        yield host


async def call(host: Host, operation: str = "exists", **params: object) -> object:
    return msgpack.unpackb(await host.ask(operation, "Op", msgpack.packb({"key": "a", **params})))


async def failure(host: Host, operation: str = "exists", **params: object) -> ActorhostError:
    with pytest.raises(ActorhostError) as caught:
        await call(host, operation, **params)
    return caught.value


async def test_a_hanging_provider_costs_its_callers_their_time_and_no_more() -> None:
    async with running(hanging_provider(MemoryKeyValue, only=["exists"]), timeout=0.2) as host:
        began = clock.monotonic()
        assert type(await failure(host)) is DeadlineExceeded
        assert clock.monotonic() - began < 0.6
        assert await call(host, "set", value=b"1") == {"stored": True, "revision": 1}


async def test_a_contract_alone_can_hang() -> None:
    async with running(hanging_provider(KeyValue), timeout=0.1) as host:
        outcomes = [type(await failure(host, operation, value=b"")) for operation in OPERATIONS]
        assert outcomes == [DeadlineExceeded] * 4


async def test_a_provider_that_hangs_when_it_starts_is_refused_in_time() -> None:
    with pytest.raises(ProviderFailed, match=r"could not start provider 'store': no end within 0\.5 s"):
        async with running(hanging_provider(MemoryKeyValue, only=["start"])):
            pass


async def test_a_provider_that_hangs_when_it_stops_is_given_up_and_the_rest_stops() -> None:
    kind = hanging_provider(MemoryKeyValue, only=["stop"])
    async with running(kind) as host:
        began = clock.monotonic()
        await host.deploy_modules(_application(1.0), {name: _caller(name) for name in OPERATIONS})
        assert await call(host) is False, "its successor runs"
    assert clock.monotonic() - began < 2


async def test_every_third_call_fails_and_did_nothing() -> None:
    kind = failing_provider(MemoryKeyValue, every=3, only=["set", "delete"])
    async with running(kind) as host:
        assert await call(host, "set", value=b"1") == {"stored": True, "revision": 1}
        assert await call(host, "exists") is True
        assert await call(host, "set", value=b"2") == {"stored": True, "revision": 2}
        assert "because the test says so" in str(await failure(host, "delete"))
        assert await call(host, "exists") is True
        assert await call(host, "delete") is True


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Overloaded("the store is full"), "overloaded: the store is full"),
        (OSError("disk"), "provider_error: provider 'store' failed .* OSError: disk"),
    ],
)
async def test_it_fails_with_the_error_that_is_given(error: Exception, told: str) -> None:
    async with running(failing_provider(KeyValue, error=lambda: error)) as host:
        with pytest.raises(ActorFailed, match=told):
            await call(host)


@pytest.mark.parametrize(
    ("lie", "operation", "error", "told"),
    [
        (Lie.WRONG_TYPE, "get", ActorFailed, "returned Nonsense instead of Entry or NoneType"),
        (Lie.WRONG_TYPE, "exists", ActorFailed, "returned Nonsense instead of bool"),
        (Lie.OVERSIZED, "get", ActorFailed, "too_large: .* the operation was carried out"),
        (Lie.OVERSIZED, "set", ActorFailed, "too_large: .* the operation was carried out"),
        (Lie.OVERSIZED, "exists", ActorFailed, "returned Nonsense instead of bool"),
        (Lie.LATE, "get", DeadlineExceeded, "waiting for a capability at its deadline"),
        (Lie.LATE, "set", DeadlineExceeded, "waiting for a capability at its deadline"),
    ],
)
async def test_what_a_lie_comes_to(lie: Lie, operation: str, error: type[ActorhostError], told: str) -> None:
    async with running(lying_provider(MemoryKeyValue, lie, only=[operation]), timeout=0.3) as host:
        began = clock.monotonic()
        with pytest.raises(error, match=told):
            await call(host, operation, value=b"1")
        assert clock.monotonic() - began < 0.7
        assert await call(host, "delete") is (lie is Lie.LATE and operation == "set"), "late is honest"


def test_what_cannot_misbehave_like_that_is_refused() -> None:
    with pytest.raises(InvalidInput, match="MemoryKeyValue has no fetch") as refusal:
        hanging_provider(MemoryKeyValue, only=["fetch", "get"])
    assert "get, set, delete" in refusal.value.hint
    with pytest.raises(InvalidInput, match="0th call"):
        failing_provider(MemoryKeyValue, every=0)
    with pytest.raises(InvalidInput, match="implements nothing"):
        failing_provider(KeyValue, every=2)
    with pytest.raises(InvalidInput, match="implements nothing"):
        lying_provider(KeyValue, Lie.LATE)
    with pytest.raises(InvalidInput, match="no answer to lie in"):
        lying_provider(MemoryKeyValue, Lie.WRONG_TYPE, only=["start"])
