"""Grants are refused when a link cannot work, before any guest runs."""

from __future__ import annotations

import pytest

from actorhost.capability import Grants
from actorhost.capability.grants import ProviderGrant
from actorhost.capability.redaction import describe, secrets_of
from actorhost.contracts.provider import Link
from actorhost.errors import Denied, ProviderRefused
from actorhost.ids import ActorName
from actorhost.manifest.model import LinkSpec
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.unit.capability.board import KEYVALUE, ODDITIES, Oddities, actor, link


def test_a_target_that_is_not_running_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="linked to 'store', which is not running here") as caught:
        Grants.of(actor(link("store", KEYVALUE)), {"odd": Oddities({})})
    assert caught.value.hint == "running providers: odd"


def test_a_target_of_another_contract_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="linked to 'odd' for 'actorhost:keyvalue'") as caught:
        Grants.of(actor(link("odd", KEYVALUE)), {"odd": Oddities({})})
    assert caught.value.hint == "'odd' provides tests:oddities"


@pytest.mark.parametrize("config", [{"buckets": "x"}, {"bucket": 5}, {"bucket": ""}])
def test_a_link_configuration_the_provider_does_not_take_is_refused(config: dict[str, object]) -> None:
    linked = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, config=config)
    with pytest.raises(ProviderRefused, match="the link 'default' of actor 'thermostat'") as caught:
        Grants.of(actor(linked), {"store": MemoryKeyValue({})})
    assert caught.value.hint == "it may hold: bucket"


def test_a_provider_that_breaks_while_it_checks_a_link_refuses_it_without_secrets() -> None:
    class Fragile(Oddities):
        def check_link(self, link: Link) -> None:
            raise KeyError(f"no {link.config['login']}")

    linked = LinkSpec(target=ActorName("odd"), namespace=ODDITIES, config={"login": "hunter22"})
    with pytest.raises(ProviderRefused, match=r"the link 'default' of actor 'thermostat' .*no \*\*\*"):
        Grants.of(actor(linked), {"odd": Fragile({})})


def test_grants_do_not_follow_later_changes() -> None:
    config: dict[str, object] = {"bucket": "a"}
    linked = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, config=config)
    providers = {"store": MemoryKeyValue({})}
    grants = Grants.of(actor(linked), providers)
    config["bucket"] = "b"
    providers.clear()
    grant = grants.find("", KEYVALUE)
    assert isinstance(grant, ProviderGrant)
    assert grant.link.config == {"bucket": "a"}
    assert grants.find("", KEYVALUE) is grants.find("default", KEYVALUE)
    with pytest.raises(Denied):
        grants.find("", ODDITIES)


def test_secrets_are_the_texts_of_a_configuration_and_the_parts_of_urls() -> None:
    found = secrets_of({"url": "redis://u:pass-word@host/7", "n": 5, "l": ["abcd", ("wxyz",)], "s": "abc"})
    assert found[:3] == ("redis://u:pass-word@host/7", "pass-word", "redis")
    assert set(found[3:]) == {"abcd", "host", "wxyz"}


def test_an_exception_is_described_without_them() -> None:
    try:
        raise ValueError("login of abcd at wxyz failed")
    except ValueError as error:
        text = describe(error, ("abcd", "wxyz"))
    assert text.startswith("ValueError: login of *** at *** failed (test_grants.py:")
    assert describe(ValueError("never raised"), ()) == "ValueError: never raised"
