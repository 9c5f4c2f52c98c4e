"""``actorhost bench``: measures this machine against baselines in the same run.

Every figure to judge by is a ratio or a bound; the detail beside it says what it was made of.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from actorhost.cli import output
from actorhost.cli.options import finite
from actorhost.errors import InvalidInput
from actorhost.host import loop
from actorhost.telemetry import log

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_FASTEST = 100_000
"""Messages a second that one generator may be asked for; it says how late it was."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Rounds = Annotated[int, typer.Option(min=1, max=1000, help="Rounds of ours and the baseline, in turns.")]


@app.command()
def engine(
    rounds: Rounds = 15,
    messages: Annotated[int, typer.Option(min=1, help="Messages in a round.")] = 5000,
    json: Json = False,
) -> None:
    """Compare a message through the engine with Wasmtime's public Python API.

    message_ratio: time of a plain message, ours / public API. capability_ratio: with one
    capability call.
    """
    from actorhost.bench import engine as bench  # noqa: PLC0415 - as heavy as what it measures

    _show(bench.run(rounds=rounds, messages=messages), json=json)


@app.command()
def echo(
    rounds: Rounds = 21,
    requests: Annotated[int, typer.Option(min=256, help="Requests in a round.")] = 10_240,
    in_flight: Annotated[int, typer.Option(min=1, help="Requests on their way at once.")] = 256,
    open_loop: Annotated[
        str,
        typer.Option(metavar="RATE|half", help="Messages a second in the open loop; half: of capacity."),
    ] = "half",
    open_rounds: Annotated[int, typer.Option(min=1, help="Rounds of the open loop.")] = 5,
    open_seconds: Annotated[float, typer.Option(min=0.1, callback=finite, help="Length of each.")] = 3.0,
    json: Json = False,
) -> None:
    """Compare an actor over NATS with a bare nats-py responder.

    throughput_ratio: requests a second, actor / bare. host_cpu_ratio: processor time for each
    message in the answering process. p50_ratio: median time of one request at a time. open_loop_*:
    percentiles at a fixed rate, from when each message was due to its answer.
    """
    _need("psutil")
    from actorhost.bench import echo as bench  # noqa: PLC0415

    opened = bench.OpenLoop(open_rounds, open_seconds, _rate(open_loop))
    requests = max(requests, in_flight)
    _show(bench.run(rounds=rounds, requests=requests, at_once=in_flight, open_loop=opened), json=json)


@app.command()
def local(
    rounds: Rounds = 9,
    asks: Annotated[int, typer.Option(min=1, help="Asks in a round.")] = 2000,
    json: Json = False,
) -> None:
    """Compare asking an actor in the same host with NATS and with Pykka.

    vs_nats_speedup: median time over NATS / in the host. vs_pykka_ratio: in the host / Pykka.
    """
    _need("psutil", "pykka")
    from actorhost.bench import local as bench  # noqa: PLC0415

    _show(bench.run(rounds=rounds, asks=asks), json=json)


@app.command()
def density(
    instances: Annotated[int, typer.Option(min=1, max=1_000_000, help="Live instances to make.")] = 20_000,
    json: Json = False,
) -> None:
    """Make many live instances in one process.

    answered: instances alive and answering. bytes_per_instance: resident memory of each.
    guard_pages: mappings that catch a stack overflow. limit: what stops it, and at how many.
    """
    _need("psutil")
    if sys.platform != "linux":
        raise InvalidInput("this benchmark counts memory mappings in /proc", hint="run it on Linux")
    from actorhost.bench import density as bench  # noqa: PLC0415

    _show(bench.run(instances=instances), json=json)


@app.command()
def preempt(
    actors: Annotated[int, typer.Option(min=1, max=1000, help="Actors that loop for ever.")] = 50,
    seconds: Annotated[float, typer.Option(min=0.5, callback=finite, help="Length of each phase.")] = 10.0,
    json: Json = False,
) -> None:
    """Ask an actor beside endless ones and a busy thread.

    p99_rise_ms: rise of the answer's 99th percentile. deadline_overrun_ms: latest end of a loop
    after its deadline. loop_block_ms: longest pause of the event loop. idle_cpu_percent: of an idle
    host.
    """
    _need("psutil")
    from actorhost.bench import preempt as bench  # noqa: PLC0415

    _show(bench.run(actors=actors, seconds=seconds), json=json)


@app.command()
def startup(
    starts: Annotated[int, typer.Option(min=1, max=100, help="Hosts to start, one after another.")] = 7,
    json: Json = False,
) -> None:
    """Start hosts with a NATS server, a store and a cache of their own, all new.

    ready_s: from starting the process to its line that it is ready. rss_mb: resident memory of the
    host. cli_s: of `actorhost --help`, from start to end. All medians.
    """
    _need("psutil")
    from actorhost.bench import startup as bench  # noqa: PLC0415

    _show(bench.run(starts=starts), json=json)


