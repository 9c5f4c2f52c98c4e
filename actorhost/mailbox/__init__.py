"""Mailboxes: what waits for an actor, bounded by count and bytes, each and all together."""

from actorhost.mailbox.budget import Budget
from actorhost.mailbox.mailbox import Mailbox, MailboxStatistics

__all__ = ["Budget", "Mailbox", "MailboxStatistics"]
