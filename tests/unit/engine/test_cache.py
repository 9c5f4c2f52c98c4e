"""The disk cache gives back only what this user wrote, unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from actorhost.engine import Profile
from actorhost.engine.cache import ModuleCache, default_directory
from actorhost.ids import Digest

DIGEST = Digest.of(b"module")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def _only_file(directory: Path) -> Path:
    (found,) = directory.iterdir()
    return found


def test_what_was_stored_is_loaded(directory: Path) -> None:
    ModuleCache(directory).store(DIGEST, Profile.DENSE, b"compiled")
    assert ModuleCache(directory).load(DIGEST, Profile.DENSE) == b"compiled"
    assert ModuleCache(directory).load(DIGEST, Profile.ROOMY) is None
    assert directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("position", [0, 25, -1])
def test_a_changed_file_is_ignored(directory: Path, position: int) -> None:
    cache = ModuleCache(directory)
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    data = bytearray(_only_file(directory).read_bytes())
    data[position] ^= 1
    _only_file(directory).write_bytes(data)
    assert cache.load(DIGEST, Profile.DENSE) is None


def test_a_truncated_file_is_ignored_and_replaced(directory: Path) -> None:
    cache = ModuleCache(directory)
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    _only_file(directory).write_bytes(b"")
    assert cache.load(DIGEST, Profile.DENSE) is None
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    assert cache.load(DIGEST, Profile.DENSE) == b"compiled"


def test_a_file_others_could_have_written_is_ignored(directory: Path) -> None:
    cache = ModuleCache(directory)
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    _only_file(directory).chmod(0o666)
    assert cache.load(DIGEST, Profile.DENSE) is None


def test_a_link_is_not_followed(directory: Path, tmp_path: Path) -> None:
    cache = ModuleCache(directory)
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    file = _only_file(directory)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert cache.load(DIGEST, Profile.DENSE) is None


def test_a_directory_open_to_others_keeps_nothing(directory: Path) -> None:
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    ModuleCache(directory).store(DIGEST, Profile.DENSE, b"compiled")
    assert list(directory.iterdir()) == []


def test_a_place_that_is_no_directory_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = ModuleCache(tmp_path / "file")
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    assert cache.load(DIGEST, Profile.DENSE) is None


def test_no_directory_keeps_nothing() -> None:
    cache = ModuleCache(None)
    cache.store(DIGEST, Profile.DENSE, b"compiled")
    assert cache.load(DIGEST, Profile.DENSE) is None


def test_the_default_follows_the_environment() -> None:
    assert default_directory({"XDG_CACHE_HOME": "/x"}) == Path("/x/actorhost/modules")
    assert default_directory({"HOME": "/h"}) == Path("/h/.cache/actorhost/modules")
