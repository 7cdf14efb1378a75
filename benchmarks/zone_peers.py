"""
What others make of the same blocks: METIS, GerryChain's ReCom, spopt's Skater.

The two that are written in Python run in a process of their own, which is ended when their time is up.
"""

from __future__ import annotations

import multiprocessing
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np
import pymetis

from geo import measures
from geo.blocks import Blocks

TOLERANCE = 0.05
BURST = 10
_STARTING_S = 30.0  # for a process to begin and its packages to load

Plan = np.ndarray


def metis(blocks: Blocks, weights: np.ndarray, zones: int, seed: int) -> Plan:
    """Return METIS's plan: fewest metres of border, each zone in one piece, 5 % apart at most."""
    adjacency = pymetis.CSRAdjacency(blocks.starts.astype(np.int32), blocks.neighbours.astype(np.int32))
    _, found = pymetis.part_graph(
        zones,
        adjacency=adjacency,
        vweights=np.rint(weights).astype(int).tolist(),
        eweights=np.maximum(1, np.rint(blocks.border_m)).astype(int).tolist(),
        options=pymetis.Options(seed=seed, ufactor=round(TOLERANCE * 1000), contig=1),
        recursive=False,
    )
    return np.asarray(found, dtype=np.int64)


def recom(blocks: Blocks, weights: np.ndarray, zones: int, seconds: float) -> list[Plan]:
    """Return the plans ReCom found shorter and shorter borders with, in so much time, if it made any."""
    return _in_time(_recom, (blocks, weights, zones, seconds), seconds)


def skater(blocks: Blocks, weights: np.ndarray, zones: int, seconds: float) -> list[Plan]:
    """Return Skater's plan; none where it took longer."""
    return _in_time(_skater, (blocks, weights, zones), seconds)


def _in_time(work: Callable[..., None], given: tuple[object, ...], seconds: float) -> list[Plan]:
    """Return the plans a process sends before its time is up."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, *given), daemon=True)
    process.start()
    theirs.close()
    found: list[Plan] = []
    end = time.monotonic() + seconds + _STARTING_S
    try:
        while ours.poll(max(0.0, end - time.monotonic())):
            found.append(ours.recv())
    except EOFError:
        pass
    finally:
        process.kill()
        process.join()
    return found


def _recom(told: Connection, blocks: Blocks, weights: np.ndarray, zones: int, seconds: float) -> None:
    import networkx
    from gerrychain import Graph, Partition, constraints
    from gerrychain.optimization import SingleMetricOptimizer
    from gerrychain.proposals import recom as proposal
    from gerrychain.updaters import Tally

    warnings.simplefilter("ignore")
    end = time.monotonic() + seconds
    plain = networkx.Graph()
    plain.add_nodes_from((at, {"load": float(weight)}) for at, weight in enumerate(weights))
    edges = zip(blocks.owners.tolist(), blocks.neighbours.tolist(), blocks.border_m.tolist(), strict=True)
    plain.add_edges_from((a, b, {"border": metres}) for a, b, metres in edges)
    graph, ideal = Graph.from_networkx(plain), float(weights.sum()) / zones

    def border(partition: Partition) -> float:
        return measures.boundary_m(blocks, _zones_of(partition, len(blocks)))

    start = Partition.from_random_assignment(
        graph, zones, TOLERANCE, "load", updaters={"load": Tally("load", alias="load")}, rng=1
    )
    told.send(_zones_of(start, len(blocks)))
    walk = SingleMetricOptimizer(
        lambda partition: proposal(partition, pop_col="load", pop_target=ideal, epsilon=TOLERANCE, rng=None),
        constraints.within_percent_of_ideal_population(start, TOLERANCE, pop_key="load"),
        start,
        border,
        maximize=False,
        rng=1,
    )
    best = border(start)
    for partition in walk.short_bursts(BURST, 10**9):
        if (length := border(partition)) < best:
            best = length
            told.send(_zones_of(partition, len(blocks)))
        if time.monotonic() > end:
            return


def _zones_of(partition: object, blocks: int) -> Plan:
    zone = np.empty(blocks, dtype=np.int64)
    names: dict[object, int] = {}
    for block, part in partition.assignment.items():  # type: ignore[attr-defined]  # GerryChain's, which is loaded only where it runs
        zone[block] = names.setdefault(part, len(names))
    return zone


def _skater(told: Connection, blocks: Blocks, weights: np.ndarray, zones: int) -> None:
    import geopandas
    import libpysal
    from spopt.region import Skater

    warnings.simplefilter("ignore")
    frame = geopandas.GeoDataFrame({"load": weights}, geometry=geopandas.points_from_xy(blocks.x, blocks.y))
    beside = {
        at: blocks.neighbours[blocks.starts[at] : blocks.starts[at + 1]].tolist() for at in range(len(blocks))
    }
    found = Skater(frame, libpysal.weights.W(beside), ["load"], n_clusters=zones)
    found.solve()
    told.send(np.asarray(found.labels_, dtype=np.int64))
