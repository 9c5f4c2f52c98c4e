"""`actorhost check` finds each seeded mistake at its line and key, and nothing in what is right.

Every manifest in ``mistakes/`` has a mistake or some; the comment ``# <- KEY PATH`` stands on each line
where one must be found. Modules are one guest, each with the declaration of its name in
``mistakes/modules/``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actorhost.cli import commands
from actorhost.cli.embed import embedded
from actorhost.contracts.declaration import SECTION
from actorhost.contracts.known import known_contracts
from actorhost.engine.sections import read_module
from actorhost.engine.sections_rewrite import with_custom_section
from actorhost.manifest.declares import load_declaration
from tests.wat import ECHO, guest

ROOT = Path(__file__).resolve().parents[2]
MISTAKES = Path(__file__).parent / "mistakes"
MARK = "# <- "
TYPED = ("need_", "call_", "actor_", "export_", "ingest_", "declaration_", "timeout_", "circle_")
"""What files about the agreement of modules are called; the others could be found without declarations."""
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every module that the manifests name."""
    folder = tmp_path_factory.mktemp("mistakes")
    wasm = guest(ECHO)
    (folder / "plain.wasm").write_bytes(wasm)
    (folder / "large.wasm").write_bytes(guest(ECHO, pages=100))
    twice = b"".join(b"\0" + bytes([len(SECTION) + 3, len(SECTION)]) + SECTION.encode() + b"{}" for _ in "ab")
    (folder / "twice.wasm").write_bytes(wasm + twice)
    (folder / "damaged.wasm").write_bytes(with_custom_section(wasm, read_module(wasm), SECTION, b"{"))
    for declares in (MISTAKES / "modules").glob("*.yaml"):
        # Some were built where contracts had later versions than here.
        known = {} if declares.stem in ("newer", "patched") else known_contracts()
        declaration = load_declaration(declares.read_bytes(), declares.name, known)
        (folder / f"{declares.stem}.wasm").write_bytes(embedded(wasm, declaration))
    return folder


def check(path: Path, capsys: Captured) -> list[dict[str, Any]]:
    commands.run(["check", "--json", str(path)])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return found


@pytest.mark.parametrize("name", sorted(path.name for path in MISTAKES.glob("*.yaml")))
def test_a_seeded_mistake_is_found_where_it_is(name: str, modules: Path, capsys: Captured) -> None:
    path = Path(shutil.copy(MISTAKES / name, modules))
    wanted = [
        (number, line.partition(MARK)[2])
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if MARK in line
    ]
    findings = check(path, capsys)
    assert [(finding["line"], finding["path"]) for finding in findings] == wanted, findings
    assert wanted
    assert all(finding["message"] and finding["hint"] for finding in findings)


def test_thirty_mistakes_and_more_are_seeded_half_of_them_about_types() -> None:
    names = [path.name for path in MISTAKES.glob("*.yaml")]
    assert len(names) >= 30
    assert len([name for name in names if name.startswith(TYPED)]) >= 15


def test_what_looks_like_a_mistake_and_is_none(modules: Path, capsys: Captured) -> None:
    assert check(Path(shutil.copy(MISTAKES / "none" / "agreeing.yaml", modules)), capsys) == []


def test_nothing_is_found_in_the_examples_together(capsys: Captured) -> None:
    paths = sorted(str(path) for path in (ROOT / "manifests").glob("*.yaml"))
    assert commands.run(["check", *paths]) == 0
    assert capsys.readouterr() == (f"{len(paths)} manifests: nothing to correct\n", "")


@pytest.mark.parametrize("path", sorted((ROOT / "manifests").glob("*.yaml")), ids=lambda path: path.name)
def test_nothing_is_found_in_the_examples(path: Path, capsys: Captured) -> None:
    assert check(path, capsys) == []
