"""A place in a manifest that is being read: one value, its key path, and where findings go.

Cursors are made by the shapes that walk down the values and live no longer than the reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from actorhost.manifest.findings import Findings, Position
from actorhost.manifest.nodes import Broken, Mapping, Node, Scalar, Sequence
from actorhost.manifest.wording import shown, step


@dataclass(frozen=True, slots=True)
class Cursor:
    """One value `node` at key path `path`; `key_at` is where its key stands."""

    node: Node
    path: str
    key_at: Position
    findings: Findings

    def child(self, key: str, node: Node, key_at: Position) -> Cursor:
        """Return the cursor of this map's value under `key`."""
        path = f"{self.path}.{step(key)}" if self.path else step(key)
        return Cursor(node, path, key_at, self.findings)

    def item(self, index: int, node: Node) -> Cursor:
        """Return the cursor of this list's item `index`."""
        return Cursor(node, f"{self.path}[{index}]", node.at, self.findings)

    def within(self, path: Iterable[str | int]) -> Cursor:
        """Return the cursor of what `path` leads to in this value, or of the last one on the way."""
        cursor = self
        for key in path:
            node = cursor.node
            if isinstance(node, Mapping) and (entry := node.entries.get(str(key))) is not None:
                cursor = cursor.child(str(key), entry.node, entry.key_at)
            elif isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
                cursor = cursor.item(key, node.items[key])
            else:
                break
        return cursor

    def refuse(self, message: str, hint: str) -> None:
        """Record a finding at the value."""
        self.findings.add(self.node.at, self.path, message, hint)

    def refuse_key(self, message: str, hint: str) -> None:
        """Record a finding at the key, for a value that is wrong as a whole."""
        self.findings.add(self.key_at, self.path, message, hint)

    def expect(self, wanted: str, hint: str) -> None:
        """Record that the value should have been `wanted`, unless it already has its finding."""
        if not isinstance(self.node, Broken):
            self.refuse(f"expected {wanted}, found {describe(self.node)}", hint)


def describe(node: Node) -> str:
    """Return what `node` is, in words."""
    match node:
        case Mapping() | Sequence():
            return "a map" if isinstance(node, Mapping) else "a list"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return f"the boolean {node.text}"
        case Scalar(value=str()):
            return f"the text {shown(node.text)}"
        case Scalar():
            return f"the number {node.text[:40]}"
    return "a value that cannot be read"
