"""Backends of ``actorhost:logging``, a file each."""
