"""Figures of a snapshot."""

from data.snapshots import Snapshot


def kept(snapshot: Snapshot) -> dict[str, float]:
    """Return nothing yet."""
    return {}
