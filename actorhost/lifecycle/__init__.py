"""Supervision as pure data: what ended and when goes in, what to do next comes out."""

from __future__ import annotations

from actorhost.lifecycle.restarts import Cause, RestartPolicy, Restarts

__all__ = ["Cause", "RestartPolicy", "Restarts"]
