"""An application made by a program is held to what a manifest is held to."""

from __future__ import annotations

import pytest

from actorhost.errors import InvalidInput
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.manifest import ActorSpec, Application, LinkSpec, ProviderSpec
from actorhost.manifest.fitting import check_application

KEYVALUE = ContractId("actorhost:keyvalue")
STORE = ProviderSpec(name=ActorName("store"), provider="keyvalue-memory", contract=KEYVALUE)


def link(name: str = "default", target: str = "store", namespace: str = KEYVALUE) -> LinkSpec:
    return LinkSpec(target=ActorName(target), namespace=namespace, name=LinkName(name))


def application(*links: LinkSpec, name: str = "a", contracts: tuple[ContractId, ...] = ()) -> Application:
    actor = ActorSpec(name=ActorName(name), module="a", links=links, contracts=contracts)
    return Application(name=ActorName("app"), actors=(actor,), providers=(STORE,))


def test_what_fits_is_taken() -> None:
    by_name = link(target="b", namespace="b")
    check_application(application(link(), link("second"), by_name, contracts=(KEYVALUE,)))


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        (
            application(link()),
            "link 'default' to 'store': the actor does not declare the contract actorhost:keyvalue",
            "add it to the actor's list: contracts: [actorhost:keyvalue]",
        ),
        (
            application(link(), link(target="more"), contracts=(KEYVALUE,)),
            "link 'default' to 'more': another link of this actor reaches actorhost:keyvalue as default",
            "give one of them another name; the first is to 'store'",
        ),
        (
            application(name="store"),
            "provider 'store': another component has this name",
            "rename one; the first is the actor 'store'",
        ),
    ],
)
def test_what_does_not_is_refused(wrong: Application, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_application(wrong)
    assert (refused.value.message.removeprefix("actor 'a', "), refused.value.hint) == (message, hint)
