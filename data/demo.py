"""
The demo: an invented county town as lists a user could have, brought in by the importer like anybody's.

The small town of the default counts stands ready in `data/samples`; any other is made when asked for.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
import xlsxwriter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data import branches, ingest, people, store
from data.config import Settings
from data.rights import Asker, Right, Role
from data.tables import branches as branch_table
from data.tables import people as people_table
from data.tables import person_branches
from data.towns import invented, outreach, townsfolk
from data.towns.streetplan import barriers_file, plan_path, write_barriers, write_street_plan
from data.towns.town import Town, plan_town
from geo.datum import convert
from geo.errors import N_, Conflict, NotFound

Progress = Callable[[float, str], None]
"""Called with the share done and what is being done, a message to be translated."""

CODE = "DEMO"
NAME = "演示支行"
SEED = 1
MERCHANTS = 1500
CUSTOMERS = 3000
SAMPLES = Path(__file__).with_name("samples")
FILES = {"places": "场所_GPS.geojson", "outlets": "网点_百度.csv", "merchants": "商户_高德.csv"}
CUSTOMERS_XLSX = "客户_GPS.xlsx"
CUSTOMERS_CSV = "客户_GPS.csv"
MOST_IN_A_WORKBOOK = 50_000
_MAKER = Asker(name="demo", role=None)
_PLACE_KINDS = {"community": "社区", "village": "村庄", "park": "园区", "institution": "机构"}
_MADE = datetime(2026, 1, 1)  # noqa: DTZ001  a workbook's date has no zone; always one, that files compare
_PLANNING, _WRITING = N_("Planning the streets …"), N_("Writing the lists …")
_BRINGING, _DRAWING = N_("Bringing in the lists …"), N_("Drawing the street plan …")
_ZONING = N_("Drawing the zones …")


def build_demo(
    settings: Settings,
    asker: Asker | None = None,
    *,
    merchants: int = MERCHANTS,
    customers: int = CUSTOMERS,
    seed: int = SEED,
    progress: Progress | None = None,
) -> int:
    """
    Make the demo branch with all it has, in one transaction, and return its id.

    Parameters
    ----------
    settings
        Where the store and the base maps are.
    asker
        Who makes it, and has to have the right to open branches; nobody in particular without.
    merchants, customers, seed
        Another seed makes another town, and a larger one has more streets.
    progress
        Told how far it is.

    Raises
    ------
    Conflict
        When there is a demo already.
    """
    asker = asker or _MAKER
    asker.require(Right.BRANCHES)
    tell = progress or (lambda _share, _what: None)
    engine = store.engine(settings)
    store.migrate(engine)
    with store.reading(engine) as session:
        _refuse_second(session)
    tell(0.02, _PLANNING)
    town = plan_town(seed, size_for(merchants, customers))
    with tempfile.TemporaryDirectory(prefix="zhendi-demo-") as folder:
        files = samples() if (merchants, customers, seed) == (MERCHANTS, CUSTOMERS, SEED) else {}
        if not files:
            tell(0.1, _WRITING)
            files = write_lists(town, seed, merchants, customers, Path(folder))
        with store.transaction(engine) as session:
            _refuse_second(session)
            branch_id = _bring_in(session, asker, town, files, tell)
            tell(0.95, _DRAWING)
            write_street_plan(town, plan_path(settings))
            write_barriers(town, barriers_file(settings))
    tell(1.0, _DRAWING)
    return branch_id


def remove_demo(settings: Settings, asker: Asker | None = None) -> None:
    """
    Remove the demo branch with all it has, its people and its street plan.

    Raises
    ------
    NotFound
        When there is no demo.
    """
    asker = asker or _MAKER
    engine = store.engine(settings)
    store.migrate(engine)
    with store.transaction(engine) as session:
        found = session.scalars(select(branch_table.c.id).where(branch_table.c.is_demo)).all()
        if not found:
            raise NotFound(N_("There is no demo to remove."))
        for branch_id in found:
            theirs = select(person_branches.c.person_id).where(person_branches.c.branch_id == branch_id)
            staff = session.scalars(theirs).all()
            branches.remove_branch(session, asker, branch_id)
            _remove_people(session, staff)
    plan_path(settings).unlink(missing_ok=True)
    barriers_file(settings).unlink(missing_ok=True)


def make_town(seed: int, merchants: int, customers: int, out_dir: Path) -> dict[str, Path]:
    """Write the lists of a town into a folder; return each list's file, in the order to import them."""
    return write_lists(plan_town(seed, size_for(merchants, customers)), seed, merchants, customers, out_dir)


def size_for(merchants: int, customers: int) -> float:
    """Return how large a town it takes: more people stand closer, but not on each other."""
    return round(float(np.clip((max(merchants, customers) / 8_000) ** 0.32, 1.0, 4.0)), 2)


def write_lists(town: Town, seed: int, merchants: int, customers: int, out_dir: Path) -> dict[str, Path]:
    """Write the lists of who trades and lives in a town."""
    shops, homes = townsfolk.frontage(town, seed), townsfolk.homes(town, seed)
    files = {kind: out_dir / name for kind, name in FILES.items()}
    small = customers <= MOST_IN_A_WORKBOOK
    files["customers"] = out_dir / (CUSTOMERS_XLSX if small else CUSTOMERS_CSV)
    out_dir.mkdir(parents=True, exist_ok=True)
    _write_places(files["places"], town)
    _write_csv(
        files["outlets"],
        [_in_datum(townsfolk.outlets(town, shops, seed), "bd09", "百度")],
        encoding="utf-8-sig",
        sep=";",
    )
    shop_rows = _in_chunks(merchants, lambda *at: townsfolk.merchants(town, shops, seed, *at))
    _write_csv(
        files["merchants"], (_in_datum(rows, "gcj02", "高德") for rows in shop_rows), encoding="gb18030"
    )
    home_rows = _in_chunks(customers, lambda *at: townsfolk.customers(town, homes, shops, seed, *at))
    chunks = (_in_datum(rows, "wgs84", "GPS") for rows in home_rows)
    if small:
        _write_workbook(files["customers"], chunks)
    else:
        _write_csv(files["customers"], chunks, encoding="utf-8")
    return files


