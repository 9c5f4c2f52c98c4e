"""A manifest that is wrong gives every finding at once, at its place and with its hint."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from actorhost.errors import FaultCode, Finding, ManifestInvalid
from actorhost.limits import MIB
from actorhost.manifest import MAX_MANIFEST, load_manifest, nodes

GOLDEN = Path(__file__).parent / "golden"

GOOD = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: one}
spec:
  components:
    - name: one
      type: actor
      properties:
        module: one.wasm
        memory: 4MiB
        contracts: [a:b]
      traits:
        - type: link
          properties: {target: store, contract: a:b}
    - name: store
      type: provider
      properties: {provider: p, contract: a:b}
"""


def findings_of(data: bytes | str) -> tuple[Finding, ...]:
    """What is wrong with this manifest; fails when nothing is."""
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(data if isinstance(data, bytes) else data.encode(), "one.yaml")
    return caught.value.findings


@pytest.mark.parametrize("parser", [yaml.SafeLoader, nodes._LOADER], ids=["python", "installed"])
def test_the_whole_report_of_a_manifest_with_every_kind_of_mistake(
    parser: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PyYAML has libyaml's parser on most platforms and its own elsewhere: the report is the same.
    monkeypatch.setattr(nodes, "_LOADER", parser)
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest((GOLDEN / "bad.yaml").read_bytes(), "bad.yaml")
    assert f"{caught.value}\n" == (GOLDEN / "bad.txt").read_text(encoding="utf-8")
    assert caught.value.code is FaultCode.BAD_REQUEST


def test_the_manifest_of_the_table_below_is_good() -> None:
    assert load_manifest(GOOD.encode(), "one.yaml").name == "one"


ACTOR = "spec.components[0].properties"
PROVIDER = "spec.components[1].properties"
LINK = "spec.components[0].traits[0].properties"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: Application", "kind: Deployment", "2:7: kind: 'Deployment' is not supported"),
        ("kind: Application\n", "", "1:1: manifest: the key kind is missing"),
        ("{name: one}", "{name: one, extra: 1}", "3:23: metadata.extra: unknown key"),
        ("{name: one}", "{nam: one}", "3:12: metadata.nam: unknown key"),
        ("{name: one}", "one", "3:11: metadata: expected a map, found the text 'one'"),
        (
            "    - name: one",
            "    - name: One",
            "6:13: spec.components[0].name: 'One' is not a component name",
        ),
        ("    - name: one\n      type", "    - type", "6:7: spec.components[0]: the key name is missing"),
        ("name: store", "name: shop", f"14:32: {LINK}.target: there is no component store"),
        ("one.wasm", "", f"9:16: {ACTOR}.module: expected text, found nothing"),
        (
            "4MiB",
            "4MB",
            f"10:17: {ACTOR}.memory: expected a size like 65536, 64KiB or 4MiB, found the text '4MB'",
        ),
        ("4MiB", "512KiB", f"10:17: {ACTOR}.memory: the size 512KiB is out of range"),
        ("4MiB", "[4]", f"10:17: {ACTOR}.memory: expected a size like 65536, 64KiB or 4MiB, found a list"),
        (
            "4MiB",
            "true",
            f"10:17: {ACTOR}.memory: expected a size like 65536, 64KiB or 4MiB, found the boolean true",
        ),
        ("memory: 4MiB", "timeout: 0", f"10:18: {ACTOR}.timeout: the duration 0ms is out of range"),
        ("memory: 4MiB", "timeout: 61m", f"10:18: {ACTOR}.timeout: the duration 3660s is out of range"),
        ("memory: 4MiB", "instances: 10001", f"10:20: {ACTOR}.instances: 10001 is out of range"),
        ("memory: 4MiB", "weight: 101", f"10:17: {ACTOR}.weight: 101 is out of range"),
        (
            "memory: 4MiB",
            "max-message: 1025KiB",
            f"10:22: {ACTOR}.max-message: 1025KiB is more than a quarter of the memory, which is 4MiB",
        ),
        ("memory: 4MiB", "env: {A: 1}", f"10:18: {ACTOR}.env.A: expected text, found the number 1"),
        ("memory: 4MiB", "env: {a b: x}", f"10:15: {ACTOR}.env.'a b': 'a b' is not an environment name"),
        (
            "[a:b]",
            "[a:b, a:c]",
            f"11:26: {ACTOR}.contracts[1]: the contract a:c is declared but no link uses it",
        ),
        ("[a:b]", "[]", f"14:49: {LINK}.contract: the actor does not declare the contract a:b"),
        ("[a:b]", "[a]", f"11:21: {ACTOR}.contracts[0]: 'a' is not a contract id"),
        ("[a:b]", "a:b", f"11:20: {ACTOR}.contracts: expected a list, found the text 'a:b'"),
        (
            "type: link",
            "type: later",
            "13:17: spec.components[0].traits[0].type: 'later' is no trait type",
        ),
        ("provider: p, ", "", "17:7: spec.components[1].properties: the key provider is missing"),
        (
            "p, contract: a:b",
            "p, contract: a:c",
            f"14:49: {LINK}.contract: provider store provides a:c, not a:b",
        ),
        (
            "p, contract: a:b",
            "p, contract: a:b, restarts: {}",
            f"17:48: {PROVIDER}.restarts: the host starts no provider again that has no process of its own",
        ),
        (
            "p, contract: a:b",
            "p, contract: a:b, place: process, restarts: {backoff: 2s, backoff-limit: 1s}",
            f"17:103: {PROVIDER}.restarts.backoff-limit: the longest wait, 1s, is shorter than the first, 2s",
        ),
    ],
)
def test_one_mistake_is_one_finding_at_its_place(old: str, new: str, expected: str) -> None:
    broken = GOOD.replace(old, new, 1)
    assert broken != GOOD
    (finding,) = findings_of(broken)
    assert f"{finding.line}:{finding.column}: {finding.path}: {finding.message}" == expected
    assert finding.excerpt == broken.splitlines()[finding.line - 1].strip()
    assert finding.hint


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "the manifest is empty"),
        (b"# only a comment\n", 1, "the manifest is empty"),
        (b"[]", 1, "expected a map, found a list"),
        (b"a: 1\n\xff", 2, "the bytes from here on are not UTF-8"),
        (b"a: 1\nb: \x00", 2, "the character '\\x00' is not allowed"),
        (b"a: 1\nb: \x1b[31m", 2, "the character '\\x1b' is not allowed"),
        ("a: 1\nb: \u2028".encode(), 2, "the character '\\u2028' is not allowed"),
        (GOOD.encode() + b"---\na: 1\n", 18, "a second document starts here"),
        (GOOD.encode() + b'"\\0": 1\n', 18, "the character '\\x00' is not allowed"),
        (b"a" * (MAX_MANIFEST + 1), 1, f"{MIB + 1} bytes are too many"),
        (b"[" * 1000, 1, "nested more than 32 levels deep"),
        (b"[\n" + b"a,\n" * 100_001 + b"]", 100_001, "more than 100000 values"),
    ],
    ids=range(12),
)
def test_bytes_that_are_no_manifest_at_all(data: bytes, line: int, message: str) -> None:
    (finding,) = findings_of(data)
    assert (finding.line, finding.message) == (line, message)
    assert finding.hint


