"""Backends of ``actorhost:clock``, a file each."""
