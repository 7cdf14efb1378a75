"""The customer map: the ground round the branch, who is there, who is ours, and how far it reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st
from pandas import DataFrame

from data import catalogue
from data.basemaps import BaseMap
from data.catchments import BASES, Basis, Catchment, Point, catchment
from data.figures import Filters, Reach
from data.rights import Asker, Right
from data.snapshots import Snapshot
from geo.catchment import SHARES
from pages.parts import alliance_layer, board, chosen, filters, hand, reads, state, undoing
from pages.parts import map as maps
from pages.parts.chosen import Sight
from pages.parts.frame import calm
from pages.parts.here import branch_here, nothing_yet, one_of, pick_base
from pages.parts.lists import may_list
from pages.parts.map import Marked, Ring, Scene
from pages.parts.state import Focus, View
from pages.parts.takeout import OnMap
from pages.parts.ways import Way
from pages.parts.words import (
    N_,
    _,
    day,
    distance,
    in_one_language,
    language,
    ngettext,
    plain,
    share,
    spoken,
)

BASIS_NAMES: dict[Basis, str] = {
    "points": N_("Merchants and target customers"),
    "customers": N_("Existing customers"),
    "deposits": N_("Deposits"),
    "households": N_("Households"),
}
METRIC_NAMES = {"count": N_("Number"), "coverage": N_("Coverage")}
KIND_NAMES = {
    "merchant": N_("Merchant"),
    "target": N_("Target customer"),
    "target group": N_("Target group"),
}
STEP_M = 10  # of the slider
MOST_SUGGESTED = 8
MOST_MARKED = 200


def page(asker: Asker) -> None:
    """Show the page."""
    branch = branch_here()
    if branch is None:
        nothing_yet(_("There is no branch yet."), Way.BRANCHES, _("Add a branch, or make the demo town"))
        return
    if not asker.may(Right.FIGURES):
        not_for_you(asker)
        return
    held = reads.snapshot(asker, branch["id"])
    state.settle_map(branch["id"])
    title(asker, branch)
    is_empty = not any(len(getattr(held, layer)) for layer in catalogue.LAYERS)
    if is_empty and state.by_hand() is None:
        nothing_yet(
            _("Nothing is known about the ground round this branch yet."),
            Way.IMPORT,
            _("Bring in a first list"),
        )
        hand.tools(asker, branch["id"])
        return
    layers, picked, base, metric = tools(asker, branch)
    ground_part(asker, branch, layers, picked, base, metric)


@st.fragment  # a move of the slider reruns this alone: half of what it costs with all that stands above
@calm()
@in_one_language
def ground_part(
    asker: Asker,
    branch: Mapping[str, Any],
    layers: Sequence[str],
    picked: Filters,
    base: BaseMap,
    metric: str,
) -> None:
    """Show the circle: its radius, the map, the figures beside it and the tables below."""
    held = reads.snapshot(asker, branch["id"])
    left, right = st.columns([64, 36], gap="small")
    with right:
        card = st.container()
        ground, reach, shares = radius_tools(asker, held)
    points = [layer for layer in layers if layer in catalogue.LAYERS]
    sight = Sight(held, points, picked, reads.is_masked(asker, held.branch_id))
    with left:
        ties = alliance_layer.NAME in layers
        map_part(Look(asker, branch, sight, base, metric, ground, reach, shares, ties), state.focus())
    with card, calm():
        if not hand.panel(asker, held):
            chosen.show(state.selected(), sight, asker)
    with card:
        undoing.bar(asker)
    with right, calm():
        board.show_cards(asker, branch, held, picked, reach, sight.masked)
    with calm():
        board.show_tables(asker, branch, held, picked, reach, sight.masked, OnMap(ground, shares, base))


def not_for_you(asker: Asker) -> None:
    """Lead on whoever's work is not on the map."""
    text = _("The customer map is for those who work at the branch.")
    if asker.may(Right.AUDIT):
        nothing_yet(text, Way.AUDIT, _("Read the audit trail"))
    else:
        nothing_yet(text, Way.BRANCHES, _("See the branches"))


def title(asker: Asker, branch: Mapping[str, Any]) -> None:
    """Name the branch, and under it the date of the data and their source."""
    demo = _("Demo")
    badge = f" :orange-badge[{demo}]" if branch["is_demo"] else ""
    st.markdown(f"## {plain(branch['name'])}{badge}")
    source = reads.source(asker, branch["id"])
    if source is not None:
        st.caption(_("Data of {day}, from {file}", day=day(source["at"]), file=plain(source["file_name"])))


# What is looked at ------------------------------------------------------------------------------------------


def tools(asker: Asker, branch: Mapping[str, Any]) -> tuple[Sequence[str], Filters, BaseMap, str]:
    """Show what has a title in a row, what has none in one below, and return what is chosen."""
    with st.container(horizontal=True, vertical_alignment="top", gap="xsmall"):
        layers = filters.pick_layers(alliance_layer.offered(asker, int(branch["id"])))
        metric = pick_metric() if "customers" in layers else "count"
        base = pick_base(bool(branch["is_demo"]))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        picked = filters.pick_filters()
        filters.search_box(asker, branch)
        hand.tools(asker, int(branch["id"]))
    return layers, picked, base, metric


