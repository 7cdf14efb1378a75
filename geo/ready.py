"""
Machine code made ahead: `python -m geo.ready`, once after setting up, so that no first design waits for it.

Where nothing may be written it is made anew in each process, when it is first asked for.
"""

from __future__ import annotations

import numpy as np
import shapely

from geo import adding, assign, colocation, nearest, partners, served, within
from geo.blocks import linked
from geo.clusters import clusters
from geo.crowd import Crowd, served_counts
from geo.design import design


def ready() -> None:
    """Call all that is compiled, once, on next to nothing."""
    street = linked(range(4), range(4), [0] * 4, [(0, 1), (1, 2), (2, 3)], 1.0)
    design(street, np.ones(4), 2, effort=0.01)
    square = shapely.box(0.0, 0.0, 1.0, 1.0)
    at = np.array([0.25, 0.5])
    code = assign.zones_of(at, at, [square])
    assign.inside_boxes(at, at, [[0.0, 0.0, 1.0, 1.0]])
    nearest.nearest_m(at, at)
    nearest.nearer_than(np.zeros((2, 3)), np.zeros(3), np.ones((1, 3)))
    within.in_reach(at, at, [0.25], [0.25], [1.0], (0.0, 0.0))
    crowd = Crowd.build(at, at, [0, 1], [1.0, 1.0])
    served_counts(crowd, at, at, at, 1)
    crowd.served(0.0, 0.0, 1.0, 1)
    shops, one = served.Shops(at, at, at, np.array([1, 1], dtype=np.uint32)), np.array([0], dtype=np.int32)
    served.shared(crowd, shops, one, one)
    for keep in (None, 1):
        partners.scored(at, at, [0, 0], at, [[1.0]], [[False]], keep=keep)
    clusters(np.linspace(0.0, 50.0, 30), np.linspace(0.0, 50.0, 30))
    colocation.quotients(at, at, [0, 0], 1, neighbours=1, permutations=1)
    for kind in (np.uint8, np.int16, np.int32, np.int64, np.float64, np.bool_):
        adding.sums(code, np.zeros(2, dtype=kind), 1)
    adding.counts(code, np.zeros(2, dtype=np.int16), 1, 1)
    adding.members(code, np.zeros(2, dtype=np.int32), np.array([0, 1]), np.array([0]), 1, 1)


if __name__ == "__main__":
    ready()
