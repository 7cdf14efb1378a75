"""`python -m data cluster`: where customers or merchants lie close together."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from data import config, store
from data.clustering import naming, runs
from data.clustering.finding import found
from data.commands import BranchCode, Json, answering, engine, os_user, told
from data.snapshots import seen_by
from geo.errors import N_

Layer = StrEnum("Layer", ["customers", "merchants"])
Scale = StrEnum("Scale", ["corner", "area", "district"])


def cluster(
    branch: BranchCode,
    layer: Annotated[Layer, typer.Option(help="What lies close together.")] = Layer.customers,
    scale: Annotated[Scale, typer.Option(help="About 100 m, 300 m or 1 km.")] = Scale.area,
    as_json: Json = False,
) -> None:
    """Find clusters, keep them as this data version's, and list them, the largest first."""
    with answering(as_json) as answer:
        asker, bank = os_user(), engine()
        with store.reading(bank) as session:
            branch_id = int(store.branch(session, asker, branch)["id"])
        snapshot = seen_by(bank, asker, branch_id)
        there = found(snapshot, layer.value, scale.value)
        with store.transaction(bank) as session:
            runs.keep(session, asker, snapshot, there)
            growth = runs.growth(session, asker, snapshot, there)
            names = naming.names(session, snapshot, there, config.language())
        ids = () if growth is None else growth.ids
        listed = [
            {"id": number, "name": name, "size": int(size), "lon": float(lon), "lat": float(lat)}
            for number, name, size, lon, lat in zip(
                ids, names, there.clusters.size, there.lon, there.lat, strict=True
            )
        ]
        noise = int(there.clusters.noise)
        lines = [f"{each['id']:>4}  {each['size']:>7}  {each['name']}" for each in listed]
        answer(
            {"clusters": listed, "noise": noise},
            "\n".join([*lines, told(N_("In no cluster: {count}"), count=noise)]),
        )
