"""What stands in a host for a provider that does not run in it: the same links, calls taken as bytes.

Owned by the registry like any provider: told of links, started and stopped with the others. What
carries the calls is the host's affair; grants lead a guest's bytes here, undecoded, and the contract's
code runs where the provider does.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from actorhost.capability.redaction import blot
from actorhost.contracts.base import Effect, Operation
from actorhost.contracts.provider import Provider
from actorhost.errors import ActorhostError, CallTimeout, OutcomeUnknown, ProviderFailed, TooLarge
from actorhost.manifest.model import ProviderSpec

if TYPE_CHECKING:
    from actorhost.capability.grants import Caller, ProviderGrant


class Elsewhere(Provider):
    """A provider in another process; `contract` is that one's."""

    def __init__(self, config: Mapping[str, object], where: str) -> None:
        """Keep `config`, for what must not be repeated; `where` is what errors say of the place."""
        super().__init__(config)
        self.where = where

    @abstractmethod
    async def forward(
        self, caller: Caller, grant: ProviderGrant, operation: Operation, payload: bytes
    ) -> bytes:
        """Return the reply of one operation in its wire form, within the caller's deadline.

        Raises what :func:`~actorhost.capability.dispatch.serve` does where the provider runs, and
        :class:`~actorhost.errors.Unavailable` at once while nobody is there.
        """

    def no_answer(self, grant: ProviderGrant, operation: Operation) -> CallTimeout | OutcomeUnknown:
        """Return what a call ends with that had no answer at its deadline."""
        error = (CallTimeout if operation.effect is Effect.READ else OutcomeUnknown)(
            f"{told(grant, operation)}: provider {grant.provider!r} did not answer before the deadline",
            hint=f"look at the provider, or raise the timeout of actor {grant.link.actor!r}",
            where=self.where,
        )
        error.outcome_known = operation.effect is Effect.READ
        return error

    def told_by(self, error: ActorhostError, grant: ProviderGrant) -> ActorhostError:
        """Return `error`, which came from where the provider runs, as the caller may see it."""
        error.where = self.where
        blot(error, grant.hidden)
        return error

    def checked(self, caller: Caller, grant: ProviderGrant, operation: Operation, reply: bytes) -> bytes:
        """Return `reply`, or raise :class:`TooLarge` over the caller's limit.

        Raises :class:`ProviderFailed` for what is no result of `operation`: what another process sends
        is not taken on trust.
        """
        if len(reply) > caller.max_message:
            raise TooLarge(
                f"{told(grant, operation)}: the reply of {len(reply)} bytes is over"
                f" {caller.max_message}; the operation was carried out",
                hint=f"ask for less, or raise max-message of actor {caller.actor!r}",
                where=self.where,
            )
        try:
            operation.decode_result(reply)
        except ActorhostError as error:
            raise self.malformed(grant, operation, f"{error}") from None
        return reply

    def malformed(self, grant: ProviderGrant, operation: Operation, why: str) -> ProviderFailed:
        """Return what a call ends with whose answer is none."""
        error = ProviderFailed(
            f"{told(grant, operation)}: the answer of provider {grant.provider!r} is malformed: {why}",
            hint="is the provider's package of the same version as the host's?",
            where=self.where,
        )
        error.outcome_known = operation.effect is Effect.READ
        return error


Stand = Callable[[ProviderSpec, Provider | None], Elsewhere]
"""Makes what stands for the provider of a spec; the provider given, if any, is its model: never started."""


def told(grant: ProviderGrant, operation: Operation) -> str:
    """Return which call this is, for errors."""
    link = grant.link
    return f"{operation.name!r} of {link.contract} called by {link.actor!r} over link {link.name!r}"
