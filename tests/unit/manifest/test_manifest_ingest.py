"""Ingest traits: subjects that are taken, those that are refused, and what is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

import pytest

from actorhost.errors import Finding, InvalidName, ManifestInvalid
from actorhost.ids import MAX_SUBJECT, ActorName, OperationName, SubjectPattern
from actorhost.manifest import IngestSpec, PayloadFormat, load_manifest, schema_text
from actorhost.manifest.grammar import Ingest
from actorhost.manifest.shapes import Field

PROPERTIES = "spec.components[0].traits[0].properties"


HEAD = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: one}
spec:
  components:
    - name: one
      type: actor
      properties: {module: one.wasm}
"""


def manifest(*ingests: str) -> bytes:
    """A manifest of one actor with these ingests, the first on line 10."""
    traits = ",\n".join(f"        {{type: ingest, properties: {{{each}}}}}" for each in ingests)
    return f"{HEAD}      traits: [\n{traits}\n      ]\n".encode()


def ingests_of(*ingests: str) -> tuple[IngestSpec, ...]:
    return load_manifest(manifest(*ingests), "one.yaml").actors[0].ingests


def findings_of(*ingests: str) -> tuple[Finding, ...]:
    with pytest.raises(ManifestInvalid) as caught:
        ingests_of(*ingests)
    return caught.value.findings


def test_what_an_ingest_can_say() -> None:
    assert ingests_of(
        "subject: sensors.*.temp, operation: Read",
        "subject: 'cameras.>', operation: wasi:x/y.See, payload: raw, with-subject: true, answer: false",
        "subject: a, operation: Read, payload: messagepack",
    ) == (
        IngestSpec(subject=SubjectPattern("sensors.*.temp"), operation=OperationName("Read")),
        IngestSpec(
            subject=SubjectPattern("cameras.>"),
            operation=OperationName("wasi:x/y.See"),
            payload=PayloadFormat.RAW,
            with_subject=True,
            answer=False,
        ),
        IngestSpec(
            subject=SubjectPattern("a"), operation=OperationName("Read"), payload=PayloadFormat.MESSAGEPACK
        ),
    )


def test_the_guide_shows_every_key_with_its_default() -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs/ingest.md").read_text(encoding="utf-8")
    traits = indent(guide.split("```yaml\n")[1].split("```")[0], "      ")
    shown = load_manifest((HEAD + traits).encode(), "guide.yaml").actors[0].ingests
    assert shown == ingests_of("subject: sensors.*.temperature, operation: Reading")
    assert all(f"{field.key}: " in traits for field in vars(Ingest).values() if isinstance(field, Field))


def test_links_and_ingests_stand_side_by_side() -> None:
    ingest = manifest("subject: a.b, operation: Read").decode()
    text = ingest.replace("{type: ingest", "{type: link, properties: {target: one}}, {type: ingest")
    (actor,) = load_manifest(text.encode(), "one.yaml").actors
    assert [link.target for link in actor.links] == [ActorName("one")]
    assert [each.subject for each in actor.ingests] == ["a.b"]


TAKEN = [
    "a", "a.*", "a.>", "a.*.c.>", "a.*.*", "sensors.a-1.temp_2", "k\u00fcche.temp", "ahx", "a.ah", "a.$b",
    "a.b//c", "/.a", "_INBOXES.a", "x" * MAX_SUBJECT,
]  # fmt: skip
NO_SUBJECT = [
    "", ".", "a.", ".a", "a..b", "a b", "a.b*", "a.>.b", "a.b>", "a.\u00a0b", "a\n",
    "x" * (MAX_SUBJECT + 1), "\u00fc" * 128,
]  # fmt: skip
TOO_WIDE = ["*", ">", "*.temp", "*.>"]
RESERVED = ["ah", "ah.default.rpc.echo.Op", "ah.>", "$JS.API.>", "$SYS", "_INBOX.>", "_INBOX"]
REFUSED = [
    *((subject, "is not a subject to take from") for subject in NO_SUBJECT),
    *((subject, "messages that the runtime sends to itself") for subject in TOO_WIDE),
    *((subject, "belongs to the runtime or to NATS") for subject in RESERVED),
]


@pytest.mark.parametrize("subject", TAKEN)
def test_subjects_that_are_taken(subject: str) -> None:
    assert SubjectPattern.parse(subject) == subject
    assert re.fullmatch(SubjectPattern.pattern(), subject)


@pytest.mark.parametrize(("subject", "why"), REFUSED)
def test_subjects_that_are_refused(subject: str, why: str) -> None:
    with pytest.raises(InvalidName, match=why) as caught:
        SubjectPattern.parse(subject)
    assert caught.value.hint
    short = len(subject.encode()) <= MAX_SUBJECT
    assert not (short and re.fullmatch(SubjectPattern.pattern(), subject)), "the schema says the same"


@pytest.mark.parametrize(
    ("ingest", "where", "message"),
    [
        ("subject: ah.x, operation: Read", ".subject", "'ah.x' is not a subject to take from"),
        ("subject: a", "", "the key operation is missing"),
        ("operation: Read", "", "the key subject is missing"),
        ("subject: a, operation: ''", ".operation", "'' is not an operation name"),
        ("subject: a, operation: Read, payload: xml", ".payload", "'xml' is no choice here"),
        ("subject: a, operation: R, with-subject: 'true'", ".with-subject", "expected true or false, found"),
        ("subject: a, operation: R, answer: 1", ".answer", "expected true or false, found the number 1"),
        ("subject: a, operation: R, queue: q", ".queue", "unknown key"),
    ],
)
def test_one_mistake_is_one_finding_at_its_place(ingest: str, where: str, message: str) -> None:
    (finding,) = findings_of(ingest)
    assert (finding.line, finding.path) == (10, PROPERTIES + where)
    assert finding.message.startswith(message)
    assert finding.hint


def test_an_actor_takes_from_a_subject_once() -> None:
    assert len(ingests_of("subject: a.*, operation: R", "subject: a.b, operation: R")) == 2
    (finding,) = findings_of("subject: a.*, operation: R", "subject: a.*, operation: S, payload: raw")
    assert (finding.line, finding.message) == (11, "another ingest of this actor takes a.*")
    same_line = manifest("subject: a, operation: R", "subject: a, operation: S").replace(b",\n", b",")
    with pytest.raises(ManifestInvalid, match="another ingest of this actor takes a"):
        load_manifest(same_line, "one.yaml")


def test_the_schema_knows_ingests() -> None:
    assert '"const": "ingest"' in schema_text()
    assert json.dumps(SubjectPattern.pattern())[1:-1] in schema_text()
