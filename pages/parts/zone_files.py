"""Files of the plan to take away."""

from __future__ import annotations

import streamlit as st

from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.held import Held


def downloads(asker: Asker, snapshot: Snapshot, held: Held) -> None:
    """Offer the plan's files."""
    st.write(asker.name, snapshot.version, held.name)