@app.command()
def overload(
    seconds: Annotated[float, typer.Option(min=2.0, callback=finite, help="Length of the load.")] = 20.0,
    factor: Annotated[
        float, typer.Option(min=2.0, max=100, callback=finite, help="Load offered, in capacities.")
    ] = 5.0,
    work_us: Annotated[
        float,
        typer.Option(
            min=1, max=100_000, callback=finite, help="Computation in each message, in microseconds."
        ),
    ] = 700.0,
    capacity_seconds: Annotated[
        float, typer.Option(min=0.5, callback=finite, help="Length of measuring capacity, before and after.")
    ] = 4.0,
    json: Json = False,
) -> None:
    """Offer a host several times what it can do.

    goodput_ratio: messages handled, under load / capacity. offered_ratio: load really sent /
    capacity. refusal_p99_ms: from an ask's arrival to its refusal. recovery_s: from the end of the load
    to answers as quick as without. memory_growth_mb: from the middle to the end of the load. sent =
    accepted + refused + expired + dead; unaccounted: the difference; unanswered, answered_twice: asks.
    """
    _need("psutil")
    from actorhost.bench import overload as bench  # noqa: PLC0415

    sizes = bench.Sizes(seconds, factor, work_us, capacity_seconds)
    _show(bench.run(sizes), json=json)


@app.command()
def hosts(
    phase: Annotated[
        float, typer.Option(min=0.5, callback=finite, help="Seconds in each of the phases.")
    ] = 6.0,
    rate: Annotated[
        float, typer.Option(min=1, max=_FASTEST, callback=finite, help="Messages a second.")
    ] = 400.0,
    work_us: Annotated[
        float,
        typer.Option(
            min=1, max=100_000, callback=finite, help="Computation in each message, in microseconds."
        ),
    ] = 700.0,
    json: Json = False,
) -> None:
    """Kill one of two hosts under load, then freeze the other.

    failed_after_3s: calls that failed although sent 3 s or more after the fault. failed_within_3s:
    those before. sent, replied: calls in all. answered_twice: second answers.
    """
    _need("psutil")
    from actorhost.bench import hosts as bench  # noqa: PLC0415

    _show(bench.run(bench.Sizes(rate, work_us, phase)), json=json)


@app.command()
def recovery(
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Times the NATS server is killed.")] = 3,
    away: Annotated[
        float, typer.Option(min=0, max=600, callback=finite, help="Seconds it stays away.")
    ] = 5.0,
    messages: Annotated[int, typer.Option(min=100, help="Messages to the trapping actor.")] = 10_000,
    rate: Annotated[
        float, typer.Option(min=10, max=_FASTEST, callback=finite, help="Of them in a second.")
    ] = 1000.0,
    json: Json = False,
) -> None:
    """Kill the NATS server under calls; send thousands of messages to an actor that traps on each.

    back_s: from the server's answer to a call's success. past_deadline: calls that ended too late.
    restarts: of the trapping actor, and how many its policy allows. neighbour_p99_rise_ms: of an
    actor beside it. memory_growth_mb: from the middle of the storm to its end.
    """
    _need("psutil")
    from actorhost.bench import recovery as bench  # noqa: PLC0415
    from actorhost.bench import storm  # noqa: PLC0415

    _show(bench.run(bench.Sizes(rounds, away, storm.Sizes(messages, rate))), json=json)


@app.command()
def capability(
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Rounds of each kind, in turns.")] = 21,
    gets: Annotated[int, typer.Option(min=1, max=100_000, help="Gets of each kind in a round.")] = 300,
    json: Json = False,
) -> None:
    """Compare a guest's key-value get with the bare provider call and with a NATS round trip.

    inhost_added_us: what guest, broker and codecs add to the bare call, the provider in the host.
    process_ratio: a get whose provider runs in its own process / a NATS round trip (nats-py at both
    ends) and the bare call. own_transport_ratio: the same with our own, leaner transport at both ends.
    """
    from actorhost.bench import capability as bench  # noqa: PLC0415

    _show(bench.run(rounds=rounds, gets=gets), json=json)


@app.command()
def http(
    rounds: Rounds = 9,
    requests: Annotated[int, typer.Option(min=256, max=10_000_000, help="Requests in a round.")] = 8000,
    connections: Annotated[int, typer.Option(min=1, max=200, help="Connections, kept alive.")] = 32,
    json: Json = False,
) -> None:
    """Compare an actor behind the HTTP server with a bare aiohttp handler.

    throughput_ratio: requests a second, actor / bare, neither with an access log. logged_ratio: each with
    its own.
    """
    _need("psutil")
    from actorhost.bench import http as bench  # noqa: PLC0415

    _show(bench.run(rounds=rounds, requests=requests, connections=connections), json=json)


def _rate(text: str) -> float | None:
    """Return messages a second, None for half of what is measured."""
    if text == "half":
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 1 <= rate <= _FASTEST:
        raise InvalidInput(
            f"--open-loop {text!r} is no rate", hint=f"give messages a second, 1 to {_FASTEST}, or half"
        )
    return rate


def _need(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise InvalidInput(
            f"this benchmark needs {' and '.join(missing)}", hint="pip install 'actorhost[bench]'"
        )


def _show(measuring: Coroutine[Any, Any, dict[str, Any]], *, json: bool) -> None:
    # A client that loses its server on purpose has much to say that is no news here.
    log.configure(sys.stderr, level="error")
    figures = loop.run(measuring)
    if json:
        output.json_line(figures)
        return
    for name, value in figures.items():
        if name != "detail":
            output.data(f"{name:<22}{value}")
    output.data("")
    for name, value in figures["detail"].items():
        shown = (
            ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value
        )
        output.data(f"{name:<22}{shown}")