def pick_metric() -> str:
    """Ask what colours the customers' cells."""
    key = state.seed(state.METRIC, lambda text: one_of(text, METRIC_NAMES), "count")
    metric = st.segmented_control(
        _("Cells show"),
        list(METRIC_NAMES),
        default=state.value(key),
        format_func=spoken(METRIC_NAMES),
        key=key,
        required=True,
    )
    state.keep(state.METRIC, None if metric == "count" else metric)
    return metric


# How far it reaches -----------------------------------------------------------------------------------------


def radius_tools(asker: Asker, held: Snapshot) -> tuple[Catchment, Reach, Sequence[float]]:
    """Show the radius, what sets it and its rings, and return what is chosen."""
    natural = catchment(held)
    with st.container(border=True, gap="small"):
        by_hand = pick_radius(natural.radius_m)
        st.caption(farthest_text(asker, held, natural))
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if natural.farthest is not None:
                chosen.aside_button(
                    asker, held, natural.farthest.layer, natural.farthest.id, key=state.FARTHEST
                )
            if natural.outliers:
                suggested(asker, held, natural.outliers)
            if natural.counts["aside"]:
                set_aside_box(asker, held, natural.counts["aside"])
            with st.popover(_("Rings"), icon=":material/adjust:"):
                shares, basis = pick_shares(), pick_basis()
        outside = pick_outside()
    ground = catchment(held, basis=basis, by_hand_m=by_hand)
    return ground, Reach(ground.radius_m, outside), shares


def pick_radius(natural_m: float) -> float | None:
    """Ask for the radius by hand; None where the farthest point sets it."""
    most = max(STEP_M, math.ceil(natural_m / STEP_M) * STEP_M)
    key = state.seed(state.RADIUS, lambda text: min(max(int(text), 0), most), most)
    state.follow(key, most)
    radius: int = st.slider(
        _("Radius"),
        0,
        most,
        state.value(key),
        step=STEP_M,
        key=key,
        format="%d m" if language() == "en" else "%d 米",
        help=_("At the right end the farthest merchant or target customer sets it."),
    )
    state.keep(state.RADIUS, None if radius >= most else str(radius))
    return None if radius >= most else float(radius)


def farthest_text(asker: Asker, held: Snapshot, natural: Catchment) -> str:
    """Name the point that sets the radius."""
    if natural.farthest is None:
        return _("No merchant or target customer sets the radius.")
    return _("Farthest: {point}", point=plain(point_text(asker, held, natural.farthest)))


def point_text(asker: Asker, held: Snapshot, point: Point) -> str:
    """Return what a point is, and its name for those who may see it: `Merchant 好邻居 · 2.3 km`."""
    what = _(KIND_NAMES[point.kind])
    name = reads.name_of(asker, held, point)
    group = "" if name is not None or point.group is None else reads.group_name(point.group)
    return " · ".join(filter(None, [" ".join(filter(None, [what, name])), group, distance(point.distance_m)]))


def suggested(asker: Asker, held: Snapshot, points: Sequence[Point]) -> None:
    """Offer the points that lie far beyond all others; they are looked up when they are asked for."""
    label = ngettext("{n} suggested outlier", "{n} suggested outliers", len(points))
    box = st.popover(label, icon=":material/scatter_plot:", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(_("Far beyond all others. Nothing is left out unless you set it aside."))
        may = asker.may(Right.EDIT_MERCHANTS, held.branch_id)
        reason = chosen.reason_field(state.OUTLIER) if may else ""
        for point in points[:MOST_SUGGESTED]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(point_text(asker, held, point)))
                if may:
                    chosen.aside_now(asker, held, point.layer, point.id, reason, key=state.OUTLIER)


