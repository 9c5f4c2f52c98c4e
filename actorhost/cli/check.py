"""``actorhost check``: everything about a manifest that can be known without starting anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actorhost import limits
from actorhost.cli import manifest_file, output
from actorhost.cli.failure import finding_facts
from actorhost.errors import Finding, ManifestInvalid


def check(
    manifests: Annotated[list[Path], typer.Argument(metavar="MANIFEST", help="Manifests to check together.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check manifests, and the modules and providers they name, without starting anything.

    Modules that say what they need, serve and call are held to it. Files given together are to run
    together; of two with one application name the later replaces the earlier. Exits with 2 when there is a
    finding; each says where it is and what to do.
    """
    found: tuple[Finding, ...] = ()
    more = 0
    try:
        manifest_file.read(manifests, limits.load())
    except ManifestInvalid as error:
        found, more = error.findings, error.more
        if not json:
            output.error(error)
    if json:
        facts = [finding_facts(each) for each in found]
        output.json_line({"manifests": len(manifests), "findings": facts, "more": more})
    else:
        wrong = len({each.source for each in found})
        count = f"{len(manifests)} manifest{'s' * (len(manifests) != 1)}"
        output.data(f"{count}: {f'{wrong} to correct' if wrong else 'nothing to correct'}")
    raise typer.Exit(2 if found else 0)
