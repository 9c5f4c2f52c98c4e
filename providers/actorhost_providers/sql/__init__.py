"""Backends of ``actorhost:sql``: one file a backend, offered as entry points ``sql-...``."""
