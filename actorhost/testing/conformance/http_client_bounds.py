"""Rules of the HTTP client about what may be reached: nothing but what the link allows."""

from __future__ import annotations

from typing import Final

from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[HttpClientCase]] = Suite()


async def _refused(case: HttpClientCase, url: str, *codes: str) -> None:
    error = await case.fault(url)
    holds(str(error.code) in codes, f"{url} ended with {error.code}")
    equal((case.origin.connections, case.other.connections), (0, 0), f"connections for {url}")


@SUITE.rule("allowed-only", "What the link does not name is denied: scheme, host, port.")
async def _(case: HttpClientCase) -> None:
    port = case.origin.port
    for url in (
        case.other.url,
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.2:{port}",
        f"http://a.b:{port}",
    ):
        await _refused(case, f"{url}/", "denied")


@SUITE.rule("allowed-paths", "A path that the link does not name is denied, however it is written.")
async def _(case: HttpClientCase) -> None:
    case.linked(allow=[f"{case.origin.url}/in/*", f"{case.origin.url}/one"])
    for path in ("/out", "/in", "/one/more", "/one%2fmore"):
        await _refused(case, case.origin.url + path, "denied")
    for path in ("/in/../out", "/in/%2e%2E/out", "/in/..%2fout", "/in/..;/out"):
        await _refused(case, case.origin.url + path, "bad_request", "denied")
    case.origin.answer("/in/side")
    equal((await case.ask("/in/side?x=/../y")).status, 200, "the status of what is allowed")


@SUITE.rule("wildcard-hosts", "A star stands for labels in front, not for the name itself or another.")
async def _(case: HttpClientCase) -> None:
    port = case.origin.port
    case.linked(allow=[f"http://*.example.test:{port}"])
    for host in ("example.test", "notexample.test", "a.example.test.evil.test"):
        await _refused(case, f"http://{host}:{port}/", "denied")
    case.origin.answer("/")
    equal((await case.ask(f"http://A.B.Example.test:{port}/")).status, 200, "the status of what is allowed")


@SUITE.rule("private-refused", "Private addresses are denied unless the link allows them.")
async def _(case: HttpClientCase) -> None:
    port = case.origin.port
    case.linked(allow=["http://*:*"], allow_private=False)
    hosts = ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "169.254.169.254")  # noqa: S104
    for host in (*hosts, "100.64.0.1", "[64:ff9b::7f00:1]", "[fe80::1]", "224.0.0.1", "192.168.1.1"):
        await _refused(case, f"http://{host}:{port}/", "denied")


@SUITE.rule("private-by-name", "A name that leads to a private address is denied, too.")
async def _(case: HttpClientCase) -> None:
    case.linked(allow=["http://*:*"], allow_private=False)
    await _refused(case, f"http://public.test:{case.origin.port}/", "denied")


@SUITE.rule("one-spelling", "An address in another spelling than the usual one is refused.")
async def _(case: HttpClientCase) -> None:
    case.linked(allow=["http://*:*"])
    for host in ("2130706433", "127.1", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01"):
        await _refused(case, f"http://{host}:{case.origin.port}/", "bad_request", "denied")


@SUITE.rule("no-userinfo", "A URL with a user, control characters or another scheme is refused.")
async def _(case: HttpClientCase) -> None:
    case.linked(allow=["http://*:*"])
    rest = f"127.0.0.1:{case.origin.port}"
    for url in (f"http://a@{rest}/", f"http://a:b@{rest}/", f"http://{rest}/\r\nX: y", f"http://{rest}/a b"):
        await _refused(case, url, "bad_request")
    for url in ("file:///etc/passwd", f"ftp://{rest}/", f"http://{rest}\\@evil.test/", "http:///x"):
        await _refused(case, url, "bad_request")
