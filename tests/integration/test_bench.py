"""Every benchmark runs, prints one JSON object, and has the figures its help promises."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.alone

RUNS = {
    "engine --rounds 2 --messages 200": {"message_ratio", "capability_ratio"},
    "echo --rounds 1 --requests 512 --open-loop 500 --open-rounds 1 --open-seconds 0.5": {
        "throughput_ratio",
        "host_cpu_ratio",
        "p50_ratio",
        "open_loop_rate",
        "open_loop_p50_ms",
        "open_loop_p99_ms",
        "open_loop_p999_ms",
    },
    "http --rounds 1 --requests 256 --connections 8": {"throughput_ratio", "logged_ratio"},
    "local --rounds 1 --asks 50": {"vs_nats_speedup", "vs_pykka_ratio"},
    "capability --rounds 1 --gets 20": {"inhost_added_us", "process_ratio", "own_transport_ratio"},
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
    figures = figures_of(arguments)
    assert set(figures) == RUNS[arguments] | {"detail"}
    if "answered" in figures:
        assert figures["answered"] == 50
        assert figures["guard_pages"] >= 50
        assert 1000 < figures["bytes_per_instance"] < 100_000


def figures_of(arguments: str) -> dict[str, Any]:
    """Return what a benchmark prints; fail with its words when it fails."""
    command = [sys.executable, "-m", "actorhost", "bench", *arguments.split(), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_start_is_timed_and_weighed() -> None:
    figures = figures_of("startup --starts 1")
    assert set(figures) == {"ready_s", "rss_mb", "cli_s", "detail"}
    assert 0 < figures["cli_s"] < figures["ready_s"] < 60
    assert 20 < figures["rss_mb"] < 500


def test_every_message_of_an_overload_is_accounted_for() -> None:
    figures = figures_of("overload --seconds 4 --capacity-seconds 0.5 --work-us 1000")
    assert figures["sent"] > 1000
    parts = {name: figures[name] for name in ("accepted", "refused", "expired", "dead")}
    assert min(parts.values()) > 0, parts
    assert sum(parts.values()) == figures["sent"]
    assert (figures["unaccounted"], figures["unanswered"], figures["answered_twice"]) == (0, 0, 0)
    detail = figures["detail"]
    assert detail["handled"] == figures["accepted"]
    assert detail["dead_letters_stored"] == figures["dead"]
    seen = detail["seen_by_the_generator"]
    assert seen["timeout"] == figures["expired"]
    assert seen["overloaded"] <= figures["refused"]
    assert {"goodput_ratio", "offered_ratio", "refusal_p99_ms", "recovery_s", "memory_growth_mb"} < set(
        figures
    )


def test_every_call_to_two_hosts_is_counted_once() -> None:
    figures = figures_of("hosts --phase 2 --rate 100")
    assert figures["replied"] + figures["failed_within_3s"] + figures["failed_after_3s"] == figures["sent"]
    assert figures["answered_twice"] == 0
    shares = figures["detail"]["shares"]
    assert set(shares["both"]) == {"first", "second"}
    assert shares["first killed"].get("second", 0) > 0.5
    assert all(abs(sum(hosts.values()) - 1) < 0.01 for hosts in shares.values() if hosts)


@pytest.mark.soak
def test_no_call_is_late_and_every_message_of_a_storm_is_answered() -> None:
    figures = figures_of("recovery --rounds 1 --away 0.5 --messages 2000")
    assert figures["past_deadline"] == 0
    assert 0 < figures["back_s"] < 30
    assert figures["storm_sent"] == 2000 == figures["storm_trapped"] + figures["storm_refused"]
    assert figures["restarts"] == figures["restarts_allowed"] == figures["storm_trapped"] - 1
    assert (figures["storm_unanswered"], figures["neighbour_failed"]) == (0, 0)
    assert {"neighbour_p99_rise_ms", "memory_growth_mb"} < set(figures)


def test_figures_are_for_people_too() -> None:
    command = [sys.executable, "-m", "actorhost", "bench", "density", "--instances", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("answered              3\n")
