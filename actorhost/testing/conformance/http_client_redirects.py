"""Rules of the HTTP client about redirects: followed as RFC 9110 has it, and judged like first requests."""

from __future__ import annotations

from typing import Final

from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[HttpClientCase]] = Suite()
_BODY: Final = {"headers": [("Content-Type", "a/b"), ("x-a", "1")], "body": b"body"}


def _seen(case: HttpClientCase) -> tuple[str, str, bytes]:
    last = case.origin.asked[-1]
    return last.method, last.target, last.body


@SUITE.rule("redirect-followed", "A redirect is followed, also a relative one.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/a/b", 302, [("Location", "../c?d=%20#e")])
    case.origin.answer("/c", body=b"there")
    equal((await case.ask("/a/b")).body, b"there", "the body")
    equal(_seen(case), ("GET", "/c?d=%20", b""), "the request that was led on")


@SUITE.rule("redirect-to-get", "303 makes it a GET without body, 301 and 302 do so with a POST.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/there")
    for status, method in ((303, "PUT"), (301, "POST"), (302, "POST")):
        case.origin.answer(f"/{status}", status, [("Location", "/there")])
        await case.ask(f"/{status}", method, **_BODY)
        equal(_seen(case), ("GET", "/there", b""), f"the request after {status}")
        equal(case.origin.asked[-1].values("content-type"), [], "the type of no body")


@SUITE.rule("redirect-unchanged", "307 and 308 keep method, headers and body.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/there")
    for status in (307, 308):
        case.origin.answer(f"/{status}", status, [("Location", "/there")])
        await case.ask(f"/{status}", "POST", **_BODY)
        equal(_seen(case), ("POST", "/there", b"body"), f"the request after {status}")
        equal(case.origin.asked[-1].values("x-a"), ["1"], "the actor's header")


@SUITE.rule("redirect-judged", "A redirect to what the link does not allow is denied.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/", 302, [("Location", f"{case.other.url}/")])
    equal(str((await case.fault()).code), "denied", "the code")
    equal(case.other.connections, 0, "connections to what was not allowed")


@SUITE.rule("redirect-secrets", "Credentials do not go to another origin, nor back from there.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/", 307, [("Location", f"{case.other.url}/")])
    case.other.answer("/", 307, [("Location", f"{case.origin.url}/back")])
    case.origin.answer("/back")
    urls = [f"{case.origin.url}/*", f"{case.other.url}/*"]
    case.linked(allow=urls, headers={"x-key": "operator"})
    await case.ask(headers=[("Authorization", "mine"), ("Cookie", "a=1"), ("x-a", "1")])
    for asked in (*case.other.asked, case.origin.asked[-1]):
        secrets = [asked.values(name) for name in ("authorization", "cookie", "x-key")]
        equal(secrets, [[], [], []], "credentials elsewhere")
        equal(asked.values("x-a"), ["1"], "a header that is none")


@SUITE.rule("redirect-bound", "More redirects than the link says are provider_error.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/", 302, [("Location", "/")])
    case.linked(max_redirects=3)
    equal(str((await case.fault()).code), "provider_error", "the code")
    equal(len(case.origin.asked), 4, "requests")


@SUITE.rule("redirect-none", "Where none are to be followed, the redirect is the answer.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/", 302, [("Location", "/there")])
    case.linked(max_redirects=0)
    answer = await case.ask()
    equal((answer.status, dict(answer.headers).get("location")), (302, "/there"), "the answer")


@SUITE.rule("redirect-nonsense", "A redirect to what is no URL is provider_error.")
async def _(case: HttpClientCase) -> None:
    for number, place in enumerate(("javascript:alert(1)", "http://[", "http://user@127.0.0.1/")):
        case.origin.answer(f"/{number}", 302, [("Location", place)])
        code = str((await case.fault(f"/{number}")).code)
        holds(code == "provider_error", f"{place} ended with {code}")