def _in_chunks(count: int, make: Callable[[int, int, int], pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Make rows a chunk at a time: `make` is told the chunk, how many rows, and the number of the first."""
    for chunk in range(math.ceil(count / townsfolk.CHUNK)):
        done = chunk * townsfolk.CHUNK
        yield make(chunk, min(townsfolk.CHUNK, count - done), done + 1)


def _in_datum(frame: pd.DataFrame, datum: str, word: str) -> pd.DataFrame:
    """Return the rows with positions as a list of that origin has them, to a decimetre."""
    lon, lat = convert(frame["lon"].to_numpy(), frame["lat"].to_numpy(), "wgs84", datum)
    placed = {f"{word}经度": np.round(lon, 6), f"{word}纬度": np.round(lat, 6)}
    return frame.drop(columns=["lon", "lat"]).assign(**placed)


def _write_csv(path: Path, chunks: Any, *, encoding: str, sep: str = ",") -> None:
    with path.open("w", encoding=encoding, newline="") as target:
        for i, frame in enumerate(chunks):
            frame.to_csv(target, sep=sep, index=False, header=i == 0, lineterminator="\r\n")


def _write_workbook(path: Path, chunks: Iterator[pd.DataFrame]) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "nan_inf_to_errors": False}) as book:
        book.set_properties({"title": "演示客户，全部虚构", "created": _MADE})
        sheet, row = book.add_worksheet("客户"), 0
        for frame in chunks:
            if row == 0:
                sheet.write_row(0, 0, list(frame.columns), book.add_format({"bold": True}))
            for values in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
                row += 1
                sheet.write_row(row, 0, values)


def _write_places(path: Path, town: Town) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {
                "编号": f"CS{i:04d}",
                "名称": place.name,
                "类型": _PLACE_KINDS[place.kind],
                "户数": place.households or None,
                "成年人数": place.adults or None,
                "员工数": place.employees or None,
            },
            "geometry": json.loads(shapely.to_geojson(_rounded(town.geographic(place.shape)))),
        }
        for i, place in enumerate(town.places, start=1)
        if place.kind in _PLACE_KINDS
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', encoding="utf-8")


def _rounded(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: np.round(xy, 6))


def samples() -> dict[str, Path]:
    """Return the lists of the small town that stand ready; none where any is missing."""
    files = {**FILES, "customers": CUSTOMERS_XLSX}
    found = {kind: SAMPLES / name for kind, name in files.items()}
    return found if all(path.is_file() for path in found.values()) else {}


def _refuse_second(session: Session) -> None:
    if session.scalar(select(branch_table.c.id).where(branch_table.c.is_demo)) is not None:
        raise Conflict(N_("There is a demo town already. Remove it first to make another."))


def _bring_in(session: Session, asker: Asker, town: Town, files: dict[str, Path], tell: Progress) -> int:
    """Open the branch, give it people, import the lists, and divide the ground into zones."""
    asker = Asker(name=asker.name, role=None)  # the demo fills itself, whoever opens it
    lon, lat = town.lonlat(np.array([town.branch[0]]), np.array([town.branch[1]]))
    branch_id = branches.add_branch(
        session, asker, code=CODE, name=NAME, lon=float(lon[0]), lat=float(lat[0]), is_demo=True
    )
    for role, names in invented.STAFF.items():
        for name in names:
            people.add_person(session, asker, name=name, role=Role(role), branch_ids=[branch_id])
    begin = 0.2
    for kind, end in (("places", 0.23), ("outlets", 0.25), ("merchants", 0.55), ("customers", 0.9)):
        ingest.run_import(
            session,
            asker,
            files[kind],
            kind=kind,
            branch_id=branch_id,
            bank=townsfolk.OWN_BANK,
            doubles=False,  # the invented shops have none
            progress=_part(tell, begin, end),
        )
        begin = end
    tell(0.93, _ZONING)
    outreach.begin(session, asker, branch_id)
    return branch_id


def _part(tell: Progress, begin: float, end: float) -> Callable[[str, int, int], None]:
    """Return what tells of an import, its reading and its storing, as a part of the whole."""

    def told(stage: str, done: int, total: int) -> None:
        part = (done / total if total else 1.0) / 2
        share = {"reading": part, "storing": 0.5 + part}.get(stage, 0.5)
        tell(begin + (end - begin) * min(share, 1.0), _BRINGING)

    return told


def _remove_people(session: Session, ids: Any) -> None:
    """Remove those of the people who belong to no branch any more."""
    elsewhere = set(
        session.scalars(select(person_branches.c.person_id).where(person_branches.c.person_id.in_(ids)))
    )
    alone = sorted(set(ids) - elsewhere)
    session.execute(delete(people_table).where(people_table.c.id.in_(alone)))


if __name__ == "__main__":
    make_town(SEED, MERCHANTS, CUSTOMERS, SAMPLES)
