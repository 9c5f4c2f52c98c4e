"""Answers questions and instructions to this host: who it is, what runs, its logs, deployments.

Owned by the host: reachable from :meth:`Control.run` until :meth:`Control.stop`. Each request with a
reply subject gets exactly one answer; at most sixteen are served at a time and more are refused.
A request in hand when the host stops is answered with a fault; uploads are lost with the host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import anyio
from anyio.abc import TaskStatus

from actorhost.capability.broker import Counted, Tally
from actorhost.errors import ActorhostError, BadRequest, Closed, InternalError, Overloaded
from actorhost.host import control_messages as messages
from actorhost.host import links, status
from actorhost.host.control_messages import ControlOperation, DeployReply, DeployRequest
from actorhost.host.delivery import Answer
from actorhost.host.deployment import Deployment
from actorhost.host.router import Router
from actorhost.host.uploads import Uploads
from actorhost.ids import HostId, LatticeName
from actorhost.limits import Limits
from actorhost.manifest import Application, load_manifest
from actorhost.telemetry import log
from actorhost.telemetry.log import Log
from actorhost.transport import Subscription, Transport
from actorhost.wire.codec import decode
from actorhost.wire.envelope import Kind
from actorhost.wire.subject import ALL_HOSTS, control_wildcard, parse_control

MAX_REQUESTS: Final = 16
"""Requests in hand at a time."""

_log: Final = Log("actorhost.host")

_Serve = Callable[[bytes], Awaitable[Any]]


class Controlled(Protocol):
    """What control needs of a host."""

    id: HostId
    lattice: LatticeName
    limits: Limits
    deployments: dict[str, Deployment]
    transport: Transport
    router: Router
    started_ns: int

    async def deploy_modules(self, application: Application, modules: Mapping[str, bytes]) -> None:
        """Run `application`; `modules` are bytes by the path in the manifest."""

    async def undeploy(self, name: str) -> list[str]:
        """Stop the application of that name and return its actors."""

    def capability_statistics(self) -> dict[Counted, Tally]:
        """Return the calls over links, by actor, target, link and operation."""


class Control:
    """Serves the control subjects of `host`."""

    def __init__(self, host: Controlled) -> None:
        self._host = host
        self._where = f"host {host.id}"
        self._uploads = Uploads(max_module=host.limits.max_module)
        self._tasks = anyio.create_task_group()
        self._ended = anyio.Event()
        self._open = False
        self._requests = 0
        self._operations: dict[str, _Serve] = {
            ControlOperation.INFO: self._info,
            ControlOperation.STATUS: self._status,
            ControlOperation.LOGS: self._logs,
            ControlOperation.MODULE_OFFER: self._module_offer,
            ControlOperation.MODULE_CHUNK: self._module_chunk,
            ControlOperation.DEPLOY: self._deploy,
            ControlOperation.UNDEPLOY: self._undeploy,
            ControlOperation.WATCH: self._watch,
            ControlOperation.PROVIDERS: self._providers,
            ControlOperation.LINKS: self._links,
        }

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Subscribe, report started, and serve until stopped or cancelled."""
        subscriptions: list[Subscription] = []
        try:
            async with self._tasks:
                for target in (str(self._host.id), ALL_HOSTS):
                    subject = control_wildcard(self._host.lattice, target)
                    subscriptions.append(await self._host.transport.subscribe(subject, self._on_message))
                self._open = True
                task_status.started()
                await anyio.sleep_forever()
        finally:
            self._open = False
            self._uploads.close()
            with anyio.CancelScope(shield=True):
                for subscription in subscriptions:
                    await subscription.close()
            self._ended.set()

    async def stop(self) -> None:
        """End :meth:`run` and wait for it; requests in hand get a fault."""
        self._tasks.cancel_scope.cancel()
        await self._ended.wait()

    def _on_message(self, subject: str, reply_to: str, data: bytes) -> None:
        """Take a request in hand, or refuse it; called by the transport for each message."""
        if not reply_to:
            _log.debug("control message without a reply subject", subject=subject)
            return
        call_id = ""
        try:
            envelope = decode(data)
            call_id = envelope.id
            if envelope.kind is not Kind.ASK:
                raise BadRequest(f"a host takes asks, not kind {envelope.kind.name.lower()}")
            serve = self._operation(subject)
            self._start(self._serve, serve, envelope.payload, self._host.router.answering(reply_to, call_id))
        except ActorhostError as error:
            self._host.router.refuse(reply_to, call_id, error, self._where)

    def _operation(self, subject: str) -> _Serve:
        address = parse_control(subject)
        serve = self._operations.get(address.operation)
        if serve is None:
            known = ", ".join(ControlOperation)
            raise BadRequest(f"a host has no operation {address.operation!r}", hint=f"use one of {known}")
        if address.host is None and serve != self._info:
            raise BadRequest(
                f"{address.operation!r} may not be asked of all hosts", hint="ask each host by its id"
            )
        return serve

    def _start(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Run `work` beside everything else, or raise :class:`Overloaded`."""
        if not self._open:
            raise Closed("the host is stopping")
        if self._requests >= MAX_REQUESTS:
            raise Overloaded(f"the host has {MAX_REQUESTS} control requests in hand", hint="retry later")
        self._requests += 1
        self._tasks.start_soon(self._counted, work, *arguments)

    async def _counted(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        try:
            await work(*arguments)
        finally:
            self._requests -= 1

    async def _serve(self, serve: _Serve, payload: bytes, answer: Answer) -> None:
        try:
            result = await self._outcome(serve, payload)
        except anyio.get_cancelled_exc_class():
            error = Closed("the host stopped while it was at it", where=self._where)
            error.outcome_known = False
            with anyio.CancelScope(shield=True):
                await answer(error)
            raise
        await answer(result)

    async def _outcome(self, serve: _Serve, payload: bytes) -> bytes | ActorhostError:
        """Return the answer to a request; never raises."""
        try:
            return messages.encode(await serve(payload))
        except ActorhostError as error:
            error.where = error.where or self._where
            return error
        except Exception:  # noqa: BLE001 - a bug in one request must not end the others
            log.bug(_log, "bug while serving a control request")
            return InternalError("unexpected error; see the host's log", where=self._where)

    async def _info(self, payload: bytes) -> messages.HostInfo:
        messages.decode(messages.InfoRequest, payload)
        host = self._host
        return status.host_info(host.id, host.lattice, host.deployments, started_ns=host.started_ns)

    async def _status(self, payload: bytes) -> messages.StatusPage:
        return status.status_page(self._host.deployments, messages.decode(messages.StatusRequest, payload))

    async def _logs(self, payload: bytes) -> messages.LogsReply:
        return status.actor_log(self._host.router.actors, messages.decode(messages.LogsRequest, payload))

    async def _watch(self, payload: bytes) -> messages.WatchReply:
        return self._host.router.watches.lease(messages.decode(messages.WatchRequest, payload))

    async def _providers(self, payload: bytes) -> messages.ProvidersReply:
        request = messages.decode(messages.ProvidersRequest, payload)
        return links.providers_page(self._host.deployments, request)

    async def _links(self, payload: bytes) -> messages.LinksReply:
        request = messages.decode(messages.LinksRequest, payload)
        return links.links_page(self._host.deployments, self._host.capability_statistics(), request)

    async def _module_offer(self, payload: bytes) -> messages.ModuleProgress:
        return self._uploads.offer(messages.decode(messages.ModuleOffer, payload))

    async def _module_chunk(self, payload: bytes) -> messages.ModuleProgress:
        return self._uploads.add(messages.decode(messages.ModuleChunk, payload))

    async def _deploy(self, payload: bytes) -> DeployReply:
        request = messages.decode(DeployRequest, payload)
        # A large manifest takes long to check, and guests should not wait for it.
        application = await anyio.to_thread.run_sync(
            load_manifest, request.manifest, request.source, self._host.limits
        )
        content = self._content(application, request.modules)
        if request.wait:
            await self._run_application(application, content)
        else:
            self._start(self._run_unawaited, application, content)
        return DeployReply(
            application=application.name,
            version=application.version,
            actors=tuple(spec.name for spec in application.actors),
            finished=request.wait,
        )

    async def _undeploy(self, payload: bytes) -> messages.UndeployReply:
        request = messages.decode(messages.UndeployRequest, payload)
        actors = await self._host.undeploy(request.application)
        _log.info("application undeployed", application=request.application, actors=len(actors))
        return messages.UndeployReply(tuple(actors))

    def _content(self, application: Application, modules: Mapping[str, str]) -> dict[str, bytes]:
        """Return the modules of `application` by path, which have been uploaded."""
        paths = {spec.module for spec in application.actors}
        unnamed = paths - modules.keys()
        if unnamed:
            raise BadRequest(f"the request gives no digest for {', '.join(sorted(unnamed))}")
        return {path: self._uploads.take(modules[path]) for path in sorted(paths)}

    async def _run_application(self, application: Application, content: dict[str, bytes]) -> None:
        await self._host.deploy_modules(application, content)
        _log.info("application deployed", application=str(application.name), actors=len(application.actors))

    async def _run_unawaited(self, application: Application, content: dict[str, bytes]) -> None:
        try:
            await self._run_application(application, content)
        except ActorhostError as error:
            _log.error(
                "application not deployed",
                application=str(application.name),
                code=str(error.code),
                reason=error.message,
            )
        except Exception:  # noqa: BLE001 - a bug in one deployment must not end the others
            log.bug(_log, "bug while deploying", application=str(application.name))
