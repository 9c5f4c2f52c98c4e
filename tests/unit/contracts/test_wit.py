"""Holds the Python faces of the contracts to their WIT: names, types, effects, idempotence."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TypeGuard

import pytest

from actorhost.contracts import clock_reading, http, keyvalue, logging, random, sql
from actorhost.contracts.base import Contract, Operation
from tests.unit.contracts.wit_text import face_as_wit, file_as_wit

FACES = {
    "clock": clock_reading.CONTRACT,
    # Two sides of one WIT package.
    "http": replace(http.CLIENT, exports=http.SERVER.exports),
    "keyvalue": keyvalue.CONTRACT,
    "logging": logging.CONTRACT,
    "random": random.CONTRACT,
    "sql": sql.CONTRACT,
}
contracts = pytest.mark.parametrize(("name", "contract"), FACES.items(), ids=list(FACES))

READ_BY_THE_OFFICIAL_TOOL = "import sys, componentize_py; sys.exit(componentize_py.script())"


def wit_text(name: str) -> str:
    return (files("actorhost.contracts") / "wit" / f"{name}.wit").read_text("utf-8")


def test_every_wit_file_has_a_face() -> None:
    found = {item.name for item in (files("actorhost.contracts") / "wit").iterdir()}
    assert found == {f"{name}.wit" for name in FACES}


@contracts
def test_id_and_version_are_those_of_the_package(name: str, contract: Contract) -> None:
    assert f"\npackage {contract.id}@{contract.version};\n" in wit_text(name)


@contracts
def test_names_and_types_are_those_of_the_wit(name: str, contract: Contract) -> None:
    assert face_as_wit(contract) == file_as_wit(wit_text(name))


@contracts
def test_effects_and_idempotence_are_those_of_the_wit(name: str, contract: Contract, tmp_path: Path) -> None:
    declared = {
        function: (re.findall(r"^@effect (\w+)$", text, re.MULTILINE), "@idempotent" in text.splitlines())
        for function, text in documented(name, tmp_path).items()
    }
    assert declared == {
        operation.method: ([operation.effect.value], operation.idempotent) for operation in both(contract)
    }


@contracts
def test_the_official_tool_sees_the_same_parameters(name: str, contract: Contract, tmp_path: Path) -> None:
    seen = {
        function.name: [argument.arg for argument in function.args.args if argument.arg != "self"]
        for function in bindings(name, tmp_path)
    }
    assert seen == {
        operation.method: list(operation.params.__struct_fields__) for operation in both(contract)
    }


def both(contract: Contract) -> list[Operation]:
    """Return what an actor calls and what it serves."""
    return [*contract.operations.values(), *contract.exports.values()]


def bindings(name: str, folder: Path) -> list[ast.FunctionDef]:
    """Return the functions of the bindings that the official tool makes from a WIT file."""
    source = folder / f"{name}.wit"
    source.write_text(wit_text(name), "utf-8")
    command = ["-d", str(source), "-w", "actor", "bindings", str(folder / "made")]
    done = subprocess.run(
        [sys.executable, "-c", READ_BY_THE_OFFICIAL_TOOL, *command],
        capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    world = folder / "made" / "wit_world"
    made = [*world.joinpath("imports").glob("*.py"), world / "exports" / "__init__.py"]
    trees = [ast.parse(path.read_text("utf-8")) for path in made if path.exists()]
    # What an actor calls is a function of a module; what it serves is a method of a protocol.
    protocols = [node for tree in trees for node in tree.body if is_protocol(node)]
    bodies = [tree.body for tree in trees] + [protocol.body for protocol in protocols]
    return [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]


def is_protocol(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["Protocol"]


def documented(name: str, folder: Path) -> dict[str, str]:
    """Return the doc comment of each function, as the official tool attached it."""
    return {function.name: ast.get_docstring(function) or "" for function in bindings(name, folder)}
