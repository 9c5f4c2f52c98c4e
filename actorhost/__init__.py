"""actorhost: a Wasm-native actor runtime. This file is the public face: ``Host`` and ``Client``."""
