"""The registry: finding, starting and stopping providers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.metadata import EntryPoint

import pytest

from actorhost.capability import Registry
from actorhost.capability import registry as registry_module
from actorhost.contracts.keyvalue import KeyValue
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import ProviderFailed, ProviderRefused, ServerUnavailable, Unavailable
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.limits import Limits
from actorhost.manifest.model import ProviderSpec
from actorhost_providers.kv.memory import MemoryKeyValue
from actorhost_providers.logging.host import HostLogging
from tests.unit.capability.board import KEYVALUE, ODDITIES, Oddities

SHORT = Limits(start_timeout=0.05, stop_timeout=0.05)


class Recorded(Oddities):
    """Notes its start and stop in ``config["log"]`` and behaves as ``config`` says."""

    async def _note(self, what: str) -> None:
        log = self.config["log"]
        assert isinstance(log, list)
        log.append(f"{what} {self.config['name']}")
        match self.config.get(what):
            case "hang":
                await asyncio.Event().wait()
            case BaseException() as error:
                raise error

    async def start(self) -> None:
        await self._note("start")

    async def stop(self) -> None:
        await self._note("stop")


class Half(KeyValue):
    """Implements nothing."""


def spec(name: str, provider: str, contract: str, config: Mapping[str, object] | None = None) -> ProviderSpec:
    return ProviderSpec(
        name=ActorName(name), provider=provider, contract=ContractId(contract), config=config or {}
    )


def registry(limits: Limits = SHORT, **offered: type[Provider]) -> Registry:
    return Registry(limits, {name.replace("_", "-"): each for name, each in offered.items()})


async def start(registry: Registry, log: list[str], name: str, **config: object) -> None:
    await registry.start(spec(name, "recorded", ODDITIES, {"log": log, "name": name, **config}))


async def test_installed_providers_are_found_by_entry_point() -> None:
    registry = Registry(Limits())
    store = await registry.start(spec("store", "keyvalue-memory", KEYVALUE))
    log = await registry.start(spec("log", "logging", "actorhost:logging"))
    assert isinstance(store, MemoryKeyValue)
    assert isinstance(log, HostLogging)
    assert dict(registry.running) == {"store": store, "log": log}
    await registry.close()
    assert dict(registry.running) == {}


async def test_a_provider_that_is_not_installed_is_refused_with_those_that_are() -> None:
    with pytest.raises(ProviderRefused, match="provider 'redis' is not installed") as caught:
        await Registry(Limits()).start(spec("store", "redis", KEYVALUE))
    assert "keyvalue-sqlite, logging" in caught.value.hint
    with pytest.raises(ProviderRefused) as caught:
        await registry(odd=Oddities).start(spec("store", "redis", KEYVALUE))
    assert caught.value.hint.startswith("installed: clock, ")
    assert ", logging, odd, random, " in caught.value.hint


async def test_a_provider_of_another_contract_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="'odd' does not serve actorhost:keyvalue") as caught:
        await registry(odd=Oddities).start(spec("store", "odd", KEYVALUE))
    assert caught.value.hint == "it serves tests:oddities"


async def test_what_is_no_provider_or_half_of_one_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="is no provider class"):
        await registry(text=str).start(spec("x", "text", KEYVALUE))  # type: ignore[arg-type]
    with pytest.raises(ProviderRefused, match="lacks operations") as caught:
        await registry(half=Half).start(spec("x", "half", KEYVALUE))
    assert "get, set, delete, exists" in caught.value.hint


async def test_a_provider_that_cannot_be_imported_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("gone", "actorhost_providers.gone:Gone", registry_module.GROUP)
    monkeypatch.setattr(registry_module, "entry_points", lambda **_: (point,))
    with pytest.raises(ProviderRefused, match=r"cannot be imported from actorhost_providers.gone:Gone"):
        await Registry(Limits()).start(spec("x", "gone", KEYVALUE))


async def test_wrong_configuration_is_refused_with_the_keys_there_are() -> None:
    with pytest.raises(
        ProviderRefused, match="configuration of provider keyvalue-memory: max_byte: unknown key"
    ) as caught:
        await registry(kv=MemoryKeyValue).start(spec("store", "kv", KEYVALUE, {"max_byte": 5}))
    assert caught.value.hint == "it may hold: max_bytes, max_keys"


async def test_a_provider_that_cannot_be_made_is_refused_without_secrets() -> None:
    class Fragile(Oddities):
        def __init__(self, config: Mapping[str, object]) -> None:
            super().__init__(config)
            raise ValueError(f"bad login {config['login']}")

    with pytest.raises(ProviderRefused, match=r"could not be made .*bad login \*\*\*"):
        await registry(fragile=Fragile).start(spec("one", "fragile", ODDITIES, {"login": "hunter22"}))


async def test_providers_stop_in_reverse_order() -> None:
    log: list[str] = []
    running = registry(recorded=Recorded)
    for name in ("one", "two", "three"):
        await start(running, log, name)
    await running.stop("two")
    await running.close()
    assert log == ["start one", "start two", "start three", "stop two", "stop three", "stop one"]


async def test_a_name_can_run_once() -> None:
    log: list[str] = []
    running = registry(recorded=Recorded)
    await start(running, log, "one")
    with pytest.raises(ProviderRefused, match="'one' is already running"):
        await start(running, log, "one")
    await running.close()


@pytest.mark.parametrize(
    ("behaviour", "error", "why"),
    [
        ("hang", ProviderFailed, "could not start provider 'one': no end within 0.05 s"),
        (OSError("no route to hunter22"), ProviderFailed, r"OSError: no route to \*\*\* \(test_registry.py:"),
        (TimeoutError("of its own"), ProviderFailed, "TimeoutError: of its own"),
        (SystemExit("no licence"), ProviderFailed, "SystemExit: no licence"),
        (ServerUnavailable("no server"), ServerUnavailable, "no server"),
    ],
)
async def test_a_provider_that_does_not_start_is_stopped_and_not_running(
    behaviour: object, error: type[Exception], why: str
) -> None:
    log: list[str] = []
    running = registry(recorded=Recorded)
    with pytest.raises(error, match=why):
        await start(running, log, "one", start=behaviour, login="hunter22")
    assert log == ["start one", "stop one"]
    assert dict(running.running) == {}


async def test_the_error_of_the_start_wins_over_that_of_the_stop() -> None:
    with pytest.raises(ServerUnavailable, match="no server") as caught:
        await start(
            registry(recorded=Recorded),
            [],
            "one",
            start=ServerUnavailable("no server"),
            stop=OSError("jammed"),
        )
    assert "jammed" in caught.value.__notes__[0]


async def test_a_start_that_is_cancelled_is_stopped_and_cancelled() -> None:
    log: list[str] = []
    running = registry(Limits(), recorded=Recorded)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(start(running, log, "one", start="hang"))
        await asyncio.sleep(0.01)
        task.cancel()
    assert task.cancelled()
    assert log == ["start one", "stop one"]


async def test_all_are_stopped_when_some_resist() -> None:
    log: list[str] = []
    running = registry(recorded=Recorded)
    for name, stop in (("one", None), ("two", "hang"), ("three", OSError("jammed"))):
        await start(running, log, name, stop=stop)
    with pytest.raises(ProviderFailed, match=r"'three': OSError: jammed.*'two': no end within"):
        await running.close()
    assert log[3:] == ["stop three", "stop two", "stop one"]
    assert dict(running.running) == {}


async def test_a_provider_that_was_stopped_is_told_of_no_links() -> None:
    known = registry(recorded=Recorded)
    await start(known, [], "a")
    await known.close()
    link = Link(ActorName("actor"), ContractId(ODDITIES), LinkName("default"))
    for tell in (known.link, known.unlink):
        with pytest.raises(Unavailable, match="provider 'a' is not running any more"):
            await tell("a", link)
