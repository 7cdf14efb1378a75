"""The map part without a browser: what the browser is told, what a click means, and the page round it."""

from __future__ import annotations

import json
import re

import folium
import numpy as np
import pytest
import streamlit_folium
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from streamlit_folium import _get_feature_group_string, generate_js_hash, generate_leaflet_string

from data import snapshots, store
from data.basemaps import BaseMap
from data.figures import Filters
from data.rights import Role
from geo.catchment import GEOD
from geo.datum import convert
from pages.parts import chosen, outlines, state
from pages.parts import map as maps
from pages.parts.chosen import Sight, at_click
from pages.parts.map import Marked, Ring, Scene
from pages.parts.state import Selected, View
from tests.test_pages.conftest import ME, Visit, texts

PLAIN = BaseMap(key="none", zh="无", en="None", kind="none", datum="wgs84", enabled=True)
SHIFTED = BaseMap(key="s", zh="偏", en="S", kind="xyz", url="/{z}/{x}/{y}", datum="gcj02", enabled=True)
LON, LAT = 114.30, 30.60
NASTY = [
    "</script><script>alert(1)</script>",
    "{{ 7*7 }}{% raw %}",
    "{{'x'}}",
    "'\"`\\",
    "<b>&amp;",
    "\u2028",
]


# What the browser is told ---------------------------------------------------------------------------------


@given(st.text() | st.sampled_from(NASTY))
def test_a_name_in_the_state_is_text_to_templates_scripts_and_html(name: str) -> None:
    literal = maps.script_text({"name": name})
    assert not set("{}<>&'") & set(literal)
    assert literal.isascii()
    assert json.loads(json.loads(literal)) == {"name": name}


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_name_comes_through_folium_and_streamlit_folium_unchanged(name: str) -> None:
    group = folium.FeatureGroup(name="zhendi")
    group.add_child(maps.Sync({"name": name}))
    script = _get_feature_group_string(group, maps.Ground())
    (literal,) = re.findall(r"JSON\.parse\((\".*\")\)", script)
    assert json.loads(json.loads(literal)) == {"name": name}
    assert "<" not in script


