"""The built guests in actors/ are what their sources give: rebuilt with the pinned tools, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.build import RECIPES, build, committed, main


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_rebuilding_a_guest_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    built = tmp_path / f"{name}.wasm"
    build(RECIPES[name], committed(name).parent, built)
    assert built.read_bytes() == committed(name).read_bytes(), f"run `python actors/build.py {name}`"


def test_every_guest_has_a_recipe_and_a_readme() -> None:
    folders = {path.parent.name for path in committed("echo").parents[1].glob("*/*.wasm")}
    assert folders == set(RECIPES)
    assert all((committed(name).parent / "README.md").exists() for name in RECIPES)


def test_the_script_says_which_guests_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["no-such-guest"])
    assert ended.value.code == 2
    assert "echo" in capsys.readouterr().err


def test_check_leaves_the_built_guest_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = committed("echo").stat().st_mtime_ns
    assert main(["echo", "--check"]) == 0
    assert committed("echo").stat().st_mtime_ns == before
    assert "same" in capsys.readouterr().out
