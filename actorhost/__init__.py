"""actorhost: a Wasm-native actor runtime. This file is the public face: ``Host`` and ``Client``.

They are imported when first asked for: `actorhost --help` needs neither the engine nor NATS.
"""

__all__ = ["Client", "Host"]

TYPE_CHECKING = False  # what type checkers take for true; `typing` is slow to import

if TYPE_CHECKING:
    from actorhost.host import Client, Host
else:

    def __getattr__(name: str) -> object:
        """Return a public class, imported now."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from actorhost import host  # noqa: PLC0415 - that is the point

        return getattr(host, name)
