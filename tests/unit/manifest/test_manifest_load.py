"""A manifest that is right gives exactly the application it describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from actorhost.ids import ActorName, ContractId, Digest, LinkName
from actorhost.lifecycle import RestartPolicy
from actorhost.limits import KIB, MIB, Limits
from actorhost.manifest import (
    ActorSpec,
    Application,
    InstancePolicy,
    LinkSpec,
    Profile,
    ProviderSpec,
    load_manifest,
    schema_text,
)

HERE = Path(__file__).parent
MANIFESTS = HERE.parents[2] / "manifests"
KEYVALUE = ContractId("actorhost:keyvalue")
LOGGING = ContractId("actorhost:logging")

THERMOSTAT = ActorSpec(
    name=ActorName("thermostat"),
    module="../actors/thermostat/thermostat.wasm",
    digest=Digest.of(b""),
    instances=2,
    policy=InstancePolicy.PER_CALL,
    weight=3,
    memory=8 * MIB,
    profile=Profile.ROOMY,
    timeout=2.5,
    max_message=2 * MIB,
    mailbox_count=64,
    mailbox_bytes=4 * MIB,
    env={"LEVEL": "debug", "EMPTY": ""},
    contracts=(KEYVALUE, LOGGING),
    links=(
        LinkSpec(
            target=ActorName("store"),
            namespace=KEYVALUE,
            config={"bucket": "readings", "n": [1, 2.5, True, None]},
        ),
        LinkSpec(target=ActorName("journal"), namespace=LOGGING, name=LinkName("audit")),
        LinkSpec(target=ActorName("alarm"), namespace="alarm", is_actor=True),
    ),
)


def manifest_of(properties: str) -> bytes:
    """A manifest of one actor with these properties beside its module."""
    return (
        "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: one}\nspec:\n  components:\n"
        f"    - {{name: one, type: actor, properties: {{module: one.wasm, {properties}}}}}\n"
    ).encode()


def actor_of(properties: str, limits: Limits | None = None) -> ActorSpec:
    """The one actor of :func:`manifest_of`."""
    return load_manifest(manifest_of(properties), "one.yaml", limits or Limits()).actors[0]


def test_everything_a_manifest_can_say() -> None:
    application = load_manifest((HERE / "golden" / "full.yaml").read_bytes(), "full.yaml")
    assert application == Application(
        name=ActorName("thermostats"),
        version="v0.1.0",
        description="Readings, hourly",
        actors=(THERMOSTAT, ActorSpec(name=ActorName("alarm"), module="alarm.wasm")),
        providers=(
            ProviderSpec(
                name=ActorName("store"),
                provider="keyvalue-memory",
                contract=KEYVALUE,
                config={"max_keys": 10},
            ),
            ProviderSpec(name=ActorName("journal"), provider="logging", contract=LOGGING),
        ),
    )


def test_what_is_left_out_comes_from_the_limits_of_the_host() -> None:
    limits = Limits(memory=16 * MIB, call_timeout=1.5, max_message=KIB, mailbox_count=7, mailbox_bytes=MIB)
    actor = actor_of("", limits)
    assert (actor.memory, actor.timeout, actor.max_message) == (16 * MIB, 1.5, KIB)
    assert (actor.mailbox_count, actor.mailbox_bytes) == (7, MIB)


def test_restarts_are_as_written_and_the_rest_as_usual() -> None:
    usual = RestartPolicy()
    assert actor_of("").restarts == actor_of("restarts: {}").restarts == usual
    written = "restarts: {intensity: 0, period: 1m, backoff: 100ms, backoff-limit: 2s, attempts: 3}"
    assert actor_of(written).restarts == RestartPolicy(
        intensity=0, period=60.0, backoff=0.1, backoff_limit=2.0, attempts=3
    )
    assert actor_of("restarts: {backoff: 2m}").restarts.backoff_limit == 120.0


def test_a_provider_in_its_own_process_is_restarted_by_the_same_rules() -> None:
    text = (HERE / "golden" / "full.yaml").read_text()
    rules = "provider: logging, place: process, restarts: {intensity: 3, attempts: 0}"
    found = load_manifest(text.replace("provider: logging", rules).encode(), "full.yaml")
    store, journal = found.providers
    assert store.restarts == RestartPolicy()
    assert journal.restarts == RestartPolicy(intensity=3, attempts=0)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [("memory: 1MiB", 256 * KIB), ("mailbox: {bytes: 64KiB}", 64 * KIB), ("memory: 64MiB", 768 * KIB)],
)
def test_messages_are_as_small_as_memory_and_mailbox_make_them(properties: str, expected: int) -> None:
    assert actor_of(properties).max_message == expected


@pytest.mark.parametrize(
    ("written", "count"), [("1048576", MIB), ("1024KiB", MIB), ("4MiB", 4 * MIB), ("1GiB", 1024 * MIB)]
)
def test_sizes(written: str, count: int) -> None:
    assert actor_of(f"memory: {written}").memory == count


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("3", 3.0), ("0.25", 0.25), ("250ms", 0.25), ("1.5s", 1.5), ("2m", 120.0), ("60m", 3600.0)],
)
def test_durations(written: str, seconds: float) -> None:
    actor = actor_of(f"timeout: {written}")
    assert actor.timeout == pytest.approx(seconds)
    assert type(actor.timeout) is float


@pytest.mark.parametrize(
    ("properties", "profile"),
    [
        ("memory: 4MiB", Profile.DENSE),
        ("memory: 4194305", Profile.ROOMY),
        ("profile: roomy", Profile.ROOMY),
        ("profile: dense", Profile.DENSE),
    ],
)
def test_the_profile_follows_the_memory(properties: str, profile: Profile) -> None:
    assert actor_of(properties).chosen_profile is profile


def test_plain_words_are_text_unless_yaml_1_2_says_otherwise() -> None:
    data = manifest_of("contracts: [a:b]").decode() + (
        "      traits: [{type: link, properties: {target: p, contract: a:b, config:"
        " {a: yes, b: 012, c: 1_0, d: 1:30, e: 2001-01-01, f: .nan, g: +1, h: 0x10, i: FALSE, j: -1e2}}}]\n"
        "    - {name: p, type: provider, properties: {provider: x, contract: a:b}}\n"
    )
    block = data.replace(
        "    - {name: one, type: actor, properties:", "    - name: one\n      type: actor\n      properties:"
    )
    config = load_manifest(block.replace("a:b]}}", "a:b]}").encode(), "one.yaml").actors[0].links[0].config
    assert config == {
        "a": "yes",
        "b": "012",
        "c": "1_0",
        "d": "1:30",
        "e": "2001-01-01",
        "f": ".nan",
        "g": "+1",
        "h": "0x10",
        "i": False,
        "j": -100.0,
    }


def test_a_byte_order_mark_and_carriage_returns_do_no_harm() -> None:
    data = b"\xef\xbb\xbf" + manifest_of("").replace(b"\n", b"\r\n")
    assert load_manifest(data, "one.yaml") == load_manifest(manifest_of(""), "one.yaml")


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_load(path: Path) -> None:
    assert load_manifest(path.read_bytes(), path.name).actors


def test_the_schema_in_the_tree_is_the_one_the_grammar_gives() -> None:
    written = (MANIFESTS / "schema.json").read_text(encoding="utf-8")
    assert written == schema_text(), "write actorhost.manifest.schema_text() to manifests/schema.json"
