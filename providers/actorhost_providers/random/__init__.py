"""Backends of ``actorhost:random``, a file each."""
