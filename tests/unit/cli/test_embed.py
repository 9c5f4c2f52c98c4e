"""`embed` puts a declaration into a module, `inspect` shows it; what is wrong leaves the file alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actorhost.cli import commands
from actorhost.contracts.declaration import SECTION
from actorhost.engine.sections import read_module
from actorhost.engine.sections_rewrite import with_custom_section
from tests.wat import ECHO, guest

Captured = pytest.CaptureFixture[str]
DECLARES = """
needs:
  actorhost:keyvalue: {version: 0.1.0, links: [default], optional: true}
serves:
  Do: {params: {key: option<string>}, result: s64}
  Ping: {}
calls:
  alarm: {Raise: {}}
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("declares.yaml").write_text(DECLARES)
    path = Path("guest.wasm")
    path.write_bytes(guest(ECHO))
    path.chmod(0o755)
    return path


def test_a_declaration_is_shown_by_inspect(module: Path, capsys: Captured) -> None:
    assert commands.run(["embed", "guest.wasm", "--declares", "declares.yaml"]) == 0
    assert capsys.readouterr() == ("", "guest.wasm declares 1 need, 2 operations, 1 call\n")
    assert module.stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in Path().iterdir()) == ["declares.yaml", "guest.wasm"]
    assert commands.run(["inspect", "guest.wasm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["declares"] == {
        "needs": ["actorhost:keyvalue 0.1.0 over default (optional)"],
        "serves": ["Do({key: option<string>}) -> s64", "Ping({}) -> nothing"],
        "provides": [],
        "calls": ["alarm.Raise({}) -> any"],
    }
    assert commands.run(["inspect", "guest.wasm"]) == 0
    assert "\nserves          Do({key: option<string>}) -> s64\n                Ping({}) -> nothing\n" in (
        capsys.readouterr().out
    )


def test_embedding_again_replaces_and_the_rest_stays(module: Path) -> None:
    before = with_custom_section(guest(ECHO), read_module(guest(ECHO)), "producers", b"\x00")
    module.write_bytes(before)
    for _ in range(2):
        assert commands.run(["embed", "guest.wasm", "--declares", "declares.yaml", "-o", "new.wasm"]) == 0
        Path("new.wasm").replace(module)
    after = module.read_bytes()
    assert after.startswith(before)
    assert [custom.name for custom in read_module(after).customs][-2:] == ["producers", SECTION]


@pytest.mark.parametrize(
    ("module_text", "declares", "said"),
    [
        (b"text", DECLARES, "not a WebAssembly module"),
        (b"", "serves: {Do: 5}", "declares.yaml:1:14: serves.Do: "),
        (b"", f"serves: {{Do: {{params: [{'long, ' * 15000}]}}}}", "over the limit"),
    ],
)  # fmt: skip
def test_what_is_wrong_changes_nothing(
    module: Path, module_text: bytes, declares: str, said: str, capsys: Captured
) -> None:
    before = module_text or module.read_bytes()
    module.write_bytes(before)
    Path("declares.yaml").write_text(declares)
    assert commands.run(["embed", "guest.wasm", "--declares", "declares.yaml"]) == 2
    assert said in capsys.readouterr().err
    assert module.read_bytes() == before


def test_a_place_that_takes_no_module(module: Path, capsys: Captured) -> None:
    for out, said in (
        ("guest.wat", "give a .wasm file with --out"),
        ("no/where.wasm", "cannot write no/where"),
        *((folder, "Is a directory") for folder in (".", "..", "/", "", str(module.parent))),
    ):
        assert commands.run(["embed", "guest.wasm", "--declares", "declares.yaml", "-o", out]) == 2
        assert said in capsys.readouterr().err


def test_a_damaged_declaration_is_shown_as_such(module: Path, capsys: Captured) -> None:
    wasm = module.read_bytes()
    module.write_bytes(with_custom_section(wasm, read_module(wasm), SECTION, b"\xff"))
    assert commands.run(["inspect", "guest.wasm", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["declares"]) == ["unreadable"]
    assert commands.run(["inspect", "guest.wasm"]) == 0
    assert "unreadable      its section 'actorhost' is no declaration" in capsys.readouterr().out
