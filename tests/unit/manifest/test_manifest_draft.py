"""A manifest with findings is still read as far as it goes."""

from __future__ import annotations

import pytest

from actorhost.errors import ManifestInvalid
from actorhost.limits import Limits
from actorhost.manifest import grammar, load_manifest
from actorhost.manifest.draft import Draft
from actorhost.manifest.load import read_manifest

HEAD = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: app}
spec:
  components:
"""
WRONG = (
    HEAD
    + """\
    - {name: Bad, type: actor, properties: {module: one.wasm, memory: 5}}
    - {name: two, type: twin}
    - name: three
      type: actor
      properties:
        module: three.wasm
        contracts: [a:b]
      traits:
        - {type: link, properties: {targe: store}}
        - {type: link, properties: {target: store, contract: a:b, config: {k: v}}}
    - {name: four, type: actor}
    - {name: store, type: provider, properties: {provider: p, contract: a}}
"""
)


def test_parts_keep_their_places_and_what_is_wrong_stands_at_its_default() -> None:
    draft = read_manifest(WRONG.encode(), "a.yaml")
    one, three = draft.actors
    assert (one.spec.module, one.spec.memory) == ("one.wasm", Limits().memory)
    assert one.properties.place(grammar.Actor.module).path == "spec.components[0].properties.module"
    assert (three.spec.name, three.name.node.at) == ("three", (8, 13))
    (link,) = three.links
    assert (link.spec.target, link.spec.config) == ("store", {"k": "v"})
    assert link.properties.cursor.path == "spec.components[2].traits[1].properties"
    (store,) = draft.providers
    assert (store.spec.provider, store.properties.find(grammar.Provider.contract)) == ("p", None)


def test_a_place_is_sound_until_something_is_found_there_or_in_it() -> None:
    draft = read_manifest(WRONG.encode(), "a.yaml")
    one, three = draft.actors
    module = three.properties.place(grammar.Actor.module)
    assert not draft.sound(one.name)
    assert not draft.sound(one.properties.cursor)
    assert draft.sound(three.properties.cursor)
    assert draft.sound(module)
    module.refuse("it is missing", "build it")
    assert not draft.sound(module)
    assert not draft.sound(three.properties.cursor)


def test_what_is_found_later_is_reported_in_the_order_of_the_file() -> None:
    draft = read_manifest(WRONG.encode(), "a.yaml")
    for actor in reversed(draft.actors):
        actor.properties.place(grammar.Actor.module).refuse("it is missing", "build it")
    with pytest.raises(ManifestInvalid) as caught:
        draft.application()
    found = [(finding.line, finding.message) for finding in caught.value.findings]
    assert found == sorted(found, key=lambda one: one[0])
    assert {(6, "it is missing"), (11, "it is missing")} < set(found)


def test_without_findings_it_is_the_application() -> None:
    text = f"{HEAD}    - {{name: one, type: actor, properties: {{module: one.wasm}}}}\n".encode()
    draft = read_manifest(text, "a.yaml")
    assert (draft.name, draft.source) == ("app", "a.yaml")
    assert draft.application() == load_manifest(text, "a.yaml")


@pytest.mark.parametrize("data", [b"", b"\xff", b"[", b"[]", b"a: 1", b"x" * (1 << 21)])
def test_a_manifest_that_cannot_be_read_has_no_parts(data: bytes) -> None:
    draft = read_manifest(data, "a.yaml")
    assert (draft.name, draft.actors, draft.providers) == (None, (), ())
    with pytest.raises(ManifestInvalid):
        draft.application()


def test_a_file_whose_bytes_cannot_be_had() -> None:
    with pytest.raises(ManifestInvalid) as caught:
        Draft.unreadable("a.yaml", "cannot read it", "is it there?").application()
    (finding,) = caught.value.findings
    assert (finding.source, finding.line, finding.column, finding.path) == ("a.yaml", 1, 1, "manifest")
