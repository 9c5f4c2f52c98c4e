"""What the rules of the HTTP client leave open: configuration, bounds, secrets, the environment."""

from __future__ import annotations

import pytest

from actorhost.contracts.http import CLIENT, MAX_HEADERS, RequestParams, Response
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError, ProtocolError, ProviderFailed, ProviderRefused
from actorhost.ids import ActorName, LinkName
from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.http_origin import HANG_UP
from actorhost_providers.http.address import is_private
from actorhost_providers.http.client import AiohttpClient


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"allow": []},
        {"allow": ["example.com"]},
        {"allow": ["ftp://example.com"]},
        {"allow": ["http://*.0.0.1"]},
        {"allow": ["http://a/../b"]},
        {"allow": ["http://127.1"]},
        {"allow": ["http://a*b.test"]},
        {"allow": ["http://a"], "headers": {"a": "b\r\nc: d"}},
        {"allow": ["http://a"], "colour": 1},
        {"allow": ["http://a"], "timeout": 0},
    ],
)
def test_a_link_that_makes_no_sense_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused):
        AiohttpClient({}).check_link(Link(ActorName("a"), CLIENT.id, LinkName("default"), config))


async def test_certificate_authorities_that_are_none_are_refused() -> None:
    client = AiohttpClient({"authorities": __file__})
    with pytest.raises(ProviderRefused, match="authorities"):
        await client.start()


@pytest.mark.parametrize(
    "params",
    [
        RequestParams("GET", "http://a/"),
        RequestParams("PROPFIND", "http://a/", [("x-a", "é\t")], b"", 1, 0),
    ],
)
def test_the_contract_takes_what_may_be_sent(params: RequestParams) -> None:
    operation = CLIENT.operation("request")
    assert operation.decode_params(operation.encode_params(params)) == params


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Connection", "transfer-encoding", "TE", "a b", ""]
)
def test_the_contract_refuses_headers_that_are_not_the_actors(name: str) -> None:
    with pytest.raises(ProtocolError):
        RequestParams("GET", "http://a/", [(name, "1")])


@pytest.mark.parametrize("method", ["CONNECT", "trace", "GET /x", "", "GET\r\n"])
def test_the_contract_refuses_methods(method: str) -> None:
    with pytest.raises(ProtocolError):
        RequestParams(method, "http://a/")


def test_the_contract_refuses_what_would_split_a_message() -> None:
    for value in ("a\r\nb: c", "a\nb", "a\0", "x" * 9000):
        with pytest.raises(ProtocolError):
            Response(200, [("a", value)], b"")
    with pytest.raises(ProtocolError):
        Response(200, [("a", "b")] * (MAX_HEADERS + 1), b"")


async def test_no_proxy_of_the_environment_is_used(
    case: HttpClientCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, case.other.url)
    case.origin.answer("/")
    assert (await case.ask()).status == 200
    assert case.other.connections == 0


async def test_no_error_repeats_a_query_or_what_the_operator_adds(case: HttpClientCase) -> None:
    case.origin.say("/", HANG_UP)
    case.linked(headers={"authorization": "hush"})
    errors: list[ActorhostError] = [
        await case.fault("/?token=hush"),
        await case.fault(f"{case.other.url}/?token=hush"),
    ]
    assert isinstance(errors[0], ProviderFailed)
    assert errors[0].retryable
    assert not [error for error in errors if "hush" in f"{error.message} {error.hint}"]


async def test_connections_are_kept_and_large_bodies_sent_whole(case: HttpClientCase) -> None:
    case.origin.answer("/")
    for size in (0, 1, 70_000, 2_000_000):
        await case.ask("/", "PUT", body=b"x" * size)
        assert len(case.origin.asked[-1].body) == size
    assert case.origin.connections == 1


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_public_addresses(address: str) -> None:
    assert not is_private(address)


PRIVATE = """
    0.0.0.0 10.1.2.3 100.127.255.254 127.9.9.9 169.254.169.254 172.31.0.1 192.0.0.8 192.0.2.1 192.88.99.1
    192.168.0.1 198.18.0.1 224.0.0.251 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::ffff:10.0.0.1 fe80::1
    fe80::1%eth0 fc00::1 fec0::1 ff02::1 64:ff9b::a00:1 64:ff9b:1::1 2002:a00:1::1 2001::1 2001:db8::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses(address: str) -> None:
    assert is_private(address)
