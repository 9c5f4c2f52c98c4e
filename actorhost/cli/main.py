"""The command ``actorhost``: finds the module of a command, runs it, and words its failure.

Exit codes: 0 done; 1 a call or deployment failed (the fault says how); 2 wrong input or usage;
3 no server, host or engine to do it with; 70 a bug of ours.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from actorhost.cli import output
from actorhost.errors import ActorhostError, InternalError, InvalidInput, Unavailable

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("actorhost.cli.up:up", "Start a host, with a NATS server of its own unless told otherwise."),
    "deploy": ("actorhost.cli.deploy:deploy", "Deploy a manifest to the hosts of a lattice."),
    "check": ("actorhost.cli.check:check", "Check manifests and their modules without starting anything."),
    "ps": ("actorhost.cli.watch:ps", "Show the actors that are running."),
    "call": ("actorhost.cli.call:call", "Send a message to an actor and print its reply."),
    "tell": ("actorhost.cli.call:tell", "Send a message to an actor without waiting for a reply."),
    "logs": ("actorhost.cli.watch:logs", "Show the last lines an actor has logged."),
    "inspect": ("actorhost.cli.inspect:inspect", "Show what a module declares, and whether it can run here."),
    "invoke": ("actorhost.cli.invoke:invoke", "Run one message through one module, without a host."),
    "bench": ("actorhost.cli.bench:app", "Measure this machine against baselines in the same run."),
    "demo": ("actorhost.cli.demo:demo", "Watch actors process a year of temperature readings."),
}
"""Each command's place and its line in the help, so that help imports nothing."""

OK, FAILED, WRONG_INPUT, UNAVAILABLE, BUG = 0, 1, 2, 3, 70

_USAGE: Final = (
    "usage: actorhost COMMAND [OPTIONS]\n\nRun sandboxed WebAssembly actors, addressed by name over NATS."
)
_MORE: Final = """`actorhost COMMAND --help` says more about each.
exit codes: 0 done, 1 failed, 2 wrong input, 3 unavailable"""


def main() -> None:
    """Run the command in ``sys.argv`` and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help", "help"):
        output.data(_help())
        return OK
    if name == "--version":
        output.data(f"actorhost {version('actorhost')}")
        return OK
    if name not in COMMANDS:
        return _unknown(name)
    try:
        _command(name)(arguments[1:], prog_name=f"actorhost {name}")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK
    except ActorhostError as error:
        output.error(error)
        return _exit_code(error)
    return OK


def _command(name: str) -> Any:
    """Return the typer app of a command; only its own module is imported."""
    import typer  # noqa: PLC0415 - help needs neither typer nor rich

    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return found
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, context_settings={"help_option_names": ["-h", "--help"]})(found)
    return app


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join([_USAGE, "", "commands:", *lines, "", _MORE])


def _unknown(name: str) -> int:
    close = get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean {close[0]!r}?" if close else "`actorhost --help` lists the commands"
    output.error(InvalidInput(f"there is no command {name!r}", hint=hint))
    return WRONG_INPUT


def _exit_code(error: ActorhostError) -> int:
    if isinstance(error, InvalidInput):
        return WRONG_INPUT
    if isinstance(error, Unavailable):
        return UNAVAILABLE
    return BUG if isinstance(error, InternalError) else FAILED
