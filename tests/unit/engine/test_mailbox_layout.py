"""The mailbox layout in Python is the one the shim's source states."""

from __future__ import annotations

import re
from importlib.resources import files

from actorhost.engine import mailbox

_NAMES = {
    "op-length": mailbox.OP_LENGTH,
    "message-length": mailbox.MESSAGE_LENGTH,
    "top": mailbox.TOP,
    "limit": mailbox.LIMIT,
    "status": mailbox.STATUS,
    "reply-at": mailbox.REPLY_AT,
    "reply-length": mailbox.REPLY_LENGTH,
    "error-at": mailbox.ERROR_AT,
    "error-length": mailbox.ERROR_LENGTH,
    "reason": mailbox.REASON,
    "host-status": mailbox.HOST_STATUS,
    "host-at": mailbox.HOST_AT,
    "host-reply-length": mailbox.HOST_REPLY_LENGTH,
    "host-error-length": mailbox.HOST_ERROR_LENGTH,
    "need": mailbox.NEED,
    "exit": mailbox.EXIT,
    "wide": mailbox.WIDE,
}


def test_offsets_match_the_source_of_the_shim() -> None:
    text = (files("actorhost.engine") / "wat" / "wapc.wat").read_text(encoding="utf-8")
    stated = {name: int(offset) for offset, name in re.findall(r"(\d+) ([a-z-]+)", text.split("(module")[0])}
    for name, index in _NAMES.items():
        assert stated[name] == 4 * index, name
    assert stated["data"] == mailbox.DATA
