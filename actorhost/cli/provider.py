"""``actorhost provider run``: a provider in a process of its own, for a host or for a whole lattice.

A host starts it with ``--channel`` and tells it the rest over that socket. Started by hand it takes its
configuration from a file, is found by hosts under its component name, and runs until it is interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from actorhost import limits as limits_module
from actorhost.capability.registry import Registry
from actorhost.capability.secrets import Secrets
from actorhost.cli import output
from actorhost.cli.connection import DEFAULT_NATS, Lattice, Nats
from actorhost.cli.options import utf8
from actorhost.cli.stopping import until_told
from actorhost.errors import InvalidInput
from actorhost.host import loop
from actorhost.host.provider import tied
from actorhost.host.provider.messages import Begin
from actorhost.host.provider.untied import UntiedProvider
from actorhost.ids import HostId, LatticeName, ProviderName
from actorhost.limits import Limits
from actorhost.manifest.model import Application, ProviderSpec
from actorhost.telemetry import log

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def provider() -> None:
    """Run a provider in a process of its own."""


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", callback=utf8, help="Component name in manifests.")],
    provider: Annotated[
        str, typer.Option("--provider", metavar="ENTRY_POINT", callback=utf8, help="The installed provider.")
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its configuration, YAML; may hold references.")
    ] = None,
    nats: Nats = DEFAULT_NATS,
    lattice: Lattice = "default",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object when ready.")] = False,
    channel: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run a provider for hosts whose manifests name it with `place: lattice`.

    Prints one line when it is ready and runs until Ctrl-C; logs go to standard error.
    """
    log.configure(sys.stderr, level=os.environ.get(log.LEVEL_VARIABLE) or "info")
    if channel is not None:
        tied.tie(parent)
        loop.run(tied.serve_host(channel))
        return
    begin = _begin(name, provider, config, limits_module.load())
    loop.run(until_told(_serve(_placed(begin, nats, lattice), json=json)))


async def _serve(begin: Begin, *, json: bool) -> None:
    async with UntiedProvider(begin):
        if json:
            facts = {"event": "ready", "provider": begin.name, "pid": os.getpid(), "instance": begin.instance}
            output.json_line(facts)
        else:
            output.data(f"ready provider {begin.name} ({begin.provider}) in lattice {begin.lattice}")
        await loop.for_ever()


def _begin(name: str, provider: str, config: Path | None, limits: Limits) -> Begin:
    """Return what is to be run, its references replaced by what they stand for here."""
    values = _values(config)
    secrets = Secrets()
    registry = Registry(limits, secrets=secrets)
    kind = registry.find(provider, None)
    spec = ProviderSpec(
        name=ProviderName.parse(name), provider=provider, contract=kind.contract.id, config=values
    )
    secrets.read(Application(name=spec.name, providers=(spec,)))
    # What is wrong with it is found here, before anybody is connected to.
    registry.make(kind, spec)
    return Begin(
        name=name,
        provider=provider,
        contract=str(spec.contract),
        config=dict(secrets.fill(values)),
        hidden=secrets.hidden,
        nats="",
        lattice="",
        instance=str(HostId.new()),
        limits=limits,
    )


def _placed(begin: Begin, nats: str, lattice: str) -> Begin:
    from msgspec.structs import replace  # noqa: PLC0415 - beside its one use

    return replace(begin, nats=nats, lattice=str(LatticeName.parse(lattice)))


def _values(path: Path | None) -> Mapping[str, Any]:
    """Return the configuration in the file at `path`; raises :class:`InvalidInput`."""
    if path is None:
        return {}
    import yaml  # noqa: PLC0415 - few need it

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"cannot read {path}: {error}", hint="give a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"{path}{place} is not YAML", hint="give a YAML file of keys and values") from None
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise InvalidInput(f"{path} holds no configuration", hint="write keys and values, as under `config`")
    return found
