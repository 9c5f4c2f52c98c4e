"""What the capability tests are made of: an actor with links, and providers that misbehave."""

# ruff: noqa: ARG002 - the oddities are made to be odd, not to need what they are given

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import ClassVar

from msgspec import msgpack

from actorhost.capability import Broker, Caller, Grants
from actorhost.clock import monotonic
from actorhost.contracts.base import Contract, Effect, Operation, Params
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import Overloaded
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.manifest.model import ActorSpec, LinkSpec

KEYVALUE = "actorhost:keyvalue"
ODDITIES = "tests:oddities"


class Word(Params, frozen=True):
    """The one parameter of every oddity."""

    word: str = ""


class Oddities(Provider):
    """Answers in every way a provider may or should not."""

    contract: ClassVar[Contract] = Contract.of(
        ODDITIES,
        "1",
        *(
            Operation(name, effect, idempotent=False, params=Word, result=str)
            for name, effect in (
                ("echo", Effect.READ), ("wait", Effect.WRITE), ("hang", Effect.WRITE),
                ("hang-read", Effect.READ),
                ("hang-deaf", Effect.WRITE), ("break", Effect.WRITE), ("refuse", Effect.WRITE),
                ("wrong", Effect.WRITE), ("flood", Effect.WRITE), ("own-timeout", Effect.WRITE),
                ("surrogate", Effect.WRITE), ("exit", Effect.WRITE),
            )
        ),
    )  # fmt: skip

    def __init__(self, config: Mapping[str, object]) -> None:
        super().__init__(config)
        self.links: list[Link] = []
        self.ended: list[str] = []

    async def echo(self, link: Link, params: Word) -> str:
        self.links.append(link)
        return params.word

    async def wait(self, link: Link, params: Word) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
        return params.word

    async def hang(self, link: Link, params: Word) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append(params.word)
        return "never"

    hang_read = hang

    async def hang_deaf(self, link: Link, params: Word) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise ConnectionError("interrupted") from error
        return "never"

    async def break_(self, link: Link, params: Word) -> str:
        password = self.config.get("password")
        raise KeyError(f"cannot log in with {password!r} at {link.config.get('url')}")

    async def refuse(self, link: Link, params: Word) -> str:
        await asyncio.sleep(0)
        raise Overloaded("too many oddities", hint="later")

    async def wrong(self, link: Link, params: Word) -> str:
        return 5  # type: ignore[return-value]

    async def flood(self, link: Link, params: Word) -> str:
        return "x" * 5000

    async def own_timeout(self, link: Link, params: Word) -> str:
        async with asyncio.timeout(0):
            await asyncio.sleep(5)
        return "never"

    async def exit(self, link: Link, params: Word) -> str:
        await asyncio.sleep(0)
        sys.exit(params.word)

    async def surrogate(self, link: Link, params: Word) -> str:
        return "\ud800"


setattr(Oddities, "break", Oddities.break_)


def actor(*links: LinkSpec, contracts: tuple[str, ...] = (KEYVALUE, ODDITIES)) -> ActorSpec:
    """Return an actor with `links`."""
    declared = tuple(ContractId.parse(each) for each in contracts)
    return ActorSpec(name=ActorName("thermostat"), module="x.wasm", contracts=declared, links=links)


def link(target: str, namespace: str, name: str = "default", /, **config: object) -> LinkSpec:
    """Return a link to a provider."""
    return LinkSpec(target=ActorName(target), namespace=namespace, name=LinkName(name), config=config)


def caller(grants: Grants, *, seconds: float = 5.0, max_message: int = 4096) -> Caller:
    """Return the actor as a caller with that much time left."""
    return Caller(ActorName("thermostat"), grants, monotonic() + seconds, ("front",), max_message)


async def no_actor(caller: Caller, target: ActorName, operation: str, payload: bytes) -> bytes:
    """Stand where no actor is to be called."""
    raise AssertionError(f"{caller.actor} called {target} {operation} {payload!r}")


async def odd(
    operation: str, word: str = "", *, seconds: float = 5.0, provider: Oddities | None = None
) -> str:
    """Call one operation of :class:`Oddities` through a broker and return its answer."""
    grants = Grants.of(actor(link("odd", ODDITIES)), {"odd": provider or Oddities({})})
    payload = msgpack.encode({"word": word})
    reply = await Broker(no_actor).call(caller(grants, seconds=seconds), "", ODDITIES, operation, payload)
    return msgpack.decode(reply, type=str)
