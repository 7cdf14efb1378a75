"""A page with nothing but a map of two zones and the tools: what tests of the map draw on."""

from __future__ import annotations

import shapely
import streamlit as st

from data.basemaps import BaseMap
from geo import drawing
from geo.errors import GeoError
from geo.plans import Frame, Plan, Zone
from pages.parts import drawing as tools
from pages.parts import map as maps
from pages.parts import state
from pages.parts.map import DrawnZone, Marked, Scene
from pages.parts.outlines import restored

LON, LAT = 114.30, 30.60
WEST, EAST = (
    shapely.box(LON - 0.01, LAT - 0.006, LON, LAT + 0.006),
    shapely.box(LON, LAT - 0.006, LON + 0.01, LAT + 0.006),
)


def begun() -> Plan:
    """Return two zones side by side."""
    return Plan(Frame(LON, LAT, 2000.0, 9), (Zone(1, "西片", WEST), Zone(2, "东片", EAST)))


def drawn(plan: Plan, each: maps.Drawing) -> Plan:
    """Return the plan after what was drawn."""
    if each.tool == "brush":
        cells = drawing.stroke_cells(plan, each.shape, each.width_m)
        return plan.after(drawing.painted(plan, cells, tools.painted_for(plan, each)))
    if each.tool == "split":
        return plan.after(drawing.split(plan, each.zone_id or 1, each.shape))
    if each.tool == "edit":
        shape = restored(each.shape, plan.zone(each.zone_id).shape)
        return plan.after(drawing.reshaped(plan, each.zone_id, shape, overlap="leave"))
    if each.tool == "circle":
        shape = drawing.disc(each.shape.x, each.shape.y, each.radius_m)
    elif each.tool == "street":
        shape = drawing.along(each.shape, each.width_m, LON, LAT)
    else:
        shape = each.shape
    return plan.after(drawing.drawn(plan, shape, name=f"片{plan.last_id + 1}", overlap="take"))


def anew() -> None:
    """Begin again; a callback."""
    st.session_state["plan"], st.session_state["drawings"] = begun(), []
    st.session_state["refused"] = ""
    state.choose_zone(None)
    state.put(state.ZONE_TOOL, "pick")


@st.fragment(key="work")
def work(base: BaseMap) -> None:
    """Show the plan and what was drawn on it, and do what is drawn next."""
    kept = st.session_state
    kept.setdefault("plan", begun())
    kept.setdefault("drawings", [])
    told = maps.told(base.datum, state.ZONE_MAP)
    if told.drawing is not None:
        answer = state.answering(state.ZONE_MAP)
        try:
            kept["plan"] = drawn(kept["plan"], told.drawing)
        except GeoError as error:
            kept["refused"] = str(error)
        kept["drawings"] = [*kept["drawings"], told.drawing.number]
        answer()
        tools.put_down(told.drawing.tool)
    if told.click is not None:
        state.choose_zone(maps.zone_at(kept["plan"], *told.click))
        state.answer_click(state.ZONE_MAP)
    plan: Plan = kept["plan"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tool = tools.toolbar(plan, state.zone_id())
    zones = [
        DrawnZone(zone.id, zone.shape, zone.name, selected=zone.id == state.zone_id(), locked=zone.locked)
        for zone in plan.zones
    ]
    river = shapely.LineString([(LON - 0.012, LAT + 0.007), (LON + 0.012, LAT + 0.008)])
    maps.draw(
        Scene(base, Marked(LON, LAT, "测试支行"), zones=zones, barriers=[river], tool=tool),
        key=state.ZONE_MAP,
        part="work",
    )
    st.button("anew", on_click=anew)
    areas = {zone.id: round(zone.shape.area * 1e6, 3) for zone in plan.zones}
    st.text(f"drawings={len(kept['drawings'])} chosen={state.zone_id()} zones={areas}")
    st.text(f"refused={kept.get('refused', '')}")


state.heed_url()
st.set_page_config(layout="wide")
state.choose_branch("T")
work(
    BaseMap(
        key="none", zh="无", en="None", kind="none", datum=st.query_params.get("datum", "wgs84"), enabled=True
    )
)
