"""The model of one application: what a manifest describes, checked and with defaults filled in.

Built by :func:`actorhost.manifest.load_manifest` or by hand in a program that embeds a host;
immutable, so it may be shared freely and outlives whatever runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from actorhost.ids import ActorName, ContractId, Digest, LinkName, OperationName, SubjectPattern
from actorhost.lifecycle import RestartPolicy
from actorhost.limits import MIB, Limits

DENSE_MEMORY: Final = 4 * MIB
"""Most bytes of linear memory in the dense profile: growing there copies, and cannot be preempted."""

DEFAULT_LINK: Final = LinkName("default")
"""Name of a link that has none, and of the link that a guest means when it names none."""

_DEFAULTS: Final = Limits()


class InstancePolicy(StrEnum):
    """How long a sandbox lives: for many messages, or for one."""

    REUSE = "reuse"
    PER_CALL = "per-call"


class Profile(StrEnum):
    """How memory is set aside: for many small instances, or for few fast ones."""

    AUTO = "auto"
    DENSE = "dense"
    ROOMY = "roomy"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """What an actor reaches under (`namespace`, `name`): a provider, or another actor.

    `namespace` is the contract id, or the target actor's name when the link has no contract. `policy`
    says which sandbox handles what the provider calls the actor for; None leaves it to the actor.
    """

    target: ActorName
    namespace: str
    name: LinkName = DEFAULT_LINK
    config: Mapping[str, object] = field(default_factory=dict)
    is_actor: bool = False
    policy: InstancePolicy | None = None


class PayloadFormat(StrEnum):
    """What the messages from a subject hold; an actor gets the first two as MessagePack."""

    JSON = "json"
    MESSAGEPACK = "messagepack"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSpec:
    """A subject whose messages become messages to `operation` of the actor.

    With `with_subject` the actor gets a map of ``subject`` and ``payload`` instead of the payload.
    With `answer` a message that has a reply subject is answered.
    """

    subject: SubjectPattern
    operation: OperationName
    payload: PayloadFormat = PayloadFormat.JSON
    with_subject: bool = False
    answer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorSpec:
    """One actor: its module, what it may use and what it may reach.

    `module` is the path as written, relative to the manifest; `memory`, `max_message` and
    `mailbox_bytes` are bytes; `timeout` is seconds.
    """

    name: ActorName
    module: str
    digest: Digest | None = None
    instances: int = 1
    policy: InstancePolicy = InstancePolicy.REUSE
    weight: int = 1
    memory: int = _DEFAULTS.memory
    profile: Profile = Profile.AUTO
    timeout: float = _DEFAULTS.call_timeout
    max_message: int = _DEFAULTS.max_message
    mailbox_count: int = _DEFAULTS.mailbox_count
    mailbox_bytes: int = _DEFAULTS.mailbox_bytes
    env: Mapping[str, str] = field(default_factory=dict)
    contracts: tuple[ContractId, ...] = ()
    links: tuple[LinkSpec, ...] = ()
    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    ingests: tuple[IngestSpec, ...] = ()

    @property
    def chosen_profile(self) -> Profile:
        """The profile to run with: `profile`, where ``auto`` is dense if the memory is small enough."""
        if self.profile is not Profile.AUTO:
            return self.profile
        return Profile.DENSE if self.memory <= DENSE_MEMORY else Profile.ROOMY


class Place(StrEnum):
    """Where a provider runs: in the host, in a process that the host starts, or started by somebody else."""

    HOST = "host"
    PROCESS = "process"
    LATTICE = "lattice"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One capability provider: `provider` is its entry point, `config` is its own to check.

    `restarts` says when its process is started again, if the host has started one.
    """

    name: ActorName
    provider: str
    contract: ContractId
    config: Mapping[str, object] = field(default_factory=dict)
    place: Place = Place.HOST
    restarts: RestartPolicy = field(default_factory=RestartPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything one manifest describes."""

    name: ActorName
    version: str = ""
    description: str = ""
    actors: tuple[ActorSpec, ...] = ()
    providers: tuple[ProviderSpec, ...] = ()
