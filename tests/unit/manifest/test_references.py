"""References to secrets: what is one, what only looks like one, and where the latter is found."""

from __future__ import annotations

import pytest

from actorhost.errors import InvalidInput, ManifestInvalid
from actorhost.manifest import load_manifest
from actorhost.manifest.references import Reference, Source, holds_references, parse, replace_texts

MANIFEST = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: one}
spec:
  components:
    - name: one
      type: actor
      properties: {module: one.wasm, contracts: [a:b]}
      traits:
        - type: link
          properties: {target: store, contract: a:b, config: {bucket: LINK}}
    - name: store
      type: provider
      properties:
        provider: p
        contract: a:b
        config:
          nodes:
            - {host: h, password: PROVIDER}
"""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("env:REDIS_PASSWORD", Reference(Source.ENVIRONMENT, "REDIS_PASSWORD")),
        ("env:_", Reference(Source.ENVIRONMENT, "_")),
        ("file:/run/secrets/redis password", Reference(Source.FILE, "/run/secrets/redis password")),
        ("literal:env:HOME", "env:HOME"),
        ("literal:literal:x", "literal:x"),
        ("literal:", ""),
        ("", ""),
        ("env", "env"),
        ("ENV:HOME", "ENV:HOME"),
        (" env:HOME", " env:HOME"),
        ("environment:HOME", "environment:HOME"),
        ("redis://host/0", "redis://host/0"),
    ],
)
def test_what_a_text_means(text: str, meant: Reference | str) -> None:
    assert parse(text) == meant
    if isinstance(meant, Reference):
        assert str(meant) == text


WRONG = [
    "env:", "env:1X", "env: X", "env:A-B", "env:" + "x" * 129, "env:$X",
    "file:", "file:secret.txt", "file:./s", "file:~/s", "file:///run/secrets/s", "file:/\x07",
    "file:/" + "x" * 4096,
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_only_looks_like_a_reference_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert "literal:" in caught.value.hint
    assert (text.partition(":")[2] or "no text") not in caught.value.message


def test_it_is_found_at_its_place_however_deep() -> None:
    text = MANIFEST.replace("LINK", "file:s").replace("PROVIDER", "'env:a b'")
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(text.encode(), "one.yaml")
    assert [(each.line, each.column, each.path) for each in caught.value.findings] == [
        (11, 71, "spec.components[0].traits[0].properties.config.bucket"),
        (19, 35, "spec.components[1].properties.config.nodes[0].password"),
    ]


def test_the_model_keeps_references_as_they_are_written() -> None:
    text = MANIFEST.replace("LINK", "env:BUCKET").replace("PROVIDER", "file:/run/secrets/s")
    application = load_manifest(text.encode(), "one.yaml")
    assert application.actors[0].links[0].config == {"bucket": "env:BUCKET"}
    nodes = [{"host": "h", "password": "file:/run/secrets/s"}]
    assert application.providers[0].config == {"nodes": nodes}
    assert holds_references(application.providers[0].config)
    assert not holds_references({"a": ["literal:env:X", 5, None]})


def test_texts_are_replaced_at_any_depth_and_the_rest_is_not_copied() -> None:
    kept: list[object] = [1, None, True]
    config = {"a": {"b c": ["x", ("x", "y")]}, "kept": kept, "x": "y"}
    seen: list[str] = []

    def replace(text: str, path: str) -> str:
        seen.append(path)
        return "z" if text == "x" else text

    replaced = replace_texts(config, "config", replace)
    assert replaced == {"a": {"b c": ["z", ["z", "y"]]}, "kept": kept, "x": "y"}
    assert isinstance(replaced, dict)
    assert replaced["kept"] is kept
    assert seen == ["config.a.'b c'[0]", "config.a.'b c'[1][0]", "config.a.'b c'[1][1]", "config.x"]
    assert replace_texts(config, "config", lambda text, _: text) is config
