"""Mailboxes: what waits for an actor, bounded by count and bytes."""

from actorhost.mailbox.mailbox import Mailbox, MailboxStatistics

__all__ = ["Mailbox", "MailboxStatistics"]
