"""The table of commands: finds the module of one, parses its arguments and runs it."""

from __future__ import annotations

import io
from difflib import get_close_matches
from importlib import import_module
from itertools import takewhile
from typing import Any, Final

from actorhost.cli import failure, interrupt, output
from actorhost.errors import InvalidInput

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("actorhost.cli.up:up", "Start a host, with a NATS server of its own unless told otherwise."),
    "deploy": ("actorhost.cli.deploy:deploy", "Deploy a manifest to the hosts of a lattice."),
    "undeploy": ("actorhost.cli.undeploy:undeploy", "Stop an application on the hosts of a lattice."),
    "check": ("actorhost.cli.check:check", "Check manifests and their modules without starting anything."),
    "ps": ("actorhost.cli.ps:ps", "Show the actors that are running."),
    "call": ("actorhost.cli.call:call", "Send a message to an actor and print its reply."),
    "tell": ("actorhost.cli.call:tell", "Send a message to an actor without waiting for a reply."),
    "logs": ("actorhost.cli.logs:logs", "Show the last lines an actor has logged, or follow them."),
    "trace": ("actorhost.cli.trace:trace", "Show each message an actor handles, as it happens."),
    "events": ("actorhost.cli.events:events", "Follow what happens: actors that fail, hosts that stop."),
    "hosts": ("actorhost.cli.hosts:hosts", "Show the hosts of a lattice."),
    "providers": (
        "actorhost.cli.providers:providers",
        "Show the providers, where they run and how they fare.",
    ),
    "links": ("actorhost.cli.links:links", "Show who is linked to what, and how the calls fare."),
    "provider": ("actorhost.cli.provider:app", "Run a provider in a process of its own."),
    "dead": ("actorhost.cli.dead:app", "List, show, send again or drop messages that were given up."),
    "inspect": ("actorhost.cli.inspect:inspect", "Show what a module declares, and whether it can run here."),
    "embed": ("actorhost.cli.embed:embed", "Put into a module what it needs, serves and calls."),
    "invoke": ("actorhost.cli.invoke:invoke", "Run one message through one module, without a host."),
    "bench": ("actorhost.cli.bench:app", "Measure this machine against baselines in the same run."),
    "demo": ("actorhost.cli.demo:demo", "Watch actors process a year of temperature readings."),
}
"""Each command's place and its line in the help, so that help imports nothing."""

_USAGE: Final = (
    "usage: actorhost COMMAND [OPTIONS]\n\nRun sandboxed WebAssembly actors, addressed by name over NATS."
)
_MORE: Final = """`actorhost COMMAND --help` says more about each.
exit codes: 0 done, 1 failed, 2 wrong input, 3 unavailable"""


def run(arguments: list[str]) -> int:
    """Run one command, say what went wrong if anything did, and return the exit code."""
    output.begin()
    try:
        return _ended(arguments)
    except output.CannotWrite as error:
        return failure.not_delivered(error)


def _ended(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except Exception as error:  # noqa: BLE001 - the net: what is not ours is reported as a bug
        return failure.report(error, as_json=_wants_json(arguments))


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help", "help"):
        output.data(_help())
    elif name == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - takes longer than all the rest of help

        output.data(f"actorhost {version('actorhost')}")
    elif name not in COMMANDS:
        raise _unknown(name)
    else:
        return _run_command(name, arguments[1:])
    return failure.OK


def _run_command(name: str, arguments: list[str]) -> int:
    import typer  # noqa: PLC0415 - help needs neither typer nor rich

    # What all of its errors of usage descend from has no public name.
    usage_error: Any = typer.BadParameter.__bases__[0]
    command = typer.main.get_command(_app(name))
    try:
        with command.make_context(f"actorhost {name}", arguments) as context:
            interrupt.raise_from_now_on()
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except usage_error as error:
        shown = io.StringIO()
        error.show(shown)
        raise failure.WrongUsage(error.format_message(), shown=shown.getvalue().rstrip()) from None
    return failure.OK


def _app(name: str) -> Any:
    """Return the typer app of a command; only its own module is imported."""
    import typer  # noqa: PLC0415

    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return found
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, context_settings={"help_option_names": ["-h", "--help"]})(found)
    return app


def _wants_json(arguments: list[str]) -> bool:
    return "--json" in takewhile(lambda argument: argument != "--", arguments)


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join([_USAGE, "", "commands:", *lines, "", _MORE])


def _unknown(name: str) -> InvalidInput:
    close = get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean {close[0]!r}?" if close else "`actorhost --help` lists the commands"
    return InvalidInput(f"there is no command {name!r}", hint=hint)
