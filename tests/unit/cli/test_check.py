"""`check` tells everything at once with its place; `up` and `deploy` refuse the same before they start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actorhost.cli import commands, examination
from actorhost.ids import Digest
from tests.wat import ECHO, guest, wasm

Captured = pytest.CaptureFixture[str]

HEAD = "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: NAME}\nspec:\n  components:\n"
STRANGE = '(module (import "env" "x" (func)) (global (export "__guest_call") (mut i32) (i32.const 1)))'
MODULE = "spec.components[0].properties.module"
STORE = (
    "- {name: store, type: provider, properties: {provider: keyvalue-memory, contract: actorhost:keyvalue}}"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with modules of every sort."""
    monkeypatch.chdir(tmp_path)
    good = guest(ECHO)
    Path("good.wasm").write_bytes(good)
    Path("strange.wasm").write_bytes(wasm(STRANGE))
    Path("text.wasm").write_text("hello")
    # The last constant becomes an i64: declared as before, and no longer valid.
    at = good.rindex(b"\x41\x01\x0b")
    Path("invalid.wasm").write_bytes(good[:at] + b"\x42" + good[at + 1 :])
    Path("folder.wasm").mkdir()
    return tmp_path


def manifest(*components: str, name: str = "app") -> str:
    """Write a manifest of `components`, the first on line 6, and return its path."""
    path = Path(f"{name}.yaml")
    path.write_text(HEAD.replace("NAME", name) + "".join(f"    {each}\n" for each in components))
    return str(path)


def actor(properties: str, name: str = "one", traits: str = "") -> str:
    return f"- {{name: {name}, type: actor, properties: {{{properties}}}, traits: [{traits}]}}"


def link(properties: str) -> str:
    return f"{{type: link, properties: {{{properties}}}}}"


def check(capsys: Captured, *paths: str) -> list[dict[str, Any]]:
    """Return what ``check --json`` finds, after comparing it with what people read."""
    capsys.readouterr()
    code = commands.run(["check", "--json", *paths])
    out, err = capsys.readouterr()
    assert err == ""
    found: list[dict[str, Any]] = json.loads(out)["findings"]
    assert code == (2 if found else 0)
    assert commands.run(["check", *paths]) == code
    report = capsys.readouterr().err
    for each in found:
        assert (
            f"{each['file']}:{each['line']}:{each['column']}: {each['path']}: {each['message']}\n" in report
        )
        assert f"    hint: {each['hint']}" in report
        assert f"    {each['excerpt']}\n" in report or not each["excerpt"]
    return found


def places(found: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(each["line"], each["path"]) for each in found]


def test_nothing_to_correct(capsys: Captured) -> None:
    path = manifest(actor(f"module: good.wasm, digest: {Digest.of(guest(ECHO))}"))
    assert check(capsys, path) == []
    assert commands.run(["check", path]) == 0
    assert capsys.readouterr() == ("1 manifest: nothing to correct\n", "")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("missing.wasm", "cannot read missing.wasm: No such file or directory"),
        ("folder.wasm", "folder.wasm is not a file"),
        ("/dev/zero", "/dev/zero is not a file"),
        ("text.wasm", "not a WebAssembly module"),
        ("strange.wasm", "import env.x (func) is not one this host gives"),
        ("strange.wasm", "export __guest_call is a global (mut i32), and must be a function"),
        ("invalid.wasm", "not a valid module: type mismatch: expected i32, found i64"),
    ],
)
def test_a_module_that_cannot_run_is_found_where_it_is_named(
    module: str, message: str, capsys: Captured
) -> None:
    (finding,) = check(capsys, manifest(actor(f"module: {module}")))
    assert message in finding["message"]
    line = Path("app.yaml").read_text().splitlines()[5]
    assert finding["excerpt"] == line.strip()
    assert (finding["line"], finding["column"]) == (6, line.index(module) + 1)
    assert (finding["file"], finding["path"]) == ("app.yaml", MODULE)
    assert finding["hint"]


def test_a_changed_module_is_found_at_its_digest(capsys: Captured) -> None:
    (finding,) = check(capsys, manifest(actor(f"module: good.wasm, digest: {'0' * 64}")))
    assert finding["path"] == "spec.components[0].properties.digest"
    assert finding["message"] == f"the module has the digest {Digest.of(guest(ECHO))}"


