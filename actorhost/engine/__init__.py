"""The Wasm engine: guests on fibers in the event loop's thread; only this package knows Wasmtime.

``engine.py`` is the port; the way of a message inside is instance, mailbox (the request goes in),
runqueue (the fiber runs), requests (capability calls come out), mailbox (the reply is read).
"""

from actorhost.engine.config import Profile
from actorhost.engine.engine import Engine, EngineStatistics
from actorhost.engine.instance import Instance, InstanceOptions
from actorhost.engine.modules import Module
from actorhost.engine.requests import HostCall, Log
from actorhost.engine.runqueue import Usage

__all__ = [
    "Engine",
    "EngineStatistics",
    "HostCall",
    "Instance",
    "InstanceOptions",
    "Log",
    "Module",
    "Profile",
    "Usage",
]
