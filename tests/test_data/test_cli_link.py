"""The command that suggests links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from data import database, store
from data.__main__ import app
from data.alliances.links import refuse_link
from data.rights import command_line
from geo import crs

LON, LAT = 114.0, 30.0
METRES = crs.local_metric(LON, LAT)


@pytest.fixture
def street(sqlite_engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A branch; see `fill` for a restaurant, a hotel 250 m on, a shop of no category, a family every 10 m."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("ZHENDI_DATABASE_URL", sqlite_engine.url.render_as_string(hide_password=False))
    run("branch", "add", "--code", "T", "--name", "测试支行", "--lon", str(LON), "--lat", str(LAT))
    yield tmp_path
    database.dispose()


def run(*words: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == status, done.output
    return done.output


def links(*words: str, status: int = 0) -> dict[str, Any]:
    found = json.loads(run("link", "--branch", "T", *words, "--json", status=status).splitlines()[0])
    assert isinstance(found, dict)
    return found


def bring(folder: Path, kind: str, header: str, rows: list[str]) -> None:
    file = folder / f"{kind}.csv"
    file.write_text("\n".join([header, *rows]), encoding="utf-8")
    run("import", kind, str(file), "--branch", "T", "--datum", "wgs84")


def fill(folder: Path) -> None:
    shops = [("S1", "测试饭庄", "中餐馆", 0.0), ("S2", "测试宾馆", "酒店", 250.0)]
    lines = []
    for code, name, category, x in [*shops, ("S3", "测试某店", "", 120.0)]:
        lon, lat = crs.from_metric([x], [0.0], METRES)
        lines.append(f"{code},{name},{category},{lon[0]:.7f},{lat[0]:.7f}")
    bring(folder, "merchants", "商户编号,商户名称,类别,经度,纬度", lines)
    lon, lat = crs.from_metric([float(x) for x in range(-995, 1000, 10)], [0.0] * 200, METRES)
    places = zip(lon, lat, strict=True)
    homes = [f"K{at},张三甲{at},亲子家庭,{east:.7f},{north:.7f}" for at, (east, north) in enumerate(places)]
    bring(folder, "customers", "客户编号,姓名,客群,经度,纬度", homes)


def test_links_are_listed_with_parts_gains_and_why(street: Path) -> None:
    fill(street)
    (link,) = links()["links"]
    assert (link["a_name"], link["b_name"]) == ("测试饭庄", "测试宾馆")
    assert (link["a_source_id"], link["b_source_id"]) == ("S1", "S2")
    assert set(link["parts"]) == {"complement", "distance", "shared", "colocation", "readiness"}
    assert 0 < link["score"] < 1 and link["gain_a_n"] == 25 and link["gain_a"] == 0.25
    assert "250 m apart; 测试饭庄 would reach 25 more customers" in link["reason"]
    told = run("link", "--branch", "T", "--limit", "5")
    assert "测试饭庄" in told and "1 links of 2 merchants; the branch has 3." in told
    for named in ("S2", str(link["b"])):
        assert len(links("--merchant", named)["links"]) == 1
    found = links("--merchant", "S3")
    assert found["links"] == [] and "none lets both sides gain" in found["because"]
    assert links("--within", "200")["links"] == []


def test_a_refused_pair_is_left_out(street: Path) -> None:
    fill(street)
    (link,) = links()["links"]
    with store.transaction(store.engine(database_settings())) as session:
        branch_id = int(store.branch(session, command_line("test"), "T")["id"])
        refuse_link(session, command_line("test"), branch_id, link["a"], link["b"], reason="不愿意")
    assert links()["links"] == []


def database_settings() -> Any:
    from data.config import Settings

    return Settings.from_env()


def test_what_is_missing_is_said(street: Path) -> None:
    assert "here there are 0" in links()["because"]
    assert "here there are 0" in run("link", "--branch", "T")
    assert links("--merchant", "S9", status=1)["kind"] == "NotFound"
    assert links("--merchant", "9" * 30, status=1)["kind"] == "NotFound"
    run("link", "--branch", "T", "--limit", "0", status=2)