@pytest.mark.parametrize("key", [state.MAP, state.PIN_MAP])
def test_the_browser_is_sent_what_streamlit_folium_would_send(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(streamlit_folium, "_component_func", lambda **arguments: sent.append(arguments))
    scene = Scene(PLAIN, Marked(LON, LAT, "江汉路支行"), rings=[Ring(800.0, "800 m", main=True)])
    maps.draw(scene, key=key)
    group = folium.FeatureGroup(name="zhendi")
    group.add_child(maps.Sync(maps.picture(scene, key)))
    streamlit_folium.st_folium(
        maps.Ground(),
        key=key,
        height=maps.HEIGHT_PX,
        use_container_width=True,
        returned_objects=["last_clicked", "center", "zoom"],
        feature_group_to_add=group,
    )
    ours, theirs = sent
    assert callable(ours.pop("on_change")) and callable(theirs.pop("on_change"))
    assert ours == theirs


def test_the_bare_map_is_always_the_same_so_that_it_is_never_made_anew() -> None:
    first, second = (generate_js_hash(generate_leaflet_string(maps.Ground()), "map") for _ in range(2))
    assert first == second


def test_every_script_and_style_comes_from_this_server() -> None:
    ground = maps.Ground()
    links = [link for _, link in [*ground.default_js, *ground.default_css]]
    assert links
    assert all(link.startswith("/assets/") for link in links)


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_a_ring_lies_at_its_radius_on_the_ground_whatever_the_maps_datum(datum: str) -> None:
    ring = maps.ring_json(Marked(LON, LAT), Ring(2500.0, "2.5 km"), 0, datum)
    line = np.array(ring["outline"]).reshape(-1, 2).cumsum(axis=0) / 1e6
    lon, lat = convert(line[:, 0], line[:, 1], datum, "wgs84")
    _, _, metres = GEOD.inv(np.full(len(lon), LON), np.full(len(lat), LAT), lon, lat)
    assert len(lon) == outlines.VERTICES
    assert np.abs(metres - 2500).max() < 0.5
    at_lon, at_lat = maps.unshifted(*ring["rim"], datum)
    assert GEOD.inv(LON, LAT, at_lon, at_lat)[2] == pytest.approx(2500, abs=0.5)


def test_points_go_out_in_the_base_maps_datum_and_clicks_come_back() -> None:
    shown = maps.shifted(Marked(LON, LAT), "gcj02")
    lon, lat = convert(np.array([LON]), np.array([LAT]), "wgs84", "gcj02")
    assert shown == pytest.approx((lon[0], lat[0]), abs=1e-7)
    assert maps.unshifted(*shown, "gcj02") == pytest.approx((LON, LAT), abs=2e-7)
    assert maps.unshifted(LON + 360, LAT, "wgs84") == pytest.approx((LON, LAT))


# What a click means ----------------------------------------------------------------------------------------


@pytest.fixture
def sight(sqlite_engine: Engine, seeded: int) -> Sight:
    held = snapshots.snapshot(sqlite_engine, seeded)
    return Sight(held, ("merchants", "customers", "outlets", "places"), Filters(), masked=False)


def test_a_click_near_a_merchant_chooses_it(sight: Sight) -> None:
    meant = at_click(sight, 114.3011, LAT, 15)
    assert isinstance(meant, Selected)
    assert (meant.layer, round(meant.lon, 6)) == ("merchants", 114.301)


def test_the_nearest_of_several_layers_is_chosen(sight: Sight) -> None:
    meant = at_click(sight, 114.301, 30.6018, 15)
    assert isinstance(meant, Selected)
    assert meant.layer == "outlets"


def test_a_click_far_from_anything_chooses_nothing(sight: Sight) -> None:
    assert at_click(sight, 114.4, 30.7, 15) is None


def test_a_layer_switched_off_cannot_be_clicked(sight: Sight) -> None:
    without = sight._replace(layers=("outlets",))
    assert at_click(without, 114.306, LAT, 17) is None


def test_a_merchant_filtered_out_cannot_be_clicked(sight: Sight) -> None:
    only_signed = sight._replace(filters=Filters(statuses=("signed",)), layers=("merchants",))
    assert at_click(only_signed, 114.302, LAT, 18) is None
    assert isinstance(at_click(only_signed, 114.301, LAT, 18), Selected)


def test_a_click_on_a_customers_cell_chooses_the_spot_and_no_person(sight: Sight) -> None:
    meant = at_click(sight._replace(layers=("customers",)), 114.301, 30.601, 16)
    assert isinstance(meant, Selected)
    assert (meant.layer, meant.row_id) == ("customers", None)
    assert len(chosen.in_cell(sight, meant.lon, meant.lat, meant.zoom)) >= 1


def test_a_click_on_a_bubble_goes_in(sight: Sight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.tiles.POINTS_A_CELL", 2)
    meant = at_click(sight._replace(layers=("merchants",)), 114.3015, LAT, 9)
    assert meant == View(114.3015, LAT, 11)


# The page --------------------------------------------------------------------------------------------------


def test_without_a_branch_the_page_leads_to_making_one(visit: Visit, sqlite_engine: Engine) -> None:
    app = visit()
    assert not app.exception
    assert "There is no branch yet." in texts(app)


def test_a_branch_nothing_is_known_about_leads_to_the_first_list(visit: Visit, branch: int) -> None:
    app = visit()
    assert not app.exception
    assert "Nothing is known about the ground" in texts(app)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("role", [Role.HEAD, Role.LEAD, Role.MEMBER, Role.ANALYST])
def test_the_page_stands_for_every_role_that_may_see_figures(
    visit: Visit, seeded: int, role: Role, lang: str
) -> None:
    app = visit(lang=lang, role=role)
    assert not app.exception
    assert not app.error
    assert len(app.metric) == 6
    assert app.slider[0].max == app.slider[0].value


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_whoever_may_not_see_figures_is_told_so(visit: Visit, seeded: int, role: Role) -> None:
    app = visit(role=role)
    assert not app.exception
    assert "The customer map is for those who work at the branch." in texts(app)
    assert not app.metric
    assert not app.slider


def test_the_farthest_is_named_and_a_person_only_to_those_who_may_see_customers(
    visit: Visit, seeded: int
) -> None:
    # The farthest is the target group of two, 700 m away: 客户6.
    assert "客户6" in texts(visit(role=Role.HEAD))
    told = texts(visit(role=Role.ANALYST))
    assert "Farthest: Target group" in told
    assert "客户6" not in told


def test_the_view_in_the_url_is_taken_up_and_a_radius_set_by_hand_goes_there(
    visit: Visit, seeded: int
) -> None:
    app = visit(r="300", layers="merchants", outside="1", cells="coverage", status="signed")
    assert not app.exception
    assert app.slider[0].value == 300
    assert app.toggle[0].value is True
    app.slider[0].set_value(500).run()
    assert app.query_params["r"] == "500"
    app.slider[0].set_value(app.slider[0].max).run()
    assert "r" not in app.query_params


@pytest.mark.parametrize(
    "hostile",
    [
        {"at": "nan,inf,99", "r": "-5", "layers": "x.y", "base": "../../etc", "cells": "<b>"},
        {"at": "1e400,0,5", "r": "9" * 400, "rings": "0.0", "basis": "'; drop table", "outside": "yes"},
        {"at": ",,,,", "r": "1e9", "cat": "1.1.1.x", "status": "%00", "group": "-1", "tier": "gold"},
    ],
)
def test_a_hostile_url_is_passed_over(visit: Visit, seeded: int, hostile: dict[str, str]) -> None:
    app = visit(**hostile)
    assert not app.exception
    assert not app.error
    assert len(app.metric) == 6


def test_the_farthest_is_set_aside_with_a_reason_and_the_next_sets_the_radius(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    app = visit()
    before = app.slider[0].max
    next(box for box in app.text_input if "farthest" in box.key).set_value("moved away").run()
    next(
        button for button in app.button if button.key and button.key.startswith("aside_farthest_")
    ).click().run()
    assert not app.exception
    assert app.slider[0].max < before
    assert app.slider[0].value == app.slider[0].max
    with store.transaction(sqlite_engine) as session:
        assert store.asides(session, ME, seeded)["reason"].tolist() == ["moved away"]


def test_a_failing_store_is_said_calmly(visit: Visit, seeded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("pages.parts.reads.seen_by", fails)
    app = visit()
    assert not app.exception
    assert app.error
    assert "secret" not in texts(app)


def test_a_scene_without_a_branch_shows_the_country() -> None:
    assert maps.first_view.__name__  # the pin map's first picture
    assert maps.CHINA.zoom < 6
    assert Scene(PLAIN, None).rings == ()
    assert SHIFTED.datum == "gcj02"
