"""What http-servers on one port have in common is planned together, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from actorhost.errors import ConfigRefused
from actorhost_providers.http.plan import plan_of
from actorhost_providers.http.settings import ServerConfig

ALL = "0.0.0.0"  # noqa: S104 - planned, never bound


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ({}, {}, ""),
        ({}, {"max-body": 5}, ""),
        ({}, {"idle-timeout": 5}, "port"),
        ({}, {"address": ALL}, "address"),
        ({"address": "::"}, {"address": "::1"}, "address"),
        ({"address": "::"}, {"address": ALL}, ""),
        ({"address": "localhost"}, {}, "address"),
        ({"address": "localhost"}, {"address": "localhost"}, ""),
        ({"address": "localhost"}, {"address": "192.0.2.1"}, ""),
        ({"port": 81}, {"address": ALL}, ""),
        ({"port": 0}, {"port": 0, "connections": 5}, ""),
    ],
)
def test_ports_are_shared_or_refused(one: dict[str, Any], other: dict[str, Any], key: str) -> None:
    shared: dict[str, Any] = {}
    plan_of(ServerConfig.read({"port": 80, **one}, "one"), shared)
    settings = ServerConfig.read({"port": 80, **other}, "other")
    if not key:
        plan_of(settings, shared)
        return
    with pytest.raises(ConfigRefused) as caught:
        plan_of(settings, shared)
    assert [fault.path for fault in caught.value.faults] == [(key,)]