@pytest.mark.parametrize(
    "text", ["a: [1, 2\nb: 1\n", "a: b: c\n", "\tx: 1\n", '"\\UFFFFFFFF"', "%YAML 3.0\n---\na: 1\n"]
)
def test_text_that_is_not_yaml_says_where_it_ends_to_be(text: str) -> None:
    (finding,) = findings_of(text)
    assert finding.message.startswith("not YAML")
    assert finding.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("&x {}", "anchors are not supported"),
        ("*x", "aliases are not supported"),
        ("!!map {}", "tags are not supported"),
        ("{a: 1, a: 2}", "the key is given twice"),
        ("{1: 2}", "a key must be text"),
        ("{[1]: 2}", "a key must be text"),
        ("{<<: *x}", "aliases are not supported"),
        ("9223372036854775808", "the number '9223372036854775808' is too large"),
        ("1e999", "the number '1e999' is too large"),
        ('"\\0"', "the character '\\x00' is not allowed"),
    ],
)
def test_what_a_value_may_not_be_even_in_free_configuration(value: str, message: str) -> None:
    (finding,) = findings_of(GOOD.replace("{provider: p,", f"{{provider: p, config: {{k: {value}}},"))
    assert (finding.line, finding.message) == (17, message)
    assert finding.path.startswith("spec.components[1].properties.config.k")


def test_findings_beyond_the_hundredth_are_counted_only() -> None:
    names = ", ".join(f"{number}x: y" for number in range(150))
    with pytest.raises(ManifestInvalid, match="150 findings") as caught:
        load_manifest(GOOD.replace("memory: 4MiB", f"env: {{{names}}}").encode(), "one.yaml")
    assert len(caught.value.findings) == 100
    assert str(caught.value).endswith("50 more findings are not shown")


def test_what_a_report_shows_of_the_file_is_short_and_printable() -> None:
    text = GOOD.replace("module: one.wasm", 'module: ["\u200b\u202e", ' + "x" * 500 + "]")
    (finding,) = findings_of(text)
    assert len(finding.excerpt) == 120
    assert finding.excerpt.isprintable()


def test_two_links_of_one_name_on_one_line_are_a_finding() -> None:
    again = "- {type: link, properties: {target: store, contract: a:b}}"
    one_line = GOOD.replace(
        "traits:\n        - type: link\n          properties: {target: store, contract: a:b}",
        f"traits: [{again[2:]}, {again[2:]}]",
    )
    (finding,) = findings_of(one_line)
    assert finding.message == "another link of this actor reaches a:b as default"
