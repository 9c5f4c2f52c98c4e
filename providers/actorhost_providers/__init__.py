"""Capability providers that come with actorhost, found by entry point; a folder a contract."""
