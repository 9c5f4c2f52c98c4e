"""Backends of ``actorhost:keyvalue``, a file each."""
