"""actorhost: a Wasm-native actor runtime. This file is the public face: ``Host`` and ``Client``."""

from actorhost.host import Client, Host

__all__ = ["Client", "Host"]
