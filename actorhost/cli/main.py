"""The command ``actorhost``: the process from its first line to its exit code.

Whatever the command needs is imported inside the net, so that Ctrl-C ends it quietly at any moment.
"""

import sys

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""


def main() -> None:
    """Run the command in ``sys.argv`` and exit with its code, see :mod:`actorhost.cli.failure`."""
    try:
        from actorhost.cli import commands, output  # noqa: PLC0415 - Ctrl-C may come meanwhile

        output.prepare()
        code = commands.run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)
