"""The grammar of a manifest: every key, what its value may be, and what it is for.

One table, read by the loader and printed as the JSON schema. Ranges come from
:mod:`actorhost.limits`, so a manifest can ask for nothing that a host could not be set to.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from actorhost.ids import ActorName, ContractId, Digest, LinkName, OperationName, SubjectPattern
from actorhost.lifecycle import RestartPolicy
from actorhost.limits import Limits
from actorhost.manifest.kinds import Choice, Constant, Flag, Matching, Named, Prose, Text
from actorhost.manifest.model import DEFAULT_LINK, InstancePolicy, PayloadFormat, Place, Profile
from actorhost.manifest.quantities import Duration, Size, Whole
from actorhost.manifest.shapes import Configuration, Field, ListOf, MapOf, Object, Variants
from actorhost.manifest.wording import duration, size

API_VERSION: Final = "core.oam.dev/v1beta1"
LATER_COMPONENTS: Final = ("twin",)
LATER_TRAITS: Final = ("spreadscaler", "daemonscaler")

_DEFAULTS: Final = Limits()
_POLICY: Final = Choice(InstancePolicy, {"fresh": InstancePolicy.PER_CALL})
_RESTARTS: Final = RestartPolicy()
_RANGE: Final[dict[str, tuple[Any, Any]]] = {
    item.name: (item.metadata["low"], item.metadata["high"]) for item in fields(Limits)
}
_NAME: Final = Named(ActorName, "a component name")
_CONTRACT: Final = Named(ContractId, "a contract id")
_ENV_NAME: Final = Matching(
    "[A-Za-z_][A-Za-z0-9_]{0,127}",
    "an environment name",
    "letters, digits and '_', not starting with a digit",
)
_ENTRY_POINT: Final = Matching(
    "[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", "a provider name", "the name of an installed provider"
)


class Link:
    """Properties of a ``link`` trait."""

    target: Final = Field(key="target", kind=_NAME, required=True, about="the component it reaches")
    contract: Final = Field(
        key="contract",
        kind=_CONTRACT,
        about="what it is used through; an actor may be reached without",
    )
    name: Final = Field(
        key="name",
        kind=Named(LinkName, "a link name"),
        default=DEFAULT_LINK,
        about="tells links of one contract apart",
    )
    config: Final = Field(key="config", kind=Configuration(), about="given to the provider with every call")
    policy: Final = Field(
        key="policy",
        kind=_POLICY,
        about="which sandbox handles what the provider calls the actor for; the actor's own if left out",
    )
    shape: Final = Object("What a link reaches, and how.", target, contract, name, config, policy)


class Ingest:
    """Properties of an ``ingest`` trait."""

    subject: Final = Field(
        key="subject",
        kind=Named(SubjectPattern, "a subject to take from"),
        required=True,
        about="the NATS subject; '*' is any one token, a last '>' all that follow",
    )
    operation: Final = Field(
        key="operation",
        kind=Named(OperationName, "an operation name"),
        required=True,
        about="what the actor is told to do with each message",
    )
    payload: Final = Field(
        key="payload",
        kind=Choice(PayloadFormat),
        default=PayloadFormat.JSON,
        about="what messages hold; the actor gets JSON as MessagePack",
    )
    with_subject: Final = Field(
        key="with-subject",
        kind=Flag(),
        default=False,
        about="whether the actor gets a map of subject and payload",
    )
    answer: Final = Field(
        key="answer", kind=Flag(), default=True, about="whether a message with a reply subject is answered"
    )
    shape: Final = Object(
        "What comes from a subject, and where it goes.", subject, operation, payload, with_subject, answer
    )


class LinkTrait:
    """A trait that links an actor to what it may use."""

    tag: Final = Field(key="type", kind=Constant("link"), required=True, about="what the trait is")
    properties: Final = Field(key="properties", kind=Link.shape, required=True, about="what the link reaches")
    shape: Final = Object("A link.", tag, properties)


class IngestTrait:
    """A trait that feeds an actor from a subject."""

    tag: Final = Field(key="type", kind=Constant("ingest"), required=True, about="what the trait is")
    properties: Final = Field(
        key="properties", kind=Ingest.shape, required=True, about="what comes and where"
    )
    shape: Final = Object("Messages from a subject.", tag, properties)


_TRAIT: Final = Variants("trait", {"link": LinkTrait.shape, "ingest": IngestTrait.shape}, LATER_TRAITS)


class Mailbox:
    """How much may wait for an actor."""

    count: Final = Field(
        key="count",
        kind=Whole(*_RANGE["mailbox_count"]),
        about=f"messages, {_DEFAULTS.mailbox_count} if left out",
    )
    size: Final = Field(
        key="bytes", kind=Size(*_RANGE["mailbox_bytes"]), about=f"{size(_DEFAULTS.mailbox_bytes)} if left out"
    )
    shape: Final = Object("How much may wait for the actor on one host.", count, size)


class RestartRules:
    """When an instance, or a provider's process, that ended is started again."""

    intensity: Final = Field(
        key="intensity",
        kind=Whole(0, 10_000),
        default=_RESTARTS.intensity,
        about="restarts within the period that happen at once",
    )
    period: Final = Field(
        key="period", kind=Duration(0.1, 3600), about=f"{duration(_RESTARTS.period)} if left out"
    )
    backoff: Final = Field(
        key="backoff",
        kind=Duration(0.01, 3600),
        about=f"wait before the next restart, doubled each time; {duration(_RESTARTS.backoff)} if left out",
    )
    backoff_limit: Final = Field(
        key="backoff-limit",
        kind=Duration(0.01, 3600),
        about=f"longest such wait, {duration(_RESTARTS.backoff_limit)} if left out",
    )
    attempts: Final = Field(
        key="attempts",
        kind=Whole(0, 1000),
        default=_RESTARTS.attempts,
        about="restarts after waits until it has failed",
    )
    shape: Final = Object(
        "When what ended is started again.", intensity, period, backoff, backoff_limit, attempts
    )


