"""Secrets are read where the host runs, named when they are missing, and hidden in every error."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from actorhost.capability import Broker, Grants, Registry, Secrets
from actorhost.capability.redaction import blot, blotted, describe, spellings_of
from actorhost.capability.secrets import MAX_SECRET
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError, CallFailed, InternalError, ProviderFailed, ProviderRefused
from actorhost.ids import ActorName, ContractId
from actorhost.limits import Limits
from actorhost.manifest.model import Application, LinkSpec, ProviderSpec
from tests.unit.capability.board import ODDITIES, Oddities, Word, actor, caller, link, no_actor

SECRET = "hunter\"22'/é"  # noqa: S105 - of these tests alone
"""Written differently by Python, by JSON and in a URL."""


def application(config: Mapping[str, object], *links: LinkSpec) -> Application:
    provider = ProviderSpec(
        name=ActorName("odd"), provider="odd", contract=ContractId(ODDITIES), config=config
    )
    return Application(name=ActorName("app"), actors=(actor(*links),), providers=(provider,))


def read(config: Mapping[str, object], *links: LinkSpec, **environ: str) -> Secrets:
    secrets = Secrets()
    secrets.read(application(config, *links), environ)
    return secrets


def test_values_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    for name, content in {
        "a": "one\n",
        "b": "two\n\n",
        "c": "three\r\n",
        "d": " four ",
        "e": "five\r",
    }.items():
        (tmp_path / name).write_bytes(content.encode())
    config = {name: f"file:{tmp_path / name}" for name in "abcde"}
    secrets = read({"deep": [config, "env:X"], "plain": "literal:env:X", "n": 5}, X="from\n outside\n")
    filled = {"a": "one", "b": "two\n", "c": "three", "d": " four ", "e": "five\r"}
    assert secrets.fill({"deep": [config, "env:X"], "plain": "literal:env:X", "n": 5}) == {
        "deep": [filled, "from\n outside\n"],
        "plain": "env:X",
        "n": 5,
    }
    secrets.forget()
    assert secrets.hidden == ()
    with pytest.raises(InternalError, match=r"config.a: env:X was used before it was read"):
        secrets.fill({"a": "env:X"})


def test_a_file_is_read_once_and_links_get_theirs(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("one")
    secrets = read({"a": f"file:{path}"}, link("odd", ODDITIES, password=f"file:{path}"))
    path.write_text("two")
    assert secrets.fill({"p": f"file:{path}"}) == {"p": "one"}


def test_every_reference_without_a_value_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET + 1))
    (tmp_path / "most").write_bytes(b"x" * MAX_SECRET + b"\r\n")
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    os.mkfifo(tmp_path / "pipe")
    names = ("missing", "large", "most", "empty", "latin", "pipe")
    config: dict[str, object] = {name: f"file:{tmp_path / name}" for name in names}
    config |= {"folder": f"file:{tmp_path}", "unset": ["env:UNSET"], "void": "env:VOID", "odd": "env:ODD"}
    with pytest.raises(ProviderRefused) as caught:
        read(config, link("odd", ODDITIES, "m", key="env:GONE"), VOID="", ODD="\udcff")
    first, *rest = caught.value.message.replace(str(tmp_path), "TMP").split("; ")
    head = "application 'app' refers to secrets that this host does not have: "
    assert [first.removeprefix(head), *rest] == [
        "provider 'odd', config.missing: file:TMP/missing cannot be read: No such file or directory",
        "provider 'odd', config.large: what file:TMP/large stands for is over 65536 bytes",
        "provider 'odd', config.empty: what file:TMP/empty stands for is empty",
        "provider 'odd', config.latin: what file:TMP/latin stands for is not UTF-8",
        "provider 'odd', config.pipe: file:TMP/pipe is not a file",
        "provider 'odd', config.folder: file:TMP cannot be read: Is a directory",
        "provider 'odd', config.unset[0]: the environment variable of env:UNSET is not set",
        "provider 'odd', config.void: what env:VOID stands for is empty",
        "provider 'odd', config.odd: what env:ODD stands for is not UTF-8",
        "actor 'thermostat', link 'm' to 'odd', config.key: the environment variable of env:GONE is not set",
    ]
    assert "deploy again" in caught.value.hint


def test_a_long_list_of_missing_ones_is_cut() -> None:
    with pytest.raises(ProviderRefused, match=r"env:N19 is not set; and 30 more$"):
        read({f"k{n}": f"env:N{n}" for n in range(50)})


def test_a_wrong_reference_in_a_model_made_by_hand_is_refused() -> None:
    with pytest.raises(ProviderRefused, match=r"provider 'odd', config.a: the text after env: is not"):
        read({"a": "env:not a name"})


def test_the_links_of_actors_to_actors_need_no_secrets() -> None:
    spec = LinkSpec(target=ActorName("alarm"), namespace="alarm", is_actor=True, config={"a": "env:NONE"})
    assert read({}, spec).hidden == ()


def test_a_secret_is_hidden_however_it_is_written() -> None:
    hidden = spellings_of([SECRET, "-----BEGIN KEY-----\nMIIE\n-----END KEY-----"])
    texts = [SECRET, repr(SECRET), '{"a": "hunter\\"22\'/\\u00e9"}', "p=hunter%2222%27%2F%C3%A9", "(MIIE)"]
    for text in texts:
        assert "hunter" not in blotted(text, hidden)
        assert "***" in blotted(text, hidden)


def test_a_secret_too_short_to_be_hidden_takes_the_message_with_it() -> None:
    hidden = spellings_of(["abc", "longer"])
    assert blotted("a longer word", hidden) == "a *** word"
    assert "bad" not in blotted("bad abc", hidden)
    assert describe(ValueError("bad abc"), hidden).startswith("ValueError: the message is withheld")


def test_a_secret_quoted_within_a_quotation_takes_the_message_with_it() -> None:
    text = repr([repr((SECRET, "\n"))])
    assert "hunter" not in blotted(text, spellings_of([SECRET]))
    assert "hunter" not in blotted(repr(text), spellings_of([SECRET + "\n" + SECRET]))
    assert blotted("a \\ remains", spellings_of([SECRET])) == "a \\ remains"


def test_all_of_an_error_is_blotted() -> None:
    error = ProviderFailed(f"no {SECRET}", hint=f"not {SECRET}", where=f"at {SECRET}")
    error.add_note(f"also {SECRET}")
    error.__cause__ = OSError(SECRET)
    blot(error, spellings_of([SECRET]))
    assert (error.message, error.hint, error.where, error.args[0]) == (
        "no ***",
        "not ***",
        "at ***",
        "no ***",
    )
    assert error.__notes__ == ["also ***"]
    assert "hunter" not in "".join(traceback.format_exception(error)) + repr(error)


class Talkative(Oddities):
    """Says its password in errors of our own kind, where ``config["where"]`` says."""

    def _say(self, where: str) -> None:
        if self.config.get("where") == where:
            raise ProviderFailed(f"{where}: cannot log in with {self.config['password']}")

    def __init__(self, config: Mapping[str, object]) -> None:
        super().__init__(config)
        self._say("make")

    async def start(self) -> None:
        self._say("start")

    async def stop(self) -> None:
        self._say("stop")

    def check_link(self, link: Link) -> None:
        if link.config.get("where") == "check":
            raise ProviderRefused(f"check: cannot log in with {link.config['password']}")

    async def refuse(self, link: Link, params: Word) -> str:  # noqa: ARG002 - not looked at
        raise ProviderFailed(
            f"call: cannot log in with {link.config['password']} or {self.config['password']}"
        )


async def live(registry: Registry, described: Application, secrets: Secrets) -> None:
    """Start the provider, link to it, call it, stop it."""
    await registry.start(described.providers[0])
    grants = Grants.of(described.actors[0], registry.running, secrets)
    if described.providers[0].config["where"] == "call":
        await Broker(no_actor).call(caller(grants), "", ODDITIES, "refuse", b"\x80")
    await registry.close()


@pytest.mark.parametrize("where", ["make", "start", "stop", "check", "call"])
async def test_no_error_of_a_provider_repeats_a_secret(where: str) -> None:
    config = {"where": where, "password": "env:PASSWORD"}
    described = application(config, link("odd", ODDITIES, **config))
    secrets = Secrets()
    secrets.read(described, {"PASSWORD": SECRET})
    registry = Registry(Limits(), {"odd": Talkative}, secrets)
    with pytest.raises(ActorhostError, match=rf"{where}: cannot log in with \*\*\*") as caught:
        await live(registry, described, secrets)
    assert "hunter" not in repr(caught.value)


async def test_a_provider_gets_the_values_and_a_foreign_error_hides_them() -> None:
    described = application({"password": "env:PASSWORD"}, link("odd", ODDITIES, url="env:PASSWORD"))
    secrets = Secrets()
    secrets.read(described, {"PASSWORD": SECRET})
    registry = Registry(Limits(), {"odd": Oddities}, secrets)
    provider = await registry.start(described.providers[0])
    assert provider.config == {"password": SECRET}
    grants = Grants.of(described.actors[0], registry.running, secrets)
    broker = Broker(no_actor)
    await broker.call(caller(grants), "", ODDITIES, "echo", b"\x80")
    assert isinstance(provider, Oddities)
    assert provider.links[0].config == {"url": SECRET}
    assert "hunter" not in repr(provider.links[0]) + repr(grants.find("", ODDITIES)) + repr(described)
    with pytest.raises(CallFailed, match="KeyError") as caught:
        await broker.call(caller(grants), "", ODDITIES, "break", b"\x80")
    assert "hunter" not in caught.value.message + caught.value.hint
    assert "hunter" not in repr(broker.statistics())
    await registry.close()