def test_text_and_modules_are_found_in_one_run_in_the_order_of_the_file(capsys: Captured) -> None:
    path = manifest(
        actor("module: missing.wasm", "Bad"),
        actor("module: good.wasm, weight: 0", "two"),
        actor(f"module: text.wasm, digest: {'0' * 64}", "three"),
        actor("mod: good.wasm", "four"),
        "- {name: five, type: provider, properties: {provider: nonesuch}}",
        actor("module: strange.wasm, contract: []", "six"),
    )
    assert places(check(capsys, path)) == [
        (6, "spec.components[0].name"),
        (6, MODULE),
        (7, "spec.components[1].properties.weight"),
        (8, "spec.components[2].properties.module"),
        (8, "spec.components[2].properties.digest"),
        (9, "spec.components[3].properties.mod"),
        (10, "spec.components[4].properties"),
        (10, "spec.components[4].properties.provider"),
        (11, "spec.components[5].properties.module"),
        (11, "spec.components[5].properties.contract"),
    ]


def test_a_memory_that_cannot_be_read_does_not_make_the_module_too_large(capsys: Captured) -> None:
    Path("large.wasm").write_bytes(guest(ECHO, pages=2000))
    (finding,) = check(capsys, manifest(actor("module: large.wasm, memory: 128MB")))
    assert finding["path"] == "spec.components[0].properties.memory"
    (finding,) = check(capsys, manifest(actor("module: large.wasm, memory: 64MiB")))
    assert "131072000 bytes of memory, and the limit is 67108864" in finding["message"]


def test_a_module_over_the_limit_is_not_read(capsys: Captured) -> None:
    with Path("huge.wasm").open("wb") as file:
        file.truncate(1 << 33)
    (finding,) = check(capsys, manifest(actor("module: huge.wasm")))
    assert finding["message"].startswith("a module of 8589934592 bytes is over the limit")


