"""Subjects: one spelling for each address, and a clear refusal of every other text."""

from __future__ import annotations

import pytest

from actorhost.errors import InvalidInput, ProtocolError
from actorhost.ids import HostId, LatticeName
from actorhost.wire import subject


def test_an_operation_is_one_token() -> None:
    spelled = subject.rpc_subject("default", "thermostat", "HttpServer.Handle Request/ü*>~")
    assert spelled == "ah.default.rpc.thermostat.HttpServer%2EHandle%20Request%2F%C3%BC%2A%3E%7E"
    assert subject.parse_rpc(spelled).operation == "HttpServer.Handle Request/ü*>~"


def test_the_wildcard_stands_for_the_operation() -> None:
    assert subject.rpc_wildcard("l", "a") == "ah.l.rpc.a.*"
    assert subject.control_wildcard("l", "all") == "ah.l.ctl.all.*"


def test_control_addresses_name_a_host_or_all() -> None:
    host = HostId.new()
    assert subject.parse_control(subject.control_subject("l", host, "ps")).host == host
    assert subject.parse_control(subject.control_subject("l", subject.ALL_HOSTS, "ps")).host is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ah",
        "ah.l.rpc.a",
        "ah.l.rpc.a.b.c",
        "xx.l.rpc.a.b",
        "ah.l.ctl.a.b",
        "ah.L.rpc.a.b",
        "ah.l.rpc.A.b",
        "ah.l.rpc..b",
        "ah.l.rpc.a.",
        "ah.l.rpc.a.%",
        "ah.l.rpc.a.%2e",
        "ah.l.rpc.a.%ff",
        "ah.l.rpc.a.%41",
        "ah.l.rpc.a.%FF",
        "ah.l.rpc.a.%00",
        "ah.l.rpc.a.b c",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        subject.parse_rpc(text)


def test_a_second_spelling_is_refused_with_the_right_one() -> None:
    with pytest.raises(ProtocolError, match="canonical") as refusal:
        subject.decode_operation("%41b")
    assert refusal.value.hint == "use Ab"


def test_a_queue_group_is_one_word_for_each_subject_of_each_actor() -> None:
    assert subject.ingest_queue("l", "a", "küche.*.>") == "ah.l.ingest.a.k%C3%BCche.%2A.%3E"
    assert subject.ingest_queue("l", "a", "x.*") != subject.ingest_queue("l", "a", "x.b")


def test_events_have_a_subject_for_each_type() -> None:
    assert subject.event_subject("l", "actor-failed") == "ah.l.evt.actor-failed"
    assert subject.event_wildcard("l") == "ah.l.evt.*"
    assert subject.parse_event("ah.l.evt.actor-failed") == subject.EventAddress(
        LatticeName("l"), "actor-failed"
    )


@pytest.mark.parametrize(
    "text",
    ["", "ah.l.evt", "ah.l.evt.", "ah.l.evt.a.b", "ah.l.evt.*", "ah.l.evt.A", "ah.l.evt.a_b", "ah.l.evt.a-",
     "ah.l.evt.-a", "ah.l.evt.a--b", "ah.l.evt.a\n", "ah.L.evt.a", "ah..evt.a", "xx.l.evt.a", "ah.l.rpc.a",
     f"ah.l.evt.{'a' * 64}"],
)  # fmt: skip
def test_other_texts_are_no_event_subjects(text: str) -> None:
    with pytest.raises(InvalidInput):
        subject.parse_event(text)


@pytest.mark.parametrize("branch", subject.ProviderBranch)
def test_the_subject_of_a_provider_is_found_again(branch: subject.ProviderBranch) -> None:
    run = HostId.new()
    spelled = subject.provider_subject("l", branch, "store", run, "get many")
    assert spelled == f"ah.l.{branch}.store.{run}.get%20many"
    found = subject.parse_provider(spelled)
    assert (found.branch, found.provider, found.instance, found.operation) == (
        branch,
        "store",
        run,
        "get many",
    )
    assert subject.provider_wildcard("l", branch, "store", run) == f"ah.l.{branch}.store.{run}.*"


@pytest.mark.parametrize(
    "text", ["", "ah.l.cap.store.get", "ah.l.rpc.store.0000000000000000.get", "ah.l.cap.store.x.get",
             "ah.l.prv.store.0000000000000000.%67"],
)  # fmt: skip
def test_other_texts_are_no_subjects_of_providers(text: str) -> None:
    with pytest.raises(InvalidInput):
        subject.parse_provider(text)
