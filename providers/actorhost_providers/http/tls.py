"""The certificate of an ``http-server`` and its key, from files, or what is wrong with them.

Read when a provider starts, and when a manifest is looked at; nothing is kept but what the caller keeps.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from actorhost.contracts.config import refusal
from actorhost.errors import ConfigFault
from actorhost_providers.http.settings import OWNER, Tls


def context_of(files: Tls) -> ssl.SSLContext:
    """Return what serves TLS with `files`, or raise :class:`~actorhost.errors.ConfigRefused`; blocks."""
    if faults := [*_missing("certificate", files.certificate), *_missing("key", files.key)]:
        raise refusal(OWNER, faults)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password OpenSSL would ask on the terminal for that of an encrypted key.
        context.load_cert_chain(files.certificate, files.key, password="")
    except (OSError, ssl.SSLError) as error:
        message = f"cannot use certificate {files.certificate} with key {files.key}: {error}"
        fault = ConfigFault(
            ("tls",), message, "give files in PEM that belong together, the key not encrypted"
        )
        raise refusal(OWNER, [fault]) from None
    return context


def _missing(key: str, path: str) -> Iterator[ConfigFault]:
    """Yield why the file at `path` cannot be read, if it cannot."""
    why = ""
    try:
        if Path(path).is_file():
            with Path(path).open("rb"):
                return
        why = "not a file" if Path(path).exists() else "there is no such file"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
    hint = "give the path of a file in PEM, as seen from where the host runs, which it may read"
    yield ConfigFault(("tls", key), f"cannot read {path}: {why}", hint)
