"""Sandboxes are refused while there is still room for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from actorhost.engine import Profile, headroom
from actorhost.engine.headroom import Headroom
from actorhost.errors import Unavailable


@pytest.fixture
def bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "max_map_count"
    monkeypatch.setattr(headroom, "_BOUND", file)
    return file


def test_sandboxes_are_refused_at_the_bound_and_taken_again_below_it(bound: Path) -> None:
    bound.write_text(f"{headroom._RESERVE + 9}\n")
    room = Headroom()
    for _ in range(3):
        room.take(Profile.DENSE)
    with pytest.raises(Unavailable, match="bounds this process"):
        room.take(Profile.DENSE)
    room.give_back(Profile.DENSE)
    room.take(Profile.DENSE)


def test_a_system_without_a_bound_refuses_nothing(bound: Path) -> None:
    room = Headroom()
    for _ in range(100_000):
        room.take(Profile.ROOMY)
