"""What a module is refused for is said in the words of WAT."""

from __future__ import annotations

import pytest

from actorhost.engine import admission
from actorhost.engine.modules import examine, validate
from actorhost.errors import ModuleRefused
from actorhost.limits import MIB
from tests.wat import ECHO, guest, wasm


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ('(global (export "{}") i32 (i32.const 1))', "a global i32"),
        ('(global (export "{}") (mut i64) (i64.const 1))', "a global (mut i64)"),
        ('(memory (export "{}") 1)', "a memory 1"),
        ('(memory (export "{}") 1 2)', "a memory 1 2"),
        ('(memory (export "{}") i64 1 2 shared)', "a memory i64 1 2 shared"),
        ('(table (export "{}") 1 funcref)', "a table 1 funcref"),
        ('(table (export "{}") i64 1 2 externref)', "a table i64 1 2 externref"),
        ('(tag (export "{}") (param i32 f64))', "a tag (i32, f64)"),
        ('(func (export "{}") (param i32))', "(i32) -> ()"),
    ],
)
def test_an_export_that_is_no_function_or_another_one(declared: str, said: str) -> None:
    info = examine(wasm(f"(module {declared.format('wapc_init')})"), max_module=MIB)
    with pytest.raises(ModuleRefused) as caught:
        admission.admit(info, memory=4 * MIB, table_elements=100)
    assert f"export wapc_init is {said}, and must be a function () -> ()" in caught.value.message


def test_a_valid_module() -> None:
    validate(guest(ECHO))


def test_code_that_breaks_a_rule_of_wasm_is_found_without_compiling() -> None:
    good = guest(ECHO)
    at = good.rindex(b"\x41\x01\x0b")  # i32.const 1, end
    with pytest.raises(ModuleRefused, match="expected i32, found i64"):
        validate(good[:at] + b"\x42" + good[at + 1 :])
