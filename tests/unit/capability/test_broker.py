"""The broker: what is allowed, what is refused and how, and what a misbehaving provider becomes."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import msgpack

from actorhost.capability import Broker, Caller, Grants
from actorhost.contracts.http import HttpServer
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import (
    ActorFailed,
    ActorhostError,
    BadRequest,
    CallTimeout,
    Denied,
    FaultCode,
    OutcomeUnknown,
    Overloaded,
    ProviderFailed,
    TooLarge,
)
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.manifest.model import LinkSpec
from actorhost_providers.http.server import AiohttpServer
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.unit.capability.board import KEYVALUE, ODDITIES, Oddities, actor, caller, link, no_actor, odd

GET = msgpack.encode({"key": "k"})


def running() -> dict[str, Provider]:
    return {"store": MemoryKeyValue({}), "odd": Oddities({})}


def granted(*links: LinkSpec) -> Grants:
    return Grants.of(actor(*links), running())


async def refused(
    grants: Grants, binding: str, namespace: str, operation: str, payload: bytes
) -> ActorhostError:
    """Make a call that must fail, and return its error."""
    with pytest.raises(ActorhostError) as caught:
        await Broker(no_actor).call(caller(grants), binding, namespace, operation, payload)
    return caught.value


async def test_a_call_over_a_link_is_answered() -> None:
    grants = granted(link("store", KEYVALUE, bucket="readings"))
    broker = Broker(no_actor)
    stored = await broker.call(
        caller(grants), "default", KEYVALUE, "set", msgpack.encode({"key": "k", "value": b"v"})
    )
    assert msgpack.decode(stored) == {"stored": True, "revision": 1}
    for binding in ("default", ""):
        reply = await broker.call(caller(grants), binding, KEYVALUE, "get", GET)
        assert msgpack.decode(reply) == {"value": b"v", "revision": 1}


async def test_the_provider_sees_who_calls_over_which_link() -> None:
    provider = Oddities({})
    grants = Grants.of(actor(link("odd", ODDITIES, "second", colour="red")), {"odd": provider})
    await Broker(no_actor).call(caller(grants), "second", ODDITIES, "echo", b"\x80")
    (seen,) = provider.links
    assert (seen.actor, seen.contract, seen.name, dict(seen.config)) == (
        "thermostat", ODDITIES, "second", {"colour": "red"},
    )  # fmt: skip


async def test_links_of_the_same_contract_lead_to_their_own_configuration() -> None:
    grants = granted(link("store", KEYVALUE, bucket="a"), link("store", KEYVALUE, "b", bucket="b"))
    broker = Broker(no_actor)
    await broker.call(caller(grants), "b", KEYVALUE, "set", msgpack.encode({"key": "k", "value": b"v"}))
    assert await broker.call(caller(grants), "default", KEYVALUE, "get", GET) == b"\xc0"


@pytest.mark.parametrize(
    ("binding", "namespace", "message", "hint"),
    [
        (
            "cache",
            KEYVALUE,
            "'thermostat' has no link 'cache' to 'actorhost:keyvalue'",
            "links there are default",
        ),
        ("", ODDITIES, "has no link to 'tests:oddities', which it declares", "add a trait of type link"),
        ("", "actorhost:sql", "may not call 'actorhost:sql', which it does not declare", "to its contracts"),
        ("", "alarm", "has no link 'default' to an actor 'alarm'", "target 'alarm', name 'default'"),
        ("", "", "has no link 'default' to an actor ''", "add a trait"),
        ("x" * 5000, "y" * 5000, "to an actor 'yyy", "add a trait"),
    ],
)
async def test_what_was_not_granted_is_denied_with_what_to_change(
    binding: str, namespace: str, message: str, hint: str
) -> None:
    error = await refused(granted(link("store", KEYVALUE)), binding, namespace, "get", GET)
    assert isinstance(error, Denied)
    assert message in str(error)
    assert hint in error.hint
    assert len(str(error)) + len(error.hint) < 600


async def test_an_unknown_operation_is_a_bad_request_that_lists_the_known() -> None:
    error = await refused(granted(link("store", KEYVALUE)), "", KEYVALUE, "Get", GET)
    assert isinstance(error, BadRequest)
    assert "'thermostat' called 'Get' over link 'default'" in str(error)
    assert "get, set, delete" in error.hint


async def test_an_operation_over_a_link_that_has_none_is_a_bad_request_that_says_so() -> None:
    providers: dict[str, Provider] = {"store": AiohttpServer({"port": 0})}
    web = link("store", HttpServer.contract.id, path="/")
    error = await refused(Grants.of(actor(web), providers), "", HttpServer.contract.id, "handle", b"")
    assert isinstance(error, BadRequest)
    assert error.hint == "an actor calls nothing over it, it is called"


async def test_malformed_parameters_are_a_bad_request_that_names_the_call() -> None:
    error = await refused(granted(link("store", KEYVALUE)), "", KEYVALUE, "get", b"\x80")
    assert isinstance(error, BadRequest)
    assert str(error) == (
        "'get' of actorhost:keyvalue called by 'thermostat' over link 'default':"
        " parameters of 'get': Object missing required field `key`"
    )


async def test_a_payload_over_the_actors_limit_is_too_large() -> None:
    error = await refused(granted(link("store", KEYVALUE)), "", KEYVALUE, "get", bytes(4097))
    assert isinstance(error, TooLarge)
    assert "4097 bytes, over its limit of 4096" in str(error)


async def test_a_value_over_the_contracts_limit_is_too_large() -> None:
    payload = msgpack.encode({"key": "k", "value": bytes(524_289)})
    grants = granted(link("store", KEYVALUE))
    with pytest.raises(TooLarge, match="called by 'thermostat' over link 'default': a value of 524289 bytes"):
        await Broker(no_actor).call(caller(grants, max_message=10**6), "", KEYVALUE, "set", payload)


async def test_a_reply_over_the_actors_limit_is_too_large() -> None:
    with pytest.raises(TooLarge, match="the reply of 5003 bytes is over 4096; the operation was carried out"):
        await odd("flood")


async def test_after_the_deadline_nothing_is_done() -> None:
    provider = Oddities({})
    with pytest.raises(CallTimeout, match="after its deadline; nothing was done") as caught:
        await odd("echo", provider=provider, seconds=0)
    assert caught.value.outcome_known
    assert provider.links == []


async def test_a_provider_that_does_not_wait_is_answered_without_a_step_of_the_loop() -> None:
    grants = granted(link("store", KEYVALUE))
    work = Broker(no_actor).call(caller(grants), "", KEYVALUE, "get", GET)
    with pytest.raises(StopIteration) as caught:
        work.send(None)
    assert caught.value.value == b"\xc0"


async def test_a_provider_that_waits_is_waited_for() -> None:
    assert await odd("wait", "patience") == "patience"
    assert await asyncio.gather(*(odd("wait", str(number)) for number in range(20))) == [
        str(number) for number in range(20)
    ]


@pytest.mark.parametrize(
    ("operation", "error"),
    [("hang", OutcomeUnknown), ("hang-read", CallTimeout), ("hang-deaf", OutcomeUnknown)],
)
async def test_a_provider_that_hangs_is_ended_at_the_deadline(
    operation: str, error: type[ActorhostError]
) -> None:
    with pytest.raises(error, match="provider 'odd' did not answer before the deadline") as caught:
        async with asyncio.timeout(2):
            await odd(operation, seconds=0.03)
    assert caught.value.outcome_known is (error is CallTimeout)
    assert caught.value.where == "provider odd"


async def test_a_provider_that_hangs_is_told_so() -> None:
    provider = Oddities({})
    with pytest.raises(OutcomeUnknown):
        await odd("hang", "first", provider=provider, seconds=0.01)
    assert provider.ended == ["first"]


async def test_a_time_out_of_the_providers_own_is_its_failure() -> None:
    with pytest.raises(ProviderFailed, match="TimeoutError"):
        await odd("own-timeout")


async def test_a_provider_that_wants_to_end_the_program_fails_and_ends_nothing() -> None:
    with pytest.raises(ProviderFailed, match="SystemExit: no licence"):
        await odd("exit", "no licence")


async def test_a_callers_cancellation_reaches_the_provider_and_the_caller() -> None:
    provider = Oddities({})
    async with asyncio.TaskGroup() as group:
        task = group.create_task(odd("hang", "left", provider=provider))
        await asyncio.sleep(0.01)
        task.cancel()
    assert task.cancelled()
    assert provider.ended == ["left"]


async def test_a_foreign_exception_is_a_provider_failure_without_secrets() -> None:
    provider = Oddities({"password": "hunter22", "nested": [{"key": "s3cr3t-key"}]})
    url = "redis://admin:hunter33@store.example:6379/0"
    grants = Grants.of(actor(link("odd", ODDITIES, url=url)), {"odd": provider})
    with pytest.raises(ProviderFailed) as caught:
        await Broker(no_actor).call(caller(grants), "", ODDITIES, "break", b"\x80")
    text = str(caught.value)
    assert text.startswith("provider 'odd' failed in 'break' of tests:oddities: KeyError: ")
    assert "(board.py:" in text
    assert not any(secret in text for secret in ("hunter22", "hunter33", "admin", "store.example"))
    assert caught.value.__suppress_context__
    assert not caught.value.outcome_known


async def test_an_error_of_ours_passes_with_the_place() -> None:
    with pytest.raises(Overloaded, match="too many oddities") as caught:
        await odd("refuse")
    assert caught.value.where == "provider odd"


@pytest.mark.parametrize(
    ("operation", "why"), [("wrong", "returned int instead of str"), ("surrogate", "no wire form")]
)
async def test_a_result_of_the_wrong_type_is_a_provider_failure(operation: str, why: str) -> None:
    with pytest.raises(ProviderFailed, match=why):
        await odd(operation)


async def test_a_link_to_an_actor_delivers_there() -> None:
    seen: list[tuple[Caller, str, str, bytes]] = []

    async def call_actor(by: Caller, target: ActorName, operation: str, payload: bytes) -> bytes:
        seen.append((by, target, operation, payload))
        if operation == "Fail":
            raise ActorFailed("no such sensor")
        return b"raised"

    alarm = LinkSpec(target=ActorName("alarm"), namespace="alarm", is_actor=True)
    by, broker = caller(granted(alarm)), Broker(call_actor)
    assert await broker.call(by, "", "alarm", "Raise", b"any bytes") == b"raised"
    with pytest.raises(ActorFailed):
        await broker.call(by, "", "alarm", "Fail", b"")
    assert seen == [(by, "alarm", "Raise", b"any bytes"), (by, "alarm", "Fail", b"")]


async def test_the_record_counts_answers_and_ends_and_no_made_up_names() -> None:
    grants = granted(link("store", KEYVALUE), link("odd", ODDITIES))
    broker = Broker(no_actor)
    for namespace, operation in (
        (KEYVALUE, "get"), (KEYVALUE, "get"), (KEYVALUE, "nonsense-1"), (KEYVALUE, "nonsense-2"),
        ("made:up-1", "get"), ("made:up-2", "get"), (ODDITIES, "break"),
    ):  # fmt: skip
        try:
            await broker.call(caller(grants), "", namespace, operation, GET)
        except ActorhostError:
            continue
    seen = {key[1:]: (tally.answered, tally.ended) for key, tally in broker.statistics().items()}
    assert seen == {
        (KEYVALUE, "default", "get"): (2, {}),
        (KEYVALUE, "default", "?"): (0, {FaultCode.BAD_REQUEST: 2}),
        ("?", "?", "?"): (0, {FaultCode.DENIED: 2}),
        (ODDITIES, "default", "break"): (0, {FaultCode.PROVIDER_ERROR: 1}),
    }
    broker.forget(ActorName("somebody-else"))
    assert broker.statistics()
    broker.forget(ActorName("thermostat"))
    assert broker.statistics() == {}


async def test_cancelled_calls_are_counted_as_such() -> None:
    grants = granted(link("odd", ODDITIES))
    broker = Broker(no_actor)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(broker.call(caller(grants), "", ODDITIES, "hang", b"\x80"))
        await asyncio.sleep(0)
        task.cancel()
    (tally,) = broker.statistics().values()
    assert (tally.answered, tally.ended) == (0, {"cancelled": 1})


async def test_calls_of_providers_to_an_actor_count_over_their_link() -> None:
    broker, over = Broker(no_actor), Link(ActorName("thermostat"), ContractId(KEYVALUE), LinkName("changes"))
    ends = iter((b"done", ActorFailed("no"), asyncio.CancelledError()))

    async def served() -> bytes:
        end = next(ends)
        if isinstance(end, bytes):
            return end
        raise end

    assert await broker.count(over, "changed", served()) == b"done"
    for kind in (ActorFailed, asyncio.CancelledError):
        with pytest.raises(kind):
            await broker.count(over, "changed", served())
    ((key, tally),) = broker.statistics().items()
    assert key == ("thermostat", KEYVALUE, "changes", "changed")
    assert (tally.answered, tally.ended) == (1, {FaultCode.ACTOR_ERROR: 1, "cancelled": 1})
    assert tally.took.count == 1


async def test_closing_a_call_that_waits_closes_the_provider() -> None:
    provider = Oddities({})
    grants = Grants.of(actor(link("odd", ODDITIES)), {"odd": provider})
    work = Broker(no_actor).call(caller(grants), "", ODDITIES, "hang", msgpack.encode({"word": "closed"}))
    assert work.send(None) is not None
    work.close()
    assert provider.ended == ["closed"]
