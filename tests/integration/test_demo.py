"""The demo: what the actors found in a year of readings is what the data says."""

from __future__ import annotations

import csv
import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

DATA = Path(__file__).resolve().parents[2] / "actorhost" / "demo" / "data"
FILES = {"Seattle": "seattle-temps.csv", "San Francisco": "sf-temps.csv"}
COMMAND = (sys.executable, "-m", "actorhost", "demo", "--seconds", "0")


def _celsius(city: str) -> list[float]:
    """Return a city's year, read without any code of the demo."""
    with (DATA / FILES[city]).open(newline="") as file:
        return [(float(row["temp"]) - 32) * 5 / 9 for row in csv.DictReader(file)]


def _run(*options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, *options, "--json"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_summary_is_what_the_data_says() -> None:
    summary = _run("--sensors", "11")
    assert summary["readings"] == sum(len(_celsius(city)) for city in FILES)
    assert summary["faults"] == {}
    alarms = 0
    for city in summary["cities"]:
        year = _celsius(city["name"])
        assert city["readings"] == len(year)
        assert city["mean"] == pytest.approx(statistics.fmean(year), rel=1e-9)
        assert city["minimum"] == pytest.approx(min(year))
        assert city["maximum"] == pytest.approx(max(year))
        assert city["deviation"] == pytest.approx(statistics.stdev(year), rel=1e-6)
        assert city["alarms"] == sum(value > 20 or value < 5 for value in year)
        alarms += city["alarms"]
    assert summary["alarms_raised"] == alarms > 0
    assert sum(city["sensors"] for city in summary["cities"]) == 11


def test_plain_output_is_for_people_and_keep_leaves_it_running_until_interrupted() -> None:
    demo = subprocess.Popen(
        [*COMMAND, "--sensors", "2", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert demo.stderr is not None
        lines = iter(demo.stderr.readline, "")
        url = next(line for line in lines if "ACTORHOST_NATS=" in line).split("=")[1].strip()
        next(line for line in lines if "logs alarm" in line)
        children = psutil.Process(demo.pid).children(recursive=True)
        environment = {**os.environ, "ACTORHOST_NATS": url}
        call = (sys.executable, "-m", "actorhost", "call", "thermostat", "Statistics", '{"sensor": "sf-000"}')
        answer = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=30, check=True)
        assert json.loads(answer.stdout)["count"] == 8759
        demo.send_signal(signal.SIGINT)
        output, errors = demo.communicate(timeout=30)
        assert demo.returncode == 0
        assert "San Francisco  1        8759" in output
        assert "faults: none" in output
        assert "\x1b" not in output + errors
        assert not any(child.is_running() for child in children)
    finally:
        demo.kill()
        demo.communicate(timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_demo_that_was_ended_has_not_succeeded_and_leaves_nothing(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "actorhost", "demo", "--seconds", "60"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as demo:  # fmt: skip
        assert demo.stderr is not None
        while "readings of" not in demo.stderr.readline():
            assert demo.poll() is None
        children = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(number)
        output, errors = demo.communicate(timeout=30)
    assert (demo.returncode, output) == (-9 if number == signal.SIGKILL else 128 + number, "")
    assert "Traceback" not in errors
    assert len(children) >= 3
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() for child in children)
