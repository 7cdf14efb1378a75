"""Rows of planted lists: where they lie, which cluster and alliance they are of, and what they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from data.catalogue import CATEGORIES, GROUPS

EMPTY = -1
Floats = np.ndarray


@dataclass(eq=False)
class Rows:
    """Rows of one list as they are planted."""

    x: list[Floats] = field(default_factory=list)
    y: list[Floats] = field(default_factory=list)
    cluster: list[Floats] = field(default_factory=list)
    alliance: list[Floats] = field(default_factory=list)
    kind: list[Floats] = field(default_factory=list)  # a merchant's category id, a customer's group id

    def add(self, at: Floats, cluster: int, kind: Floats, alliance: Floats | None = None) -> None:
        """Add rows."""
        self.x.append(at[:, 0])
        self.y.append(at[:, 1])
        self.cluster.append(np.full(len(at), cluster))
        self.alliance.append(np.full(len(at), EMPTY) if alliance is None else alliance)
        self.kind.append(kind)

    def frame(self) -> pd.DataFrame:
        """Return the rows as a table."""
        names = ("x", "y", "cluster", "alliance", "kind")
        return pd.DataFrame({name: np.concatenate(getattr(self, name)) for name in names})


def trades_known() -> Floats:
    """Return the ids of the trades a merchant can have."""
    lower = CATEGORIES.loc[CATEGORIES["parent_id"].notna(), "id"]
    return lower.to_numpy(np.int64)


def groups_known() -> Floats:
    """Return the ids of the groups a customer can be of."""
    return GROUPS["id"].to_numpy(np.int64)


def shaped(rng: np.random.Generator, kind: str, count: int, width: float, form: float, turn: float) -> Floats:
    """Return points of a cluster round its middle."""
    if kind == "disc":
        out, way = 2.0 * width * np.sqrt(rng.uniform(0, 1, count)), rng.uniform(0, 2 * np.pi, count)
        return np.column_stack([out * np.cos(way), out * np.sin(way)])
    if kind == "strip":
        flat = np.column_stack([rng.uniform(-2.5 * width, 2.5 * width, count), rng.normal(0, 12.0, count)])
    else:
        flat = rng.normal(0, width, (count, 2)) * [np.sqrt(form), 1.0 / np.sqrt(form)]
    cos, sin = np.cos(turn), np.sin(turn)
    return flat @ np.array([[cos, sin], [-sin, cos]])
