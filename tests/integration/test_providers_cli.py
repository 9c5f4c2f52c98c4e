"""Providers as operators see and run them: `providers`, `links`, `provider run`, a host that is killed."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from actorhost import clock
from actorhost.cli import commands, failure
from tests.integration.test_cli import ROOT, going_up

COUNTER = ROOT / "actors/counter/counter.wasm"
MANIFEST = """apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: counter}
spec:
  components:
    - name: counter
      type: actor
      properties: {module: %s, contracts: ["actorhost:keyvalue"]}
      traits:
        - {type: link, properties: {target: store, contract: "actorhost:keyvalue"}}
    - name: store
      type: provider
      properties: {provider: keyvalue-sqlite, contract: "actorhost:keyvalue", %s}
"""


def manifest(folder: Path, place: str, config: str = "") -> Path:
    path = folder / f"{place}.yaml"
    more = f", config: {config}" if config else ""
    path.write_text(MANIFEST % (json.dumps(str(COUNTER)), f"place: {place}{more}"))
    return path


def gone(pid: int) -> bool:
    end = clock.monotonic() + 2.0
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if clock.monotonic() > end:
            return False
        clock.sleep(0.02)
    return True


def test_a_provider_in_its_own_process_is_seen_and_ends_with_its_host(tmp_path: Path) -> None:
    path = manifest(tmp_path, "process", f"{{path: {tmp_path / 'store.db'}}}")
    with going_up(tmp_path / "up", str(path)) as up:
        assert up.run("call", "counter", "Increment").returncode == 0
        (host,) = up.json("providers")["hosts"]
        (store,) = host["providers"]
        facts = {name: store[name] for name in ("name", "provider", "place", "state", "restarts", "links")}
        assert facts == {
            "name": "store", "provider": "keyvalue-sqlite", "place": "process", "state": "running",
            "restarts": 0, "links": 1,
        }  # fmt: skip
        process = psutil.Process(store["pid"])
        assert process.ppid() == up.process.pid
        assert "store.db" not in " ".join(process.cmdline())
        (link,) = up.json("links")["hosts"][0]["links"]
        assert (link["actor"], link["target"], link["place"]) == ("counter", "store", "process")
        assert (link["calls"], link["failed"]) == (1, {})
        assert 0 < link["p50_ms"] <= link["p99_ms"]
        columns, row = up.run("providers").stdout.splitlines()
        assert columns.split()[:3] == ["PROVIDER", "APPLICATION", "HOST"]
        assert row.split()[0] == "store"
        assert row.split()[-5:] == ["process", str(store["pid"]), "running", "0", "1"]
        # The worst case: the host is killed while the provider stands still.
        process.suspend()
        up.process.kill()
        assert gone(process.pid)


@pytest.mark.parametrize(
    ("text", "said"),
    [("path: [", "line 2 is not YAML"), ("- a", "holds no configuration"), ("pth: x", "pth")],
)
def test_a_wrong_configuration_is_wrong_input(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "store.yaml"
    path.write_text(f"{text}\n")
    command = ["provider", "run", "store", "--provider", "keyvalue-sqlite", "--config", str(path)]
    assert commands.run(command) == failure.WRONG_INPUT
    assert said in capsys.readouterr().err


def test_a_wrong_name_is_a_providers(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["provider", "run", "a b", "--provider", "keyvalue-memory"]
    assert commands.run(command) == failure.WRONG_INPUT
    assert "'a b' is not a provider name" in capsys.readouterr().err


def test_configuration_of_a_provider_started_elsewhere_is_not_in_the_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["check", str(manifest(tmp_path, "lattice", "{path: x}"))]) == failure.WRONG_INPUT
    assert "started elsewhere" in "".join(capsys.readouterr())
