"""Requests that wait end exactly once, however their end comes about."""

from __future__ import annotations

import asyncio

import pytest

from actorhost.errors import CallTimeout, Closed, NoRoute, TooLarge
from actorhost.transport.waiting import WaitingRequests
from tests.transports import ended, started


class Sent:
    """Stands for the wire: remembers the reply subjects."""

    def __init__(self) -> None:
        self.replies: list[str] = []

    async def __call__(self, reply: str) -> None:
        self.replies.append(reply)


@pytest.fixture
def requests() -> WaitingRequests:
    return WaitingRequests()


def token(requests: WaitingRequests, reply: str) -> str:
    assert reply.startswith(requests.inbox)
    return reply.removeprefix(requests.inbox)


async def test_each_gets_its_own_answer_whatever_the_order(requests: WaitingRequests) -> None:
    sent = Sent()
    asked = [started(requests.ask(sent, 5, "it")) for _ in range(3)]
    await asyncio.sleep(0)
    for number, reply in reversed(list(enumerate(sent.replies))):
        requests.answer(token(requests, reply), b"%d" % number)
    assert await asyncio.gather(*asked) == [b"0", b"1", b"2"]
    assert len(requests) == 0


async def test_an_answer_may_come_while_the_request_is_being_sent(requests: WaitingRequests) -> None:
    async def send(reply: str) -> None:
        requests.answer(token(requests, reply), b"quick")

    assert await requests.ask(send, 5, "it") == b"quick"


async def test_what_comes_after_the_end_is_dropped(requests: WaitingRequests) -> None:
    sent = Sent()
    asked = started(requests.ask(sent, 5, "it"))
    await asyncio.sleep(0)
    name = token(requests, sent.replies[0])
    requests.answer(name, b"first")
    requests.answer(name, b"second")
    requests.refuse(name)
    requests.fail_all(lambda: Closed("too late"))
    assert await asked == b"first"
    requests.answer(name, b"third")
    requests.answer("never asked", b"")


async def test_a_refusal_is_no_route(requests: WaitingRequests) -> None:
    sent = Sent()
    asked = started(requests.ask(sent, 5, "it"))
    await asyncio.sleep(0)
    requests.refuse(token(requests, sent.replies[0]))
    assert isinstance(await ended(asked), NoRoute)


async def test_all_that_wait_fail_each_with_an_error_of_its_own(requests: WaitingRequests) -> None:
    asked = [started(requests.ask(Sent(), 5, "it")) for _ in range(3)]
    await asyncio.sleep(0)
    requests.fail_all(lambda: Closed("gone"))
    errors = [await ended(one) for one in asked]
    assert [type(error) for error in errors] == [Closed] * 3
    assert len({id(error) for error in errors}) == 3


@pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.01])
async def test_time_runs_out(requests: WaitingRequests, timeout: float) -> None:
    with pytest.raises(CallTimeout, match="lamp did not answer within"):
        await requests.ask(Sent(), timeout, "lamp")
    assert len(requests) == 0


async def test_what_could_not_be_sent_does_not_wait(requests: WaitingRequests) -> None:
    async def send(_reply: str) -> None:
        requests.fail_all(lambda: Closed("lost"))
        raise ValueError("not sent")

    with pytest.raises(ValueError, match="not sent"):
        await requests.ask(send, 5, "it")
    assert len(requests) == 0


async def test_many_end_each_in_its_own_way(requests: WaitingRequests) -> None:
    replies: list[str] = []

    async def send(index: int, reply: str) -> None:
        if index == 2:
            raise TooLarge("so big")
        replies.append(token(requests, reply))

    asked = started(requests.ask_all(send, ["a", "b", "c", "d"], 0.05))
    await asyncio.sleep(0)
    requests.refuse(replies[1])
    requests.answer(replies[0], b"first")
    requests.answer(replies[0], b"again")
    first, *errors = await asked
    assert first == b"first"
    assert [type(error) for error in errors] == [NoRoute, TooLarge, CallTimeout]
    assert "d did not answer" in str(errors[2])
    assert len(requests) == 0
    requests.answer(replies[2], b"too late")


async def test_many_end_as_soon_as_all_have_and_none_at_once(requests: WaitingRequests) -> None:
    async def send(_index: int, reply: str) -> None:
        requests.answer(token(requests, reply), b"quick")

    async with asyncio.timeout(1):
        assert await requests.ask_all(send, ["a", "b"], 60) == [b"quick"] * 2
        assert await requests.ask_all(send, [], 60) == []


async def test_many_that_are_cancelled_wait_no_more(requests: WaitingRequests) -> None:
    async def send(_index: int, _reply: str) -> None:
        pass

    asked = started(requests.ask_all(send, ["a", "b"], 60))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert len(requests) == 0


def test_inboxes_cannot_be_guessed() -> None:
    inboxes = {WaitingRequests().inbox for _ in range(100)}
    assert len(inboxes) == 100
    assert all(len(inbox) == len("_INBOX..") + 32 for inbox in inboxes)