class Actor:
    """Properties of an ``actor`` component."""

    module: Final = Field(
        key="module", kind=Text(1024), required=True, about="path of the .wasm, from the manifest"
    )
    digest: Final = Field(key="digest", kind=Named(Digest, "a digest"), about="sha256 the module must have")
    instances: Final = Field(key="instances", kind=Whole(1, 10_000), default=1, about="sandboxes on one host")
    policy: Final = Field(
        key="policy",
        kind=_POLICY,
        default=InstancePolicy.REUSE,
        about="reuse a sandbox, or take a fresh one per call",
    )
    weight: Final = Field(
        key="weight", kind=Whole(1, 100), default=1, about="share of the processor under load"
    )
    memory: Final = Field(
        key="memory",
        kind=Size(*_RANGE["memory"]),
        about=f"linear memory of one instance, {size(_DEFAULTS.memory)} if left out",
    )
    profile: Final = Field(
        key="profile",
        kind=Choice(Profile),
        default=Profile.AUTO,
        about="dense for many small instances, roomy for few large ones; auto goes by the memory",
    )
    timeout: Final = Field(
        key="timeout",
        kind=Duration(*_RANGE["call_timeout"]),
        about=f"longest a call may take, {duration(_DEFAULTS.call_timeout)} if left out",
    )
    mailbox: Final = Field(key="mailbox", kind=Mailbox.shape, about="how much may wait for the actor")
    restarts: Final = Field(
        key="restarts", kind=RestartRules.shape, about="when an instance that ended is started again"
    )
    max_message: Final = Field(
        key="max-message",
        kind=Size(*_RANGE["max_message"]),
        about=f"largest message, at most a quarter of the memory; {size(_DEFAULTS.max_message)} if it allows",
    )
    env: Final = Field(key="env", kind=MapOf(_ENV_NAME, Prose(32_768)), about="environment of a WASI guest")
    contracts: Final = Field(
        key="contracts",
        kind=ListOf(_CONTRACT, 0, 100),
        about="contracts the actor may use through links",
    )
    shape: Final = Object(
        "How the actor runs and what it may use.",
        module,
        digest,
        instances,
        policy,
        weight,
        memory,
        profile,
        timeout,
        mailbox,
        restarts,
        max_message,
        env,
        contracts,
    )


