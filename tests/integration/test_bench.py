"""Every benchmark runs, prints one JSON object, and has the figures its help promises."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RUNS = {
    "engine --rounds 2 --messages 200": {"message_ratio", "capability_ratio"},
    "echo --rounds 1 --requests 512": {"throughput_ratio", "host_cpu_ratio", "p50_ratio"},
    "local --rounds 1 --asks 50": {"vs_nats_speedup", "vs_pykka_ratio"},
    "density --instances 50": {"answered", "bytes_per_instance", "guard_pages", "limit"},
    "preempt --actors 3 --seconds 1": {
        "p99_rise_ms",
        "deadline_overrun_ms",
        "loop_block_ms",
        "idle_cpu_percent",
    },
}


@pytest.mark.parametrize("arguments", RUNS)
def test_a_benchmark_prints_its_figures(arguments: str) -> None:
    command = [sys.executable, "-m", "actorhost", "bench", *arguments.split()]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) == RUNS[arguments] | {"detail"}
    if "answered" in figures:
        assert figures["answered"] == 50
        assert figures["guard_pages"] >= 50
        assert 1000 < figures["bytes_per_instance"] < 100_000


def test_figures_are_for_people_too() -> None:
    command = [sys.executable, "-m", "actorhost", "bench", "density", "--instances", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("answered              3\n")
