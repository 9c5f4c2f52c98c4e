"""The command ``actorhost``: the process from its first line to its exit code."""

import sys

from actorhost.cli import interrupt


def main() -> None:
    """Run the command in ``sys.argv`` and exit with its code, see :mod:`actorhost.cli.failure`."""
    interrupt.end_at_once()
    from actorhost.cli import commands, output  # noqa: PLC0415 - Ctrl-C may come meanwhile

    output.prepare()
    try:
        code = commands.run(sys.argv[1:])
    except KeyboardInterrupt:
        code = interrupt.CODE
    interrupt.end_at_once()
    sys.exit(code)