def set_aside_box(asker: Asker, held: Snapshot, count: int) -> None:
    """List what was set aside, with the way back."""
    box = st.popover(
        ngettext("{n} set aside", "{n} set aside", count), icon=":material/block:", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        rows = reads.asides(asker, held.branch_id)
        people = aside_people(asker, held, rows)
        for row in rows.itertuples():
            with st.container(horizontal=True, vertical_alignment="center"):
                name = row.name if isinstance(row.name, str) else people.get(row.row_id, _("Target customer"))
                why = plain(" · ".join([row.reason, row.by, day(row.at)]))
                st.markdown(f"**{plain(name)}**  \n:gray[{why}]")
                if asker.may(Right.EDIT_MERCHANTS, held.branch_id):
                    chosen.back_button(asker, held, row.layer, int(row.row_id), key=state.ASIDE)


def aside_people(asker: Asker, held: Snapshot, rows: DataFrame) -> dict[int, str]:
    """Return the names of the customers set aside that the asker may see, by id."""
    ids = rows.loc[rows["layer"] == "customers", "row_id"].tolist()
    if not ids or not may_list(asker, "customers", held.branch_id):
        return {}
    people = reads.customers(asker, held, ids)
    return {int(row.id): row.name for row in people.itertuples() if isinstance(row.name, str) and row.name}


def pick_shares() -> tuple[float, ...]:
    """Ask which rings to draw."""
    known = {f"{round(100 * ring)}": ring for ring in SHARES}
    key = state.seed(state.RINGS, lambda text: filters.codes_in(text, known), list(known))
    picked = st.pills(
        _("Rings holding"),
        list(known),
        default=state.value(key),
        selection_mode="multi",
        format_func="{}%".format,
        key=key,
    )
    state.keep(state.RINGS, None if len(picked) == len(known) else ".".join(picked))
    return tuple(known[text] for text in picked)


def pick_basis() -> Basis:
    """Ask what the rings hold a share of."""
    key = state.seed(state.BASIS, lambda text: one_of(text, BASIS_NAMES), "points")
    at = BASES.index(state.value(key))
    basis = st.selectbox(_("Of"), BASES, index=at, format_func=spoken(BASIS_NAMES), key=key, width=200)
    state.keep(state.BASIS, None if basis == "points" else basis)
    return basis


def pick_outside() -> bool:
    """Ask whether to look at what lies outside."""
    key = state.seed(state.OUTSIDE, lambda text: text == "1", False)
    outside = st.toggle(
        _("Look outside"),
        state.value(key),
        key=key,
        help=_("What lies beyond the circle, and what was set aside."),
    )
    state.keep(state.OUTSIDE, "1" if outside else None)
    return outside


# The map and what is clicked --------------------------------------------------------------------------------


class Look(NamedTuple):
    """What the map is drawn from, apart from what the user clicked."""

    asker: Asker
    branch: Mapping[str, Any]
    sight: Sight
    base: BaseMap
    metric: str
    catchment: Catchment
    reach: Reach
    shares: Sequence[float]
    ties: bool = False


@st.fragment
@calm()
def map_part(look: Look, drawn: Focus) -> None:
    """Show the map; moving it reruns nothing else, and only a click that changes `drawn` redraws the page."""
    told = maps.told(look.base.datum)
    if told.view is not None:
        state.keep_view(told.view)
    if told.click is not None:
        heed(look.sight, told.click, told.zoom)
        state.answer_click(state.MAP)
    if state.focus() != drawn:  # also when the map's next word cut the run of the click short
        st.rerun()
    maps.draw(scene(look))


def heed(sight: Sight, click: tuple[float, float], zoom: float) -> None:
    """Keep what a click means: where something is to be put, or else what it fell on."""
    if state.by_hand() is not None:
        state.aim(*click)
        return
    meant = chosen.at_click(sight, *click, zoom)
    if isinstance(meant, View):
        state.fly_to(meant)
    else:
        state.select(meant)


def scene(look: Look) -> Scene:
    """Return what the map shows."""
    asker, sight = look.asker, look.sight
    held, picked, spot = sight.held, state.selected(), state.spot()
    far = look.catchment.farthest
    return Scene(
        base=look.base,
        centre=Marked(held.lon, held.lat, look.branch["name"]),
        tiles=reads.layers(held, sight.layers, sight.filters, look.base, sight.masked),
        rings=circles(look.catchment, look.shares),
        farthest=None if far is None or not may_mark(asker, held, far) else farthest_mark(asker, held, far),
        asides=aside_marks(asker, held),
        selected=None if picked is None else Marked(picked.lon, picked.lat),
        pin=None if spot is None else Marked(*spot),
        hint=hand.hint(),
        hulls=alliance_layer.hulls(asker, held) if look.ties else [],
        arcs=alliance_layer.arcs(asker, held) if look.ties else [],
        outside=look.reach.outside,
        metric=look.metric,
        colours=reads.colours(),
        legend=reads.legend(),
    )


def circles(ground: Catchment, shares: Sequence[float]) -> list[Ring]:
    """Return the circle, and the rings that are not the circle itself."""
    if ground.radius_m <= 0:
        return []
    rings = [Ring(ground.radius_m, _("Radius {radius}", radius=distance(ground.radius_m)), main=True)]
    for held_share in sorted(shares):
        radius_m = ground.rings[held_share]
        if not math.isnan(radius_m) and radius_m > 0 and abs(radius_m - ground.radius_m) > 1:
            rings.append(Ring(radius_m, f"{share(held_share)} · {distance(radius_m)}"))
    return rings


def may_mark(asker: Asker, held: Snapshot, point: Point) -> bool:
    """Whether a point may stand on the map: a person's place is for those who may see customers."""
    return point.layer == "merchants" or asker.may(Right.CUSTOMERS, held.branch_id)


def farthest_mark(asker: Asker, held: Snapshot, point: Point) -> Marked:
    """Return the farthest point with its name."""
    return Marked(point.lon, point.lat, _("Farthest: {point}", point=point_text(asker, held, point)))


def aside_marks(asker: Asker, held: Snapshot) -> list[Marked]:
    """Return where what was set aside lies."""
    layers = (
        [held.merchants, held.customers] if asker.may(Right.CUSTOMERS, held.branch_id) else [held.merchants]
    )
    return [
        Marked(float(layer.lon[row]), float(layer.lat[row]))
        for layer in layers
        for row in layer.aside.nonzero()[0][:MOST_MARKED]
    ]
