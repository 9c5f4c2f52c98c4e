"""What links to key-value backends may say: the bucket their actor sees.

Pure; the same for every backend, so that one can take the place of another.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from actorhost.contracts.provider import Config, Link

DEFAULT_BUCKET: Final = "default"
PAGE_BYTES: Final = 256 * 1024
"""A page of keys ends at about this many bytes, to fit any message."""


class BucketConfig(Config, frozen=True):
    """Configuration of a link: the bucket its actor sees."""

    bucket: Annotated[str, Meta(min_length=1)] = DEFAULT_BUCKET


def check_link(link: Link) -> None:
    """Refuse a link with unknown configuration."""
    BucketConfig.read(link.config, f"the link {link.name!r} of actor {link.actor!r} to {link.contract}")


def bucket_of(link: Link) -> str:
    """Return the bucket of a link that was checked."""
    return str(link.config.get("bucket", DEFAULT_BUCKET))
