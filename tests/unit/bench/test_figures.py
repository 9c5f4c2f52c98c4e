"""The figures of benchmarks: turns, ratios, percentiles, processor time, and what they ask for."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from actorhost import clock
from actorhost.bench.figures import Rounds, in_turns, percentile, spread
from actorhost.cli import commands


async def test_ours_and_the_baseline_take_turns_and_the_first_round_does_not_count() -> None:
    order = list[str]()

    async def ours() -> float:
        order.append("ours")
        return 10.0 * len(order)

    async def baseline() -> float:
        order.append("baseline")
        return 1.0 * len(order)

    rounds = await in_turns(2, ours, baseline)
    assert order == ["ours", "baseline", "baseline", "ours", "baseline", "ours"]
    assert (rounds.ours, rounds.baseline) == ([40.0, 60.0], [3.0, 5.0])


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    rounds = Rounds([1.0, 30.0, 4.0], [2.0, 10.0, 4.0])
    assert rounds.ratio == 1.0
    assert rounds.detail() == {
        "ours": 4.0,
        "baseline": 4.0,
        "ratio_min": 0.5,
        "ratio_max": 3.0,
        "rounds": 3,
    }


def test_a_percentile_is_one_of_the_values() -> None:
    values = list(range(100, 0, -1))
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (51, 100, 7.0)


def test_a_spread_says_what_was_never_reached() -> None:
    assert spread([3.0, 1.0, math.inf]) == {"median": 3.0, "p99": None, "min": 1.0, "max": None, "count": 3}


def test_processor_time_counts_threads_that_have_ended() -> None:
    program = """if True:
        import sys, threading, time
        def work():
            while time.thread_time() < 0.1: pass
        thread = threading.Thread(target=work); thread.start(); thread.join()
        print(flush=True); sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert clock.cpu_seconds(child.pid) >= 0.1
        child.kill()


@pytest.mark.parametrize("module", ["psutil", "pykka"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert commands.run(["bench", "local"]) == 2
    text = capsys.readouterr().err
    assert f"this benchmark needs {module}" in text
    assert "hint: pip install 'actorhost[bench]'" in text
