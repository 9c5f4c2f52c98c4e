"""WASI preview 1 as this host gives it: which functions exist, and what each asks of the host.

The functions themselves are Wasm (wat/wasi.wat). A module that imports WASI under either of its
two names, ``wasi_snapshot_preview1`` or the older ``wasi_unstable``, gets a clock, randomness,
sleep, an empty standard input, and stdout and stderr in the actor's log; nothing else.
"""

from __future__ import annotations

import re
from typing import Final

from actorhost.engine.trampoline import Signature, wat_signature

MODULE_NAMES: Final = frozenset({"wasi_snapshot_preview1", "wasi_unstable"})

OLD_POLL: Final = "wasi_unstable:poll_oneoff"
"""``poll_oneoff`` as ``wasi_unstable`` had it: other records, so it answers an error instead."""

_BAD_DESCRIPTOR: Final = 8


def _types(text: str) -> Signature:
    """Read ``"iIi"`` as parameters i32, i64, i32 with an i32 errno as result."""
    return tuple("i32" if letter == "i" else "i64" for letter in text), ("i32",)


SIGNATURES: Final[dict[str, Signature]] = {
    **{
        name: _types(params)
        for name, params in {
            "args_get": "ii",
            "args_sizes_get": "ii",
            "clock_res_get": "ii",
            "clock_time_get": "iIi",
            "environ_get": "ii",
            "environ_sizes_get": "ii",
            "fd_advise": "iIIi",
            "fd_allocate": "iII",
            "fd_close": "i",
            "fd_datasync": "i",
            "fd_fdstat_get": "ii",
            "fd_fdstat_set_flags": "ii",
            "fd_fdstat_set_rights": "iII",
            "fd_filestat_get": "ii",
            "fd_filestat_set_size": "iI",
            "fd_filestat_set_times": "iIIi",
            "fd_pread": "iiiIi",
            "fd_prestat_dir_name": "iii",
            "fd_prestat_get": "ii",
            "fd_pwrite": "iiiIi",
            "fd_read": "iiii",
            "fd_readdir": "iiiIi",
            "fd_renumber": "ii",
            "fd_seek": "iIii",
            "fd_sync": "i",
            "fd_tell": "ii",
            "fd_write": "iiii",
            "path_create_directory": "iii",
            "path_filestat_get": "iiiii",
            "path_filestat_set_times": "iiiiIIi",
            "path_link": "iiiiiii",
            "path_open": "iiiiiIIii",
            "path_readlink": "iiiiii",
            "path_remove_directory": "iii",
            "path_rename": "iiiiii",
            "path_symlink": "iiiii",
            "path_unlink_file": "iii",
            "poll_oneoff": "iiii",
            "proc_raise": "i",
            "random_get": "ii",
            "sched_yield": "",
            "sock_accept": "iii",
            "sock_recv": "iiiiii",
            "sock_send": "iiiii",
            "sock_shutdown": "ii",
        }.items()
    },
    "proc_exit": (("i32",), ()),
    OLD_POLL: _types("iiii"),
}
"""Every function of the specification (WebAssembly/WASI, legacy/preview1) with its core signature."""


def shim_source(template: str) -> str:
    """Return the WAT of the shim: `template` with its table filled and the missing functions added."""
    written = set(re.findall(r"\(func \$(\w+) ", template))
    stubs = "\n  ".join(
        f"(func ${name} {wat_signature(signature)} (i32.const {_BAD_DESCRIPTOR}))"
        for name, signature in SIGNATURES.items()
        if name not in written
    )
    functions = " ".join(f"${name}" for name in SIGNATURES)
    return (
        template.replace("{count}", str(len(SIGNATURES)))
        .replace("{stubs}", stubs)
        .replace("{functions}", functions)
    )
