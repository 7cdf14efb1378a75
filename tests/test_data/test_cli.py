"""The command line: what scripts rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely
from click.testing import Result
from typer.testing import CliRunner

from data import database, store
from data.__main__ import app
from data.config import Settings
from data.zones import plans
from geo.plans import Frame, Plan, Zone
from tests.test_data.conftest import CLI

ROOT = Path(__file__).resolve().parents[2]
LIST = (
    "商户编号,商户名称,类别,经度,纬度\n"
    "S1,甲饭店,餐饮,114.31,30.51\n"
    "S2,乙银行支行,银行,114.32,30.51\n"
    "S3,丙,超市,,\n"
)


@pytest.fixture
def branch(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    assert run("init").exit_code == 0
    assert (
        run(
            "branch", "add", "--code", "A", "--name", "人民路支行", "--lon", "114.3", "--lat", "30.5"
        ).exit_code
        == 0
    )
    yield "A"
    database.dispose()


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def answered(*words: str, status: int = 0) -> dict[str, Any]:
    """Run with --json, and check that stdout is one object."""
    done = run(*words, "--json")
    assert done.exit_code == status, done.output
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "清单.csv"
    path.write_bytes(LIST.encode("gb18030"))
    return path


def test_an_import_answers_with_its_counts(branch: str, listed: Path) -> None:
    found = answered("import", "merchants", str(listed), "--branch", branch, "--datum", "gcj02")
    assert {
        "batch",
        "rows",
        "accepted",
        "updated",
        "rejected",
        "duplicates",
        "reasons",
        "datum",
        "encoding",
    } <= set(found)
    assert (found["rows"], found["accepted"], found["rejected"], found["outlets"]) == (3, 2, 1, 1)
    assert (found["datum"], found["encoding"], found["reasons"]) == (
        "gcj02",
        "gb18030",
        {"no_coordinates": 1},
    )
    again = answered("import", "merchants", str(listed), "--branch", branch, "--datum", "gcj02")
    assert (again["duplicates"], again["updated"], again["accepted"]) == (2, 0, 0)


def test_no_proof_is_refused_with_the_candidates(branch: str, listed: Path) -> None:
    found = answered("import", "merchants", str(listed), "--branch", branch, status=1)
    assert set(found["candidates"]) == {"wgs84", "gcj02", "bd09"}
    assert found["candidates"]["wgs84"] == {"lon": 114.31, "lat": 30.51}
    done = run("import", "merchants", str(listed), "--branch", branch)
    assert done.exit_code == 1
    assert "gcj02 114.3" in done.stderr and not done.stdout


def test_the_refusal_is_in_the_users_language(
    branch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "a.csv"
    empty.write_bytes(b"")
    assert "empty" in run("import", "merchants", str(empty), "--branch", branch).stderr
    monkeypatch.setenv("ZHENDI_LANG", "zh")
    assert "空" in run("import", "merchants", str(empty), "--branch", branch).stderr


def test_rejected_rows_are_written_to_a_file(branch: str, listed: Path, tmp_path: Path) -> None:
    report = tmp_path / "rejected.csv"
    given = ("--datum", "wgs84", "--report", str(report))
    assert run("import", "merchants", str(listed), "--branch", branch, *given).exit_code == 0
    rows = pd.read_csv(report)
    assert rows[["row", "column"]].to_numpy().tolist() == [[4, "经度"]]
    assert rows["reason"].tolist() == ["The row has no coordinates."]


def test_a_dry_run_stores_nothing(branch: str, listed: Path) -> None:
    found = answered("import", "merchants", str(listed), "--branch", branch, "--datum", "wgs84", "--dry-run")
    assert (found["batch"], found["accepted"]) == (None, 2)
    assert answered("catchment", "--branch", branch)["counts"]["merchants"] == 0


def test_many_rejected_need_a_yes(branch: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称,经度,纬度\n甲,114.31,30.51\n乙,,\n丙,,\n", encoding="utf-8")
    given = ("import", "merchants", str(path), "--branch", branch, "--datum", "wgs84")
    assert answered(*given, status=1)["reasons"] == {"no_coordinates": 2}
    assert answered(*given, "--yes")["accepted"] == 1


def test_a_mapping_file_is_taken_or_refused(branch: str, tmp_path: Path) -> None:
    path, mapping = tmp_path / "a.csv", tmp_path / "m.json"
    path.write_text("甲列,乙列,丙列\n甲店,114.31,30.51\n", encoding="utf-8")
    mapping.write_text(json.dumps({"name": "甲列", "lon": "乙列", "lat": "丙列"}), encoding="utf-8")
    given = (
        "import",
        "merchants",
        str(path),
        "--branch",
        branch,
        "--datum",
        "wgs84",
        "--mapping",
        str(mapping),
    )
    assert answered(*given)["accepted"] == 1
    mapping.write_text("[1]", encoding="utf-8")
    assert "m.json" in answered(*given, status=1)["error"]


def test_catchment_names_the_farthest_and_the_rings(branch: str, listed: Path) -> None:
    run("import", "merchants", str(listed), "--branch", branch, "--datum", "wgs84")
    found = answered("catchment", "--branch", branch)
    assert found["farthest"]["name"] == "甲饭店"
    assert found["farthest"]["kind"] == "merchant"
    assert set(found["rings"]) == {"0.8", "0.95", "1.0"}
    assert found["radius_m"] == found["farthest"]["distance_m"] == found["rings"]["1.0"]
    assert 1400 < found["radius_m"] < 1500


def test_a_design_answers_with_its_measures_and_writes_its_zones(
    branch: str, listed: Path, tmp_path: Path
) -> None:
    run("import", "merchants", str(listed), "--branch", branch, "--datum", "wgs84")
    more = tmp_path / "b.csv"
    more.write_text("商户名称,经度,纬度\n丁,114.29,30.51\n", encoding="utf-8")
    run("import", "merchants", str(more), "--branch", branch, "--datum", "wgs84")
    out = tmp_path / "zones.geojson"
    given = ("design", "--branch", branch, "--zones", "2")
    found = answered(*given, "--out", str(out), "--seed", "3")
    assert {"largest_deviation", "bound", "dispersion", "mean_polsby_popper", "boundary_m"} <= set(found)
    assert (found["zones"], found["contiguous"], found["largest_deviation"]) == (2, True, 0.0)
    assert found["blocks"] > 2 and found["seconds"] > 0.0
    features = json.loads(out.read_text(encoding="utf-8"))["features"]
    assert [each["properties"] for each in features] == [
        {"zone_id": 1, "weight": 1.0},
        {"zone_id": 2, "weight": 1.0},
    ]
    refused = answered(*given, "--weight", "households", status=1)
    assert "households" in refused["error"]
    assert "geojson" in answered(*given, "--out", str(tmp_path / "a.shp"), status=1)["error"]
    assert run(*given, "--weight", "luck").exit_code == 2
    assert "2 zones" in run(*given).stdout


def test_coverage_before_there_is_a_plan_is_all_unzoned(branch: str, listed: Path) -> None:
    run("import", "merchants", str(listed), "--branch", branch, "--datum", "wgs84")
    found = answered("coverage", "--branch", branch)
    assert found["zones"] == [] and found["plan"] is None
    assert found["unzoned"]["merchant_coverage"] == found["total"]["merchant_coverage"]
    assert found["total"]["merchant_coverage"] == {"value": 0.0, "numerator": 0.0, "denominator": 1.0}
    assert found["total"]["customer_coverage"]["value"] is None


def test_coverage_tells_every_figure_of_the_published_plan_and_of_another(branch: str, listed: Path) -> None:
    run("import", "merchants", str(listed), "--branch", branch, "--datum", "wgs84")
    draft, published = _planned(branch, 114.29, 114.30), _planned(branch, 114.305, 114.315)
    with database.transaction(database.engine(Settings.from_env())) as session:
        plans.publish(session, CLI, published, 0)
    found = answered("coverage", "--branch", branch)
    assert found["plan"] == {"id": published, "name": "方案", "status": "published"}
    (zone,) = found["zones"]
    assert (zone["id"], zone["name"], zone["kind"]) == (1, "东街", "street")
    assert METRICS <= zone["figures"].keys() == found["unzoned"].keys() == found["total"].keys()
    assert all(figure.keys() >= {"value", "numerator", "denominator"} for figure in zone["figures"].values())
    assert zone["figures"]["merchant_coverage"] == {"value": 0.0, "numerator": 0.0, "denominator": 1.0}
    assert zone["figures"]["alliance_reach"] == {"value": None, "numerator": None, "denominator": None}
    other = answered("coverage", "--branch", branch, "--plan", str(draft))
    assert other["zones"][0]["figures"]["merchant_coverage"]["denominator"] == 0.0
    assert other["unzoned"]["merchant_coverage"]["denominator"] == 1.0
    assert (
        run("coverage", "--branch", branch).output.splitlines()[0].startswith("1\t东街\t0.0 / 0.0\t0.0 / 1.0")
    )
    refused = run("coverage", "--branch", branch, "--plan", "99")
    assert refused.exit_code == 1 and "no longer there" in refused.output


METRICS = {
    "customer_coverage", "merchant_coverage", "visit_coverage", "products_2", "products_3", "products_5",
    "products_mean", "product_match", "preferences", "alliance_merchants", "alliance_reach", "rivals",
    "rival_nearer", "customers_km2", "merchants_km2", "deposits_km2", "void_gap", "workload_h", "balance",
    "polsby_popper", "pieces",
}  # fmt: skip


def _planned(branch: str, west: float, east: float) -> int:
    """Make a draft of one zone, and return its id."""
    zone = Zone(1, "东街", shapely.box(west, 30.5, east, 30.52))
    with database.transaction(database.engine(Settings.from_env())) as session:
        branch_id = store.branch(session, CLI, branch)["id"]
        plan = Plan(Frame(114.3, 30.5, 2000.0, 9), (zone,))
        return plans.new_plan(session, CLI, branch_id, name="方案", plan=plan)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_keeps_the_lists_own_identifier(
    branch: str, listed: Path, tmp_path: Path, form: str
) -> None:
    run("import", "merchants", str(listed), "--branch", branch, "--datum", "gcj02")
    out = tmp_path / f"out.{form}"
    assert (
        answered("export", "merchants", "--branch", branch, "--out", str(out), "--datum", "gcj02")["rows"]
        == 1
    )
    frame = pd.read_csv(out) if form == "csv" else pd.read_excel(out, engine="calamine")
    assert frame["source_id"].tolist() == ["S1"]
    assert frame[["lon", "lat"]].round(6).to_numpy().tolist() == [[114.31, 30.51]]
    assert answered("export", "merchants", "--branch", branch, "--out", "x.pdf", status=1)["error"]


def test_branches_are_opened_in_any_datum_and_listed(branch: str) -> None:
    place = ("--lon", "114.3055", "--lat", "30.4976", "--datum", "gcj02")
    found = answered("branch", "add", "--code", "B", "--name", "别处支行", *place)
    assert abs(found["lon"] - 114.3) < 0.001
    assert [row["code"] for row in answered("branch", "list")["branches"]] == ["A", "B"]
    assert "taken" in answered("branch", "add", "--code", "B", "--name", "再来", *place, status=1)["error"]


@pytest.mark.parametrize(
    "words",
    [
        ("import", "nothing", "x.csv", "--branch", "A"),
        ("import", "merchants", "x.csv"),
        ("import", "merchants", "x.csv", "--branch", "A", "--datum", "mars"),
        ("branch", "add", "--code", "A"),
        ("no-such-command",),
    ],
)
def test_wrong_usage_is_status_2(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.parametrize(
    "words", [("import", "merchants", "none.csv"), ("catchment",), ("export", "places", "--out", "a.csv")]
)
def test_a_branch_or_file_that_is_not_there_is_refused(branch: str, words: tuple[str, ...]) -> None:
    del branch
    assert answered(*words, "--branch", "没有", status=1)["kind"] == "NotFound"
    assert answered("import", "merchants", "none.csv", "--branch", "A", status=1)["kind"] == "FileError"


def test_it_runs_as_a_program_and_says_nothing_of_customers(tmp_path: Path) -> None:
    path = tmp_path / "客户.csv"
    path.write_text(
        "姓名,手机,经度,纬度\n张三丰,13900001111,114.31,30.51\n李四光,13900002222,,\n", encoding="utf-8"
    )
    environment = {**os.environ, "ZHENDI_VAR": str(tmp_path / "var"), "LANG": "C.UTF-8"}

    def program(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "data", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (
        program("branch", "add", "--code", "A", "--name", "甲", "--lon", "114.3", "--lat", "30.5").returncode
        == 0
    )
    done = program("import", "customers", str(path), "--branch", "A", "--datum", "wgs84", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["accepted"] == 1
    for private in ("张三丰", "13900001111", "李四光"):
        assert private not in done.stdout
        assert private.encode() not in (tmp_path / "var" / "zhendi.db").read_bytes()


def test_a_demo_town_says_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    made = answered("demo", "--merchants", "40", "--customers", "60", "--seed", "5")
    assert made["made"] is True
    assert made["branch"] == "DEMO"
    assert made["customers"] == 60
    assert 0 < made["merchants"] <= 40  # some of the list's rows are banks: they become outlets
    assert made["outlets"] > 0 and made["places"] > 0
    assert len(made["files"]) == 5
    database.dispose()


# Lists that come again --------------------------------------------------------------------------------------


def test_several_lists_come_in_one_after_the_other_and_a_bad_one_does_not_stop_the_rest(
    branch: str, listed: Path, tmp_path: Path
) -> None:
    bad, other, report = tmp_path / "坏.csv", tmp_path / "别.csv", tmp_path / "report.xlsx"
    bad.write_bytes(b"")
    other.write_text("名称,经度,纬度\n丁,114.33,30.51\n戊,,\n", encoding="utf-8")
    given = ("--branch", branch, "--datum", "wgs84", "--report", str(report))
    found = answered("import", "merchants", str(listed), str(bad), str(other), *given, status=1)
    first, refused, last = found["imports"]
    assert (first["accepted"], last["accepted"]) == (2, 1)
    assert (refused["file"], refused["kind"]) == (str(bad), "FileError")
    rejected = pd.read_excel(report, sheet_name="rejected", engine="calamine")
    assert rejected["file"].tolist() == ["清单.csv", "别.csv"]


def test_a_snapshot_closes_what_is_gone(branch: str, tmp_path: Path) -> None:
    path = tmp_path / "月报.csv"
    path.write_text("商户编号,名称,经度,纬度\nS1,甲,114.31,30.51\nS2,乙,114.32,30.52\n", encoding="utf-8")
    given = ("import", "merchants", str(path), "--branch", branch, "--datum", "wgs84", "--source", "月报")
    assert answered(*given)["gone"] == 0
    path.write_text("商户编号,名称,经度,纬度\nS1,甲,114.31,30.51\n", encoding="utf-8")
    assert answered(*given, "--snapshot")["gone"] == 1
    found = answered(*given, "--snapshot", "--close-missing")
    assert (found["gone"], found["closed"]) == (1, 1)
    assert "source" in answered(*given[:-2], "--snapshot", status=1)["error"]
    assert answered("catchment", "--branch", branch)["counts"]["merchants"] == 1


def test_policy_header_and_doubles_are_chosen_on_the_command_line(branch: str, tmp_path: Path) -> None:
    path, mapping = tmp_path / "a.csv", tmp_path / "m.json"
    path.write_text("甲饭店,114.31,30.51\n乙超市,114.32,30.52\n", encoding="utf-8")
    mapping.write_text(json.dumps({"name": "列1", "lon": "列2", "lat": "列3"}), encoding="utf-8")
    given = ("import", "merchants", str(path), "--branch", branch, "--datum", "wgs84", "--no-header")
    more = ("--mapping", str(mapping), "--no-doubles")
    found = answered(*given, *more, "--policy", "skip")
    assert (found["rows"], found["accepted"]) == (2, 2)
    assert set(found["doubles"].values()) == {0}
    assert {"unplaced", "outside", "categories", "unknown_words", "gone", "seconds"} <= set(found)
    assert answered(*given, *more, "--policy", "skip")["duplicates"] == 2
    assert run(*given, "--policy", "guess").exit_code == 2


def test_the_rejected_rows_are_written_as_they_stood(branch: str, listed: Path, tmp_path: Path) -> None:
    report = tmp_path / "rejected.csv"
    given = ("--datum", "wgs84", "--report", str(report))
    assert run("import", "merchants", str(listed), "--branch", branch, *given).exit_code == 0
    (row,) = pd.read_csv(report).to_dict("records")
    assert (row["商户编号"], row["商户名称"], row["row"]) == ("S3", "丙", 4)
