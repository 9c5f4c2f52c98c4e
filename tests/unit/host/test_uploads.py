"""Uploads take modules in parts, check them, bound what they hold, and forget."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from actorhost.errors import BadRequest, Overloaded, TooLarge
from actorhost.host.control_messages import ModuleChunk, ModuleOffer, ModuleProgress
from actorhost.host.uploads import Uploads

MODULE = bytes(range(100))


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


DIGEST = digest_of(MODULE)


@pytest.fixture
async def uploads() -> AsyncIterator[Uploads]:
    made = Uploads(max_module=100)
    yield made
    made.close()
    assert made.held_bytes == 0


async def test_a_module_arrives_in_parts(uploads: Uploads) -> None:
    assert uploads.offer(ModuleOffer(DIGEST, 100)) == ModuleProgress(0, complete=False)
    assert uploads.add(ModuleChunk(DIGEST, 0, MODULE[:60])) == ModuleProgress(60, complete=False)
    with pytest.raises(BadRequest, match="does not have module"):
        uploads.take(DIGEST)
    assert uploads.add(ModuleChunk(DIGEST, 60, MODULE[60:])) == ModuleProgress(100, complete=True)
    assert uploads.take(DIGEST) == MODULE


async def test_an_interrupted_upload_goes_on_where_it_was(uploads: Uploads) -> None:
    uploads.offer(ModuleOffer(DIGEST, 100))
    uploads.add(ModuleChunk(DIGEST, 0, MODULE[:60]))
    assert uploads.offer(ModuleOffer(DIGEST, 100)) == ModuleProgress(60, complete=False)


@pytest.mark.parametrize("offset", [0, 30, 61, 99])
async def test_a_part_that_does_not_continue_changes_nothing(uploads: Uploads, offset: int) -> None:
    uploads.offer(ModuleOffer(DIGEST, 100))
    uploads.add(ModuleChunk(DIGEST, 0, MODULE[:60]))
    assert uploads.add(ModuleChunk(DIGEST, offset, b"xx")) == ModuleProgress(60, complete=False)
    assert uploads.add(ModuleChunk(DIGEST, 60, MODULE[60:])).complete


async def test_other_content_than_the_digest_says_is_refused(uploads: Uploads) -> None:
    uploads.offer(ModuleOffer(DIGEST, 100))
    with pytest.raises(BadRequest, match="has digest"):
        uploads.add(ModuleChunk(DIGEST, 0, bytes(100)))
    assert uploads.held_bytes == 0
    with pytest.raises(BadRequest, match="does not have module"):
        uploads.take(DIGEST)


async def test_more_than_was_offered_is_refused(uploads: Uploads) -> None:
    uploads.offer(ModuleOffer(DIGEST, 99))
    with pytest.raises(BadRequest, match="longer than the 99 bytes"):
        uploads.add(ModuleChunk(DIGEST, 0, MODULE))
    with pytest.raises(BadRequest, match="was not offered"):
        uploads.add(ModuleChunk(DIGEST, 0, MODULE))


async def test_another_size_of_the_same_digest_is_refused(uploads: Uploads) -> None:
    uploads.offer(ModuleOffer(DIGEST, 100))
    with pytest.raises(BadRequest, match="offered with 100 bytes before"):
        uploads.offer(ModuleOffer(DIGEST, 99))


async def test_a_module_over_the_limit_is_refused_before_it_travels(uploads: Uploads) -> None:
    with pytest.raises(TooLarge, match="over the host's limit of 100"):
        uploads.offer(ModuleOffer(DIGEST, 101))


async def test_what_is_held_is_bounded(uploads: Uploads) -> None:
    for number in range(4):
        content = bytes([number]) * 100
        uploads.offer(ModuleOffer(digest_of(content), 100))
        assert uploads.add(ModuleChunk(digest_of(content), 0, content)).complete
    uploads.offer(ModuleOffer(DIGEST, 100))
    with pytest.raises(Overloaded, match="holds 5 uploads of together 400 bytes"):
        uploads.add(ModuleChunk(DIGEST, 0, MODULE))


async def test_the_number_of_offers_is_bounded(uploads: Uploads) -> None:
    for number in range(1000):
        uploads.offer(ModuleOffer(digest_of(bytes(number)), 1))
    with pytest.raises(Overloaded, match="holds 1000 uploads"):
        uploads.offer(ModuleOffer(DIGEST, 100))


async def test_what_nobody_touches_is_forgotten() -> None:
    uploads = Uploads(max_module=100, keep=0.05)
    uploads.offer(ModuleOffer(DIGEST, 100))
    for offset in range(0, 100, 10):
        await asyncio.sleep(0.01)
        uploads.add(ModuleChunk(DIGEST, offset, MODULE[offset : offset + 10]))
    assert uploads.take(DIGEST) == MODULE
    await asyncio.sleep(0.15)
    assert uploads.held_bytes == 0
    with pytest.raises(BadRequest, match="does not have module"):
        uploads.take(DIGEST)
