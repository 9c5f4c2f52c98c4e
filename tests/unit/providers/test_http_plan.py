"""What http-servers on one port have in common is planned together, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from actorhost.contracts.provider import Surroundings
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
        ({"address": "::1"}, {"address": "0:0:0:0:0:0:0:1"}, ""),
        ({"address": "::1"}, {"address": "0:0:0:0:0:0:0:1", "connections": 5}, "port"),
        ({"address": "LOCALHOST"}, {}, "address"),
        ({"address": "LOCALHOST"}, {"address": "localhost"}, ""),
    ],
)
def test_ports_are_shared_or_refused(one: dict[str, Any], other: dict[str, Any], key: str) -> None:
    around = Surroundings()
    plan_of(ServerConfig.read({"port": 80, **one}, "one"), around)
    settings = ServerConfig.read({"port": 80, **other}, "other")
    if not key:
        plan_of(settings, around)
        return
    with pytest.raises(ConfigRefused) as caught:
        plan_of(settings, around)
    assert [fault.path for fault in caught.value.faults] == [(key,)]


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_a_process_of_its_own_shares_no_port(first: bool, second: bool) -> None:
    shared: dict[str, Any] = {}
    settings = ServerConfig.read({"port": 80}, "both")
    plan_of(settings, Surroundings(shared=shared, alone=first))
    with pytest.raises(ConfigRefused, match="a process of its own"):
        plan_of(settings, Surroundings(shared=shared, alone=second))
    elsewhere = ServerConfig.read({"port": 80, "address": "192.0.2.1"}, "elsewhere")
    assert plan_of(elsewhere, Surroundings(shared=shared, alone=True)).alone


def test_an_address_that_no_socket_takes_is_refused() -> None:
    with pytest.raises(ConfigRefused, match="nobody can listen at ::ffff:127") as caught:
        ServerConfig.read({"port": 80, "address": "::ffff:127.0.0.1"}, "one")
    assert caught.value.hint == "write 127.0.0.1"
