"""A module linked to a provider with two sides is held to both, as far as the link is for both."""

from __future__ import annotations

import pytest

from actorhost.contracts.base import Contract, Effect, Operation, Params
from actorhost.contracts.declaration import Declaration, Need, Signature
from actorhost.contracts.provider import Wanted
from actorhost.contracts.types import Record
from actorhost.errors import ManifestInvalid
from actorhost.manifest.agreement import Parties, check_agreement
from actorhost.manifest.load import read_manifest

MANIFEST = b"""\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: app}
spec:
  components:
    - name: one
      type: actor
      properties: {module: one.wasm, contracts: [acme:queue]}
      traits:
        - {type: link, properties: {target: queue, contract: acme:queue}}
    - name: queue
      type: provider
      properties: {provider: queue, contract: acme:queue}
"""


class Message(Params, frozen=True):
    """A message."""

    text: str


PUBLISH = Operation("publish", Effect.WRITE, idempotent=False, params=Message, result=None)
TAKE = Operation("take", Effect.EXTERNAL, idempotent=False, params=Message, result=None)
BOTH = Contract.of("acme:queue", "1.2.0", PUBLISH, exports=(TAKE,))
TAKES = {"take": Signature(Record({"text": "string"}))}


def found(declaration: Declaration, provided: Contract) -> list[str]:
    draft = read_manifest(MANIFEST, "app.yaml")
    wanted = [Wanted(name, operation) for name, operation in provided.exports.items()]
    over = {("one", "acme:queue", "default"): wanted}
    check_agreement(draft, Parties({"one.wasm": declaration}, {"queue": provided}, {}, over))
    try:
        draft.application()
    except ManifestInvalid as error:
        return [one.message for one in error.findings]
    return []


@pytest.mark.parametrize(
    ("declaration", "provided", "messages"),
    [
        (Declaration(serves=TAKES), BOTH, []),
        (Declaration(needs=(Need("acme:queue", "1.0.0"),)), BOTH, []),
        (
            Declaration(serves={"take": Signature(Record({"text": "bool"}))}), BOTH,
            ["take is called and served with different types: parameter text is string, not bool"],
        ),
        (
            Declaration(), Contract.of("acme:queue", "1.2.0", exports=(TAKE,)),
            ["queue calls what the module does not serve: take"],
        ),
        (
            Declaration(needs=(Need("acme:queue", "2.0.0"),)), BOTH,
            ["the module needs acme:queue 2.0.0, queue provides 1.2.0"],
        ),
    ],
)  # fmt: skip
def test_both_sides(declaration: Declaration, provided: Contract, messages: list[str]) -> None:
    assert found(declaration, provided) == messages


def hints_of(components: str, **declared: Declaration) -> list[str]:
    """Return the hints of what is found among actors whose modules are called as they are declared here."""
    draft = read_manifest(MANIFEST.partition(b"    - name")[0] + components.encode(), "app.yaml")
    check_agreement(draft, Parties(declared, {}, {}, {}))
    with pytest.raises(ManifestInvalid) as refused:
        draft.application()
    return [one.hint for one in refused.value.findings]


def test_an_actor_of_another_name_is_to_be_renamed_and_who_serves_nothing_is_said_to() -> None:
    caller = "    - {name: one, type: actor, properties: {module: one}, traits: [LINK]}\n"
    calls = Declaration(calls={"serve": TAKES})
    other = "    - {name: served, type: actor, properties: {module: two}}\n"
    add = "add a link trait with target: serve"
    alone = caller.replace("[LINK]", "[]")
    assert hints_of(alone + other, one=calls) == [f"rename served to serve, and {add}"]
    assert hints_of(alone, one=calls) == [f"name the actor it means serve, and {add}"]
    assert hints_of(alone + other.replace("served", "serve"), one=calls) == [add]
    linked = caller.replace("LINK", "{type: link, properties: {target: serve}}")
    nothing = hints_of(linked + other.replace("served", "serve"), one=calls, two=Declaration())
    assert nothing == ["it serves nothing"]


def test_who_asks_for_a_fresh_sandbox_is_told_how() -> None:
    assert hints_of("    - {name: one, type: actor, properties: {module: one, policy: fresh}}\n") == [
        "did you mean per-call?"
    ]