def test_actors_with_one_module_have_a_finding_each_and_it_is_read_once(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    content = examination._content

    def counted(path: Path, limits: Any) -> bytes:
        read.append(path.name)
        return content(path, limits)

    monkeypatch.setattr(examination, "_content", counted)
    path = manifest(*(actor("module: strange.wasm", name) for name in ("one", "two", "three")))
    assert [line for line, _ in places(check(capsys, path))] == [6, 7, 8]
    assert read == ["strange.wasm"] * 2  # once for --json, once for people


PROVIDER = "spec.components[0].properties"


@pytest.mark.parametrize(
    ("properties", "path", "message", "hint"),
    [
        (
            "provider: keyvalue-memry, contract: actorhost:keyvalue",
            f"{PROVIDER}.provider",
            "provider 'keyvalue-memry' is not installed",
            "installed: ",
        ),
        (
            "provider: keyvalue-memory, contract: actorhost:logging",
            f"{PROVIDER}.provider",
            "provider 'keyvalue-memory' does not serve actorhost:logging",
            "it serves actorhost:keyvalue",
        ),
        (
            "provider: keyvalue-memory, contract: actorhost:keyvalue, config: {max_key: 1}",
            f"{PROVIDER}.config.max_key",
            "unknown key",
            "did you mean max_keys? it may hold: max_bytes, max_keys",
        ),
        (
            "provider: logging, contract: actorhost:logging, config: {level: loud}",
            f"{PROVIDER}.config.level",
            "Invalid enum value 'loud'",
            "use one of trace, debug, info, warn, error, critical",
        ),
    ],
)
def test_a_provider_that_up_would_refuse(
    properties: str, path: str, message: str, hint: str, capsys: Captured
) -> None:
    found = check(capsys, manifest(f"- {{name: store, type: provider, properties: {{{properties}}}}}"))
    assert [(each["line"], each["path"], each["message"]) for each in found] == [(6, path, message)]
    assert found[0]["hint"].startswith(hint)


def test_a_link_that_up_would_refuse(capsys: Captured) -> None:
    wrong = link("target: store, contract: actorhost:keyvalue, config: {bucket: 5}")
    path = manifest(STORE, actor("module: good.wasm, contracts: [actorhost:keyvalue]", traits=wrong))
    (finding,) = check(capsys, path)
    assert finding["path"] == "spec.components[1].traits[0].properties.config.bucket"
    assert finding["message"] == "Expected `str`, got `int`"
    assert finding["hint"] == "write `str`, or leave bucket out"


def test_one_mistake_is_one_finding_also_when_a_link_depends_on_it(capsys: Captured) -> None:
    to_store = link("target: store, contract: actorhost:keyvalue, config: {bucket: 5}")
    using = actor("module: good.wasm, contracts: [actorhost:keyvalue]", traits=to_store)
    missing = STORE.replace("keyvalue-memory", "nonesuch")
    assert places(check(capsys, manifest(missing, using))) == [(6, f"{PROVIDER}.provider")]
    undeclared = actor("module: good.wasm", traits=to_store)
    assert [finding["message"] for finding in check(capsys, manifest(STORE, undeclared))] == [
        "the actor does not declare the contract actorhost:keyvalue",
        "Expected `str`, got `int`",
    ]


def test_what_refers_to_secrets_is_left_to_the_host(capsys: Captured) -> None:
    to_store = link("target: store, contract: actorhost:keyvalue, config: {bucket: 'file:/no/such/file'}")
    using = actor("module: good.wasm, contracts: [actorhost:keyvalue]", traits=to_store)
    referring = STORE.replace("memory", "redis").replace("}}", ", config: {url: 'env:NOT_SET'}}}")
    assert check(capsys, manifest(referring, using)) == []
    (finding,) = check(capsys, manifest(referring.replace("NOT_SET", "not set"), using))
    assert finding["path"] == f"{PROVIDER}.config.url"
    assert finding["hint"].startswith("use letters, digits")


def test_two_applications_with_an_actor_of_one_name(capsys: Captured) -> None:
    first = manifest(actor("module: good.wasm"), actor("module: good.wasm", "two"), name="first")
    second = manifest(actor("module: good.wasm", "three"), actor("module: good.wasm", "two"), name="second")
    (finding,) = check(capsys, first, second)
    assert (finding["file"], finding["line"], finding["path"]) == (second, 7, "spec.components[1].name")
    assert finding["message"] == "application first has an actor of this name too"
    assert finding["hint"].endswith("the other is at first.yaml:7")


def test_an_application_given_again_replaces_itself(capsys: Captured) -> None:
    path = manifest(actor("module: good.wasm"))
    assert check(capsys, path, path) == []


def test_a_configuration_that_is_none_is_one_finding(capsys: Captured) -> None:
    (finding,) = check(capsys, manifest(STORE.replace("}}", ", config: [max_keys]}}")))
    assert (finding["path"], finding["message"]) == (f"{PROVIDER}.config", "expected a map, found a list")


def test_what_is_wrong_hides_neither_files_nor_collides_with_others(capsys: Captured) -> None:
    """A port served with TLS, a file of which is missing, and another mistake beside it."""
    first = serving("first", "/one")
    tls = "tls: {certificate: none.pem, key: good.wasm}, max-body: -1"
    second = serving("second", "/two")
    Path(second).write_text(Path(second).read_text().replace("port: 8080", f"port: 8080, {tls}"))
    paths = [finding["path"].rpartition("config.")[2] for finding in check(capsys, first, second)]
    assert paths == ["tls.certificate", "max-body"]


def serving(name: str, path: str, port: int = 8080, methods: str = "GET") -> str:
    """Write a manifest of an actor with a route, and return its path."""
    route = f"target: web, contract: 'actorhost:http', config: {{path: {path}, methods: [{methods}]}}"
    web = "{name: web, type: provider, properties: {provider: http-server, contract: 'actorhost:http'"
    one = actor("module: good.wasm, contracts: ['actorhost:http']", f"{name}-actor", link(route))
    return manifest(one, f"- {web}, config: {{port: {port}}}}}}}", name=name)


def test_routes_of_two_applications_meet_on_one_port(capsys: Captured) -> None:
    first, second = serving("first", "/one"), serving("second", "/one")
    (finding,) = check(capsys, first, second)
    assert (finding["file"], finding["line"]) == (second, 6)
    assert finding["path"] == "spec.components[0].traits[0].properties.config.path"
    assert finding["message"].endswith("which actor 'first-actor' has as '/one'")
    for other in (("/two",), ("/one", 8081), ("/one", 8080, "PUT")):
        assert check(capsys, first, serving("second", *other)) == []


def test_routes_of_an_application_that_is_replaced_meet_nobody(capsys: Captured) -> None:
    before = serving("first", "/one")
    Path(before).rename("before.yaml")
    after = serving("first", "/other")
    assert check(capsys, "before.yaml", after, serving("second", "/one")) == []
    assert check(capsys, after, after) == []


def test_files_that_cannot_be_read_are_findings_among_the_others(capsys: Captured) -> None:
    path = manifest(actor("module: missing.wasm"))
    found = check(capsys, "nowhere.yaml", path, "folder.wasm", "/dev/zero")
    assert [(each["file"], each["line"], each["path"]) for each in found] == [
        ("nowhere.yaml", 1, "manifest"),
        ("app.yaml", 6, MODULE),
        ("folder.wasm", 1, "manifest"),
        ("/dev/zero", 1, "manifest"),
    ]
    assert found[0]["message"] == "cannot read nowhere.yaml: No such file or directory"


def test_many_findings_are_counted_and_not_all_shown(capsys: Captured) -> None:
    one = manifest(*(actor("module: good.wasm, weight: 0", f"n{n}") for n in range(150)), name="one")
    two = manifest(*(actor("module: good.wasm, weight: 0", f"m{n}") for n in range(1500)), name="two")
    assert commands.run(["check", one, two]) == 2
    report = capsys.readouterr().err
    assert report.count("weight: ") == 200  # each with its line
    assert report.endswith(
        "50 more findings are not shown\n\n1500 more findings in further manifests are not shown\n"
    )
    assert commands.run(["check", "--json", one, two]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (len(answer["findings"]), answer["more"]) == (100, 1550)


@pytest.mark.parametrize("command", ["up", "deploy"])
def test_what_check_finds_is_refused_before_anything_starts(command: str, capsys: Captured) -> None:
    path = manifest(actor("module: missing.wasm"), actor("module: strange.wasm", "two"))
    assert commands.run(["check", path]) == 2
    report = capsys.readouterr().err
    assert report.startswith("app.yaml cannot run as it is: 2 findings\napp.yaml:6:")
    assert commands.run([command, path, "--nats", "nats://127.0.0.1:9"]) == 2
    assert capsys.readouterr() == ("", report)


def test_deploy_leaves_providers_to_the_hosts_and_up_does_not(capsys: Captured) -> None:
    path = manifest(STORE.replace("keyvalue-memory", "nonesuch"))
    assert commands.run(["deploy", path, "--nats", "nats://127.0.0.1:9"]) == 3
    assert "nonesuch" not in capsys.readouterr().err
    assert commands.run(["up", path, "--nats", "nats://127.0.0.1:9"]) == 2
    assert "app.yaml:6:60: spec.components[0].properties.provider" in capsys.readouterr().err


def test_deploy_holds_what_is_installed_to_what_it_takes_but_not_to_this_machine(capsys: Captured) -> None:
    server = "provider: http-server, contract: CONTRACT, config: {MORE}"
    web = f"- {{name: NAME, type: provider, properties: {{{server}}}}}"
    http = web.replace("CONTRACT", "actorhost:http")
    tls = http.replace("MORE", "port: 80, address: 192.0.2.1, tls: {certificate: /no.pem, key: /no.pem}")
    taken = http.replace("NAME", "taken").replace("MORE", "port: 80, address: 192.0.2.1, connections: 5")
    good = manifest(tls.replace("NAME", "web"), taken)
    assert commands.run(["check", good]) == 2
    assert commands.run(["deploy", good, "--nats", "nats://127.0.0.1:9"]) == 3
    capsys.readouterr()
    route = link("target: wrong, contract: actorhost:http, config: {path: x, method: GET}")
    bad = manifest(
        actor("module: good.wasm, contracts: [actorhost:http]", traits=route),
        http.replace("NAME", "wrong").replace("MORE", "port: x"),
        web.replace("NAME", "other").replace("CONTRACT", "acme:other").replace("MORE", "port: 1"),
    )
    assert commands.run(["check", bad]) == 2
    report = capsys.readouterr().err
    assert report.startswith("app.yaml cannot run as it is: 4 findings\n")
    assert commands.run(["deploy", bad, "--nats", "nats://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err == report


def test_a_file_that_may_not_be_read(capsys: Captured) -> None:
    Path("loop.wasm").symlink_to("loop.wasm")
    (finding,) = check(capsys, manifest(actor("module: loop.wasm")))
    assert finding["message"] == f"cannot read loop.wasm: {os.strerror(40)}"
