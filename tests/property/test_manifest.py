"""Whatever the bytes, a manifest ends as an application or as located findings, in bounded time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actorhost import clock
from actorhost.errors import Finding, ManifestInvalid
from actorhost.limits import KIB, MIB, Limits
from actorhost.manifest import Application, load_manifest
from actorhost.manifest.draft import Draft
from actorhost.manifest.load import read_manifest

SECONDS = 2.0
"""Far more than a manifest of a few KiB may take, also on a busy machine."""

GOOD = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: shop
  annotations:
    version: v1
    description: things
spec:
  components:
    - name: worker
      type: actor
      properties:
        module: worker.wasm
        digest: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        instances: 2
        policy: reuse
        memory: 4MiB
        profile: auto
        timeout: 5s
        mailbox:
          count: 10
          bytes: 4MiB
        max-message: 512KiB
        weight: 2
        env:
          NAME: value
        contracts:
          - actorhost:keyvalue
      traits:
        - type: link
          properties:
            target: store
            contract: actorhost:keyvalue
            name: main
            config:
              bucket: b
        - type: link
          properties:
            target: helper
    - name: helper
      type: actor
      properties:
        module: helper.wasm
    - name: store
      type: provider
      properties:
        provider: keyvalue-memory
        contract: actorhost:keyvalue
        config:
          max_keys: 10
"""
LINES = GOOD.splitlines()
FREE = ("bucket", "max_keys", "NAME")
"""Keys whose names and values are the user's own."""

SYNTAX = (
    "\n|  |    |- |: |{|}|[|]|,|&a |*a|!!str |? |\"|'|#|---\n|...\n|%YAML 1.2\n|\t|\\|~|<<|>\n"
    "|\0|\ufeff|\u2028|\r|1e999|\\ud800|\\UFFFFFFFF|%YAML |!<%ff> "
)
PIECES = st.sampled_from(GOOD.split() + SYNTAX.split("|") + ["|\n"])
KEYED = st.sampled_from(
    [n for n, line in enumerate(LINES) if ": " in line and not line.strip().startswith(FREE)]
)


def outcome(data: bytes) -> Application | ManifestInvalid:
    """The application or the error, after checking that the error is well made and came in time."""
    started = clock.monotonic()
    try:
        return load_manifest(data, "any.yaml")
    except ManifestInvalid as error:
        check_findings(error.findings, data)
        check_parts(read_manifest(data, "any.yaml"))
        return error
    finally:
        assert clock.monotonic() - started < SECONDS


def check_parts(draft: Draft) -> None:
    """The parts of a manifest that is wrong can be looked at all the same."""
    for actor in draft.actors:
        assert actor.spec.module
        assert actor.spec.links == tuple(link.spec for link in actor.links)
    for provider in draft.providers:
        assert provider.spec.provider


def check_findings(findings: tuple[Finding, ...], data: bytes) -> None:
    """There are findings, each says something printable, and each lies inside the file."""
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert findings
    for finding in findings:
        assert 1 <= finding.line <= len(lines)
        assert finding.column >= 1
        assert finding.message
        assert finding.hint
        assert (finding.path + finding.message + finding.hint + finding.excerpt).isprintable()


@given(st.binary(max_size=2048))
def test_any_bytes(data: bytes) -> None:
    outcome(data)


@given(st.text(max_size=2048))
def test_any_text(text: str) -> None:
    outcome(text.encode("utf-8", "surrogatepass"))


@given(st.lists(PIECES, max_size=60).map("".join))
def test_text_that_looks_like_yaml(text: str) -> None:
    outcome(text.encode())


@given(st.integers(0, len(GOOD)), st.integers(0, 40), st.lists(PIECES, max_size=3).map("".join))
def test_a_good_manifest_with_a_piece_replaced(start: int, length: int, piece: str) -> None:
    result = outcome((GOOD[:start] + piece + GOOD[start + length :]).encode())
    if isinstance(result, Application):
        for actor in result.actors:
            assert actor.max_message <= min(actor.memory // 4, actor.mailbox_bytes)
            names = {one.name for one in result.actors} | {one.name for one in result.providers}
            assert {link.target for link in actor.links} <= names


@given(st.lists(st.sampled_from(LINES), max_size=60))
def test_lines_of_a_good_manifest_in_any_order(lines: list[str]) -> None:
    outcome("\n".join(lines).encode())


@given(KEYED, st.sampled_from(["[[]]", "!x y", "*x", '"\\0"', "{? {} : 1}"]))
def test_a_value_that_no_key_takes_is_found_on_its_line(index: int, value: str) -> None:
    key = LINES[index].partition(": ")[0]
    result = outcome("\n".join([*LINES[:index], f"{key}: {value}", *LINES[index + 1 :]]).encode())
    assert isinstance(result, ManifestInvalid)
    assert index + 1 in {finding.line for finding in result.findings}


@given(KEYED, st.text("qxz", min_size=9, max_size=20))
def test_an_unknown_key_is_found_on_its_line(index: int, key: str) -> None:
    indent = len(LINES[index]) - len(LINES[index].lstrip(" -"))
    result = outcome(
        "\n".join([*LINES[: index + 1], f"{' ' * indent}{key}: 1", *LINES[index + 1 :]]).encode()
    )
    assert isinstance(result, ManifestInvalid)
    assert [(one.line, one.message) for one in result.findings] == [(index + 2, "unknown key")]


@given(
    memory=st.integers(1 * MIB, 4096 * MIB),
    held=st.integers(64 * KIB, 4096 * MIB),
    message=st.integers(KIB, 64 * MIB),
    limit=st.integers(KIB, 64 * MIB),
)
def test_messages_fit_memory_and_mailbox_or_are_refused(
    memory: int, held: int, message: int, limit: int
) -> None:
    text = GOOD.replace("bytes: 4MiB", f"bytes: {held}").replace("memory: 4MiB", f"memory: {memory}")
    fits = message <= memory // 4 and message <= held
    assert fits is isinstance(outcome(text.replace("512KiB", f"{message}").encode()), Application)
    unset = text.replace("        max-message: 512KiB\n", "").encode()
    chosen = load_manifest(unset, "any.yaml", Limits(max_message=limit)).actors[0].max_message
    assert chosen == min(limit, memory // 4, held)
