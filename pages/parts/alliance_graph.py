"""An alliance as a graph: the branch in the middle, its members round it, and the links between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from pages.parts.alliance_reads import Pair
from pages.parts.words import _, shorten

HEIGHT_PX = 380
HUB = "hub"
HUB_COLOUR, LINK_COLOUR, PALE = "#0f5c4a", "#d35400", "#c6d0cb"
HUB_PX, NODE_PX = 46, 26


class Node(NamedTuple):
    """A member: its name, and the colour of its category."""

    id: int
    name: str
    colour: str


def show(branch: str, nodes: Sequence[Node], agreed: Sequence[Pair], fitting: Sequence[Pair]) -> None:
    """Draw the graph: links agreed as strong lines, pairs that would fit as broken ones."""
    st.echarts_chart(
        spec(branch, nodes, agreed, fitting),
        height=HEIGHT_PX,
        alt=_(
            "{branch} in the middle, round it {members}", branch=branch, members=_(", ").join(names(nodes))
        ),
    )
    st.caption(
        _("Orange: links agreed on. Broken: pairs that would fit. Grey: each works with the branch, the hub.")
    )


def names(nodes: Sequence[Node]) -> list[str]:
    """Return the members' names."""
    return [node.name for node in nodes]


def spec(
    branch: str, nodes: Sequence[Node], agreed: Sequence[Pair], fitting: Sequence[Pair]
) -> dict[str, Any]:
    """Return the graph for ECharts; what stands in it is text."""
    known = {node.id for node in nodes}
    lines = [line(HUB, str(node.id), PALE, 1.5) for node in nodes]
    lines += [
        line(str(a), str(b), LINK_COLOUR, 2.0, dashed=True)
        for a, b in fitting
        if {a, b} <= known and (a, b) not in agreed
    ]
    lines += [line(str(a), str(b), LINK_COLOUR, 3.5) for a, b in agreed if {a, b} <= known]
    return {
        "animation": False,
        "tooltip": {"show": False},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "roam": False,
                "width": "56%",  # the height follows, so that circles stay round
                "data": [hub(branch), *placed(nodes)],
                "links": lines,
            }
        ],
    }


def hub(branch: str) -> dict[str, Any]:
    """Return the branch."""
    return {
        "id": HUB,
        "name": shorten(branch),
        "x": 0,
        "y": 0,
        "symbolSize": HUB_PX,
        "itemStyle": {"color": HUB_COLOUR},
        "label": {"show": True, "position": "bottom", "fontWeight": "bold"},
    }


def placed(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Return the members evenly round the branch, the first at the top; names stand outside of the ring."""
    found = []
    for number, node in enumerate(nodes):
        turn = 2 * math.pi * number / len(nodes)
        x, y = math.sin(turn), -math.cos(turn)
        side = "top" if y < -0.5 else "bottom" if y > 0.5 else "right" if x > 0 else "left"
        found.append(
            {
                "id": str(node.id),
                "name": shorten(node.name),
                "x": round(200 * x, 3),
                "y": round(130 * y, 3),
                "symbolSize": NODE_PX,
                "itemStyle": {"color": node.colour, "borderColor": "#ffffff", "borderWidth": 2},
                "label": {"show": True, "position": side, "width": 110, "overflow": "truncate"},
            }
        )
    return found


def line(source: str, target: str, colour: str, wide: float, *, dashed: bool = False) -> dict[str, Any]:
    """Return a line between two."""
    style: Mapping[str, Any] = {
        "color": colour,
        "width": wide,
        "opacity": 0.9,
        "type": "dashed" if dashed else "solid",
    }
    return {"source": source, "target": target, "lineStyle": dict(style)}
