"""Capabilities: who may call which contract, and the provider or actor that answers.

``registry`` starts and stops providers, ``grants`` turns an actor's links into a table of what
it may do, ``broker`` takes a call through that table, ``dispatch`` runs one provider operation.
``secrets`` looks up what references in configuration stand for, ``redaction`` keeps it out of errors.
"""

from actorhost.capability.broker import Broker
from actorhost.capability.grants import Caller, Grants, ProviderGrant
from actorhost.capability.registry import Registry
from actorhost.capability.secrets import Secrets

__all__ = ["Broker", "Caller", "Grants", "ProviderGrant", "Registry", "Secrets"]
