"""The public face changes on purpose only."""

from __future__ import annotations

from tests.architecture.public_face import PINNED, render


def test_the_public_face_is_the_pinned_one() -> None:
    """When it was meant: ``python -m tests.architecture.public_face``, and a line in CHANGELOG.md."""
    assert render().splitlines() == PINNED.read_text(encoding="utf-8").splitlines()
