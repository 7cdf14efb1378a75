"""Base maps: the shipped table, and what is said of one that cannot be used."""

from __future__ import annotations

import dataclasses

import pytest

from data import basemaps
from data.words import say
from geo.errors import SettingsError

GOOD = {
    "key": "mine",
    "zh": "我的",
    "en": "Mine",
    "kind": "xyz",
    "url": "http://127.0.0.1:1/{z}/{x}/{y}.png",
    "datum": "gcj02",
    "enabled": True,
}


def written(settings, tmp_path, *entries):
    """Return settings whose table has these entries."""
    path = tmp_path / "maps.toml"
    lines = []
    for entry in entries:
        lines.append("[[basemap]]")
        lines += [f"{name} = {_toml(value)}" for name, value in entry.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return dataclasses.replace(settings, basemaps=path)


def _toml(value):
    return str(value).lower() if isinstance(value, bool | int) else f'"{value}"'


def test_shipped_maps_of_others_are_off(settings):
    maps = {each.key: each for each in basemaps.load(settings)}
    assert list(maps) == ["none", "demo", "osm", "gaode", "tianditu"]
    assert [each.enabled for each in maps.values()] == [True, True, False, False, False]
    assert [each.datum for each in maps.values()] == ["wgs84", "wgs84", "wgs84", "gcj02", "wgs84"]
    assert maps["demo"].path == settings.var / "basemaps" / "demo.pmtiles"
    assert maps["osm"].name("zh") == "OpenStreetMap"


def test_a_map_is_offered_once_its_file_is_there(settings):
    assert [each.key for each in basemaps.offered(settings)] == ["none"]
    path = basemaps.pmtiles_path(settings, "demo")
    path.parent.mkdir(parents=True)
    path.touch()
    assert [each.key for each in basemaps.offered(settings)] == ["none", "demo"]
    assert basemaps.pmtiles_path(settings, "osm") is None
    assert basemaps.pmtiles_path(settings, "../secret.key") is None


def test_a_key_comes_from_the_environment(settings, tmp_path, monkeypatch):
    mine = written(settings, tmp_path, {**GOOD, "url": GOOD["url"] + "?tk=${MY_MAP_KEY}"})
    assert basemaps.load(mine)[0].missing == ("MY_MAP_KEY",)
    assert basemaps.offered(mine) == []
    monkeypatch.setenv("MY_MAP_KEY", "abc")
    assert basemaps.offered(mine)[0].url.endswith("?tk=abc")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"key": "Ä"}, "key"),
        ({"zh": ""}, "zh"),
        ({"kind": "wms"}, "kind"),
        ({"datum": "mars"}, "datum"),
        ({"url": "ftp://x/{z}/{x}/{y}"}, "url"),
        ({"url": "http://x/{z}/{x}.png"}, "url"),
        ({"kind": "pmtiles"}, "path"),
        ({"enabled": "yes"}, "enabled"),
        ({"colour": "red"}, "colour"),
        ({"max_zoom": 99}, "zooms"),
    ],
)
def test_a_wrong_entry_is_named_with_its_field(settings, tmp_path, change, named):
    with pytest.raises(SettingsError) as refused:
        basemaps.load(written(settings, tmp_path, {**GOOD, **change}))
    assert named in str(refused.value)
    assert change.get("key", "mine") in str(refused.value)
    assert say(refused.value, "zh") != str(refused.value)


def test_a_missing_field_is_named(settings, tmp_path):
    for field in ("key", "zh", "kind", "datum", "enabled", "url"):
        entry = {name: value for name, value in GOOD.items() if name != field}
        with pytest.raises(SettingsError, match=field):
            basemaps.load(written(settings, tmp_path, entry))


def test_two_maps_of_one_key_are_refused(settings, tmp_path):
    with pytest.raises(SettingsError, match="mine"):
        basemaps.load(written(settings, tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("content", ["[[basemap", "basemap = 3", "basemap = [1]"])
def test_a_file_that_is_no_table_is_refused(settings, tmp_path, content):
    path = tmp_path / "maps.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match="maps.toml"):
        basemaps.load(dataclasses.replace(settings, basemaps=path))
    with pytest.raises(SettingsError, match="none.toml"):
        basemaps.load(dataclasses.replace(settings, basemaps=tmp_path / "none.toml"))