class Provider:
    """Properties of a ``provider`` component."""

    provider: Final = Field(
        key="provider", kind=_ENTRY_POINT, required=True, about="the installed provider's name"
    )
    contract: Final = Field(key="contract", kind=_CONTRACT, required=True, about="the contract it provides")
    config: Final = Field(key="config", kind=Configuration(), about="checked by the provider")
    place: Final = Field(
        key="place",
        kind=Choice(Place),
        default=Place.HOST,
        about="where it runs: in the host, in a process of its own, or started elsewhere in the lattice",
    )
    restarts: Final = Field(
        key="restarts", kind=RestartRules.shape, about="when its own process, having ended, is started again"
    )
    shape: Final = Object(
        "Which provider, and its configuration.", provider, contract, config, place, restarts
    )


class ActorComponent:
    """A component that runs a module."""

    name: Final = Field(key="name", kind=_NAME, required=True, about="what others call it")
    tag: Final = Field(key="type", kind=Constant("actor"), required=True, about="what it is")
    properties: Final = Field(key="properties", kind=Actor.shape, required=True, about="how the actor runs")
    traits: Final = Field(
        key="traits",
        kind=ListOf(_TRAIT, 0, 1000),
        about="what the actor is linked to, and where its messages come from",
    )
    shape: Final = Object("An actor.", name, tag, properties, traits)


class ProviderComponent:
    """A component that provides a contract."""

    name: Final = Field(key="name", kind=_NAME, required=True, about="what links call it")
    tag: Final = Field(key="type", kind=Constant("provider"), required=True, about="what it is")
    properties: Final = Field(
        key="properties", kind=Provider.shape, required=True, about="which provider it is"
    )
    shape: Final = Object("A capability provider.", name, tag, properties)


_COMPONENT: Final = Variants(
    "component", {"actor": ActorComponent.shape, "provider": ProviderComponent.shape}, LATER_COMPONENTS
)


class Annotations:
    """What ``metadata`` says about the application."""

    version: Final = Field(key="version", kind=Text(128), default="", about="version of the application")
    description: Final = Field(key="description", kind=Prose(4096), default="", about="what it is for")
    shape: Final = Object("About the application.", version, description)


class Metadata:
    """The name of the application."""

    name: Final = Field(
        key="name",
        kind=Named(ActorName, "an application name"),
        required=True,
        about="name of the application",
    )
    annotations: Final = Field(key="annotations", kind=Annotations.shape, about="version and description")
    shape: Final = Object("Name, version and description.", name, annotations)


class Spec:
    """The parts of the application."""

    components: Final = Field(
        key="components", kind=ListOf(_COMPONENT, 1, 10_000), required=True, about="actors and providers"
    )
    shape: Final = Object("The parts of the application.", components)


class Manifest:
    """The whole document."""

    api_version: Final = Field(
        key="apiVersion", kind=Constant(API_VERSION), required=True, about=f"always {API_VERSION}"
    )
    kind: Final = Field(key="kind", kind=Constant("Application"), required=True, about="always Application")
    metadata: Final = Field(
        key="metadata", kind=Metadata.shape, required=True, about="name of the application"
    )
    spec: Final = Field(key="spec", kind=Spec.shape, required=True, about="the parts of the application")
    shape: Final = Object("An application of actors and providers.", api_version, kind, metadata, spec)
