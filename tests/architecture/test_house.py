"""The house rules that a machine can check: sizes, names, docstrings, and what may not be written."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.sources import PACKAGES, ROOT, python_files, shown, tracked, tree

MAX_FILE_LINES: Final = 400
MAX_FUNCTION_LINES: Final = 60
P90_FUNCTION_LINES: Final = 25
VAGUE_NAMES: Final = re.compile(r"(^|_)(utils?|common|helpers?|managers?|misc)(_|$)")
# Assembled here, so that this file does not break its own rule.
FOREIGN: Final = (
    *("/" + name + "/" for name in ("root", "work", "home", "Users")),
    *("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "crates" + ".io", "proxy.golang" + ".org"),
)
SOURCE_SUFFIXES: Final = frozenset([".c", ".h", ".js", ".py", ".sh", ".ts", ".wat", ".wit", ".zig"])
TEXT_SUFFIXES: Final = SOURCE_SUFFIXES | {"", ".json", ".md", ".toml", ".txt", ".yaml"}

EVERYWHERE: Final = (*PACKAGES, "tests", "actors")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, Function)]


def body_lines(function: Function) -> int:
    """Count the lines of `function` without its decorators and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def first_paragraph(path: Path) -> str:
    text = ast.get_docstring(tree(path)) or ""
    return text.split("\n\n", maxsplit=1)[0].replace("\n", " ")


def test_every_file_says_its_one_job_first() -> None:
    silent = [
        shown(path) for path in python_files(*EVERYWHERE) if not re.search(r"\w.*[.:]", first_paragraph(path))
    ]
    assert not silent, "start these with a docstring whose first sentence is their job"


def test_every_file_can_be_read_in_one_sitting() -> None:
    lengths = {shown(path): path.read_text("utf-8").count("\n") for path in python_files(*EVERYWHERE)}
    long = {name: length for name, length in lengths.items() if length > MAX_FILE_LINES}
    assert not long, "split these by job"


def test_every_function_is_short() -> None:
    sizes = {
        f"{shown(path)}:{item.lineno} {item.name}": body_lines(item)
        for path in python_files(*EVERYWHERE)
        for item in functions(path)
    }
    long = {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES}
    assert not long, "split these into steps"


def test_nine_functions_in_ten_are_shorter_than_25_lines() -> None:
    sizes = sorted(body_lines(item) for path in python_files(*PACKAGES) for item in functions(path))
    assert sizes[int(len(sizes) * 0.9)] < P90_FUNCTION_LINES


def test_every_module_is_named_after_what_it_is() -> None:
    vague = [shown(path) for path in python_files(*EVERYWHERE) if VAGUE_NAMES.search(path.stem)]
    assert not vague, "name these after the one thing they do"


def test_tasks_are_started_only_where_somebody_owns_them() -> None:
    """Ruff bans ``asyncio.create_task``; a loop's own method must not be the way around it."""
    loose = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr == "create_task"
        and "loop" in ast.unparse(node.value)
    ]
    assert not loose, "give these tasks a parent"


def _swallows(handler: ast.ExceptHandler) -> bool:
    caught = "BaseException" if handler.type is None else ast.unparse(handler.type)
    empty = all(isinstance(step, ast.Pass) for step in handler.body)
    return empty and ("Cancelled" in caught or "BaseException" in caught)


def test_cancellation_is_never_swallowed() -> None:
    swallowed = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _swallows(node)
    ]
    assert not swallowed, "let it through"


def test_no_file_knows_a_machine_or_a_registry() -> None:
    texts = {shown(path): path.read_text("utf-8") for path in tracked() if path.suffix in TEXT_SUFFIXES}
    found = [f"{name}: {word}" for name, text in texts.items() for word in FOREIGN if word in text]
    assert not found


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "docs/decisions.md", ".ci/run"])
def test_what_a_newcomer_looks_for_exists(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0


def test_no_binary_but_the_guests_built_here() -> None:
    """A ``.wasm`` lies beside the source and README it was built from; no other binary is tracked."""
    binaries = [path for path in tracked() if b"\0" in path.read_bytes()[:8192]]
    strange = [
        shown(path)
        for path in binaries
        if path.suffix != ".wasm" or not (path.parent / "README.md").is_file()
    ]
    assert not strange
