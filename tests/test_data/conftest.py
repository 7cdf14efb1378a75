"""The toy town: few enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
import sqlalchemy

from data import bulk, snapshots, store, tables
from data.rights import Asker, Role, command_line
from geo.catchment import destination

LON, LAT = 114.30, 30.50
CLI = command_line("tests")

# Every point lies due east of the branch, so many metres away.
MERCHANTS = pd.DataFrame(
    [
        ("M1", "老王酒楼", "lwjl", 101, "known", 100.0),
        ("M2", "Happy 100%_火锅", "happy100hg", 102, "signed", 200.0),
        ("M3", "人民路超市", "rmlcs", 201, "contacted", 300.0),
        ("M4", "人民饭店", "rmfd", 101, "closed", 5000.0),
        ("M5", "沙县小吃", "sxxc", 103, "signed", 1000.0),
    ],
    columns=["source_id", "name", "initials", "category_id", "status", "metres"],
)
# Shop owners (1) are recommended products 0, 1, 4 and 10; elderly savers (3) 3, 4, 14 and 15.
CUSTOMERS = pd.DataFrame(
    [
        ("C1", True, 1, 1, "张三", "13900000001", "ordinary", 10_000.0, "跳舞", "微信", (0, 1), 150.0),
        ("C2", True, 1, 1, "李四", "13900000002", "gold", None, "年货;跳舞", "", (0, 1, 4, 5, 10), 250.0),
        ("C3", False, 1, 1, "王五", None, None, None, "", "", (), 400.0),
        ("C4", False, 9, 50, "三中学生", None, None, None, "", "", (), 2000.0),
        ("C5", True, 3, 1, "赵六", "13900000005", "gold", 50_000.0, "年货", "电话;微信", (3,), 1500.0),
    ],
    columns=[
        "source_id",
        "existing",
        "group_id",
        "size",
        "name",
        "phone",
        "tier",
        "deposits",
        "tags",
        "channels",
        "products",
        "metres",
    ],
)
OUTLETS = pd.DataFrame(
    [
        ("甲银行人民路支行", "jyxrmlzx", "bank", False, 500.0),
        ("我行人民路支行", "whrmlzh", "bank", True, 600.0),
        ("乙银行自助", "yyhzz", "atm", False, 3000.0),
    ],
    columns=["name", "initials", "kind", "is_own", "metres"],
)
PLACES = pd.DataFrame(
    [("幸福小区", "xfxq", "community", 100, 700.0), ("李家村", "ljc", "village", 300, 1800.0)],
    columns=["name", "initials", "kind", "households", "metres"],
)


@dataclass
class Town:
    """A branch, and the ids of what lies round it by its number in the lists above."""

    engine: sqlalchemy.Engine
    branch_id: int
    other_id: int
    member_id: int
    ids: dict[str, int] = field(default_factory=dict)

    def asker(self, role: Role, branch_id: int | None = None) -> Asker:
        """Return someone of a role at the branch; the member manages C5."""
        own = frozenset({self.branch_id if branch_id is None else branch_id})
        return Asker(name=f"test:{role.value}", role=role, branch_ids=own, person_id=self.member_id)

    def snapshot(self) -> snapshots.Snapshot:
        """Return the branch's newest snapshot."""
        return snapshots.snapshot(self.engine, self.branch_id)


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    """Let no test see another's snapshots."""
    yield
    snapshots.clear()


@pytest.fixture
def town(engine: sqlalchemy.Engine) -> Town:
    """Return the toy town, on each database."""
    return build(engine)


@pytest.fixture
def sqlite_town(sqlite_engine: sqlalchemy.Engine) -> Town:
    """Return the toy town on SQLite, for what does not depend on the database."""
    return build(sqlite_engine)


def build(engine: sqlalchemy.Engine) -> Town:
    """Store the town."""
    with store.transaction(engine) as session:
        branch_id = store.add_branch(
            session, CLI, code="A", name="人民路支行", lon=LON, lat=LAT, is_demo=True
        )
        other_id = store.add_branch(session, CLI, code="B", name="别处支行", lon=LON + 1, lat=LAT)
        member_id = store.add_person(session, CLI, name="小陈", role=Role.MEMBER, branch_ids=[branch_id])
        town = Town(engine, branch_id, other_id, member_id)
        for table, frame in (
            (tables.merchants, MERCHANTS),
            (tables.customers, CUSTOMERS),
            (tables.outlets, OUTLETS),
            (tables.places, PLACES),
        ):
            placed = _placed(frame).assign(branch_id=branch_id)
            if table is tables.customers:
                placed["manager_id"] = [
                    member_id if number == "C5" else None for number in frame["source_id"]
                ]
            ids = bulk.insert_numbered(session, table, placed.drop(columns="products", errors="ignore"))
            names = frame["source_id"] if "source_id" in frame else frame["name"]
            town.ids.update(zip(names, ids.tolist(), strict=True))
        held = CUSTOMERS.explode("products").dropna(subset="products")
        pairs: dict[str, Any] = {
            "customer_id": [town.ids[number] for number in held["source_id"]],
            "product_id": held["products"].astype(int).to_numpy(),
        }
        bulk.insert(session, tables.holdings, pd.DataFrame(pairs))
        store.new_version(session, CLI, branch_id, "import")
    return town


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    points = [destination(LON, LAT, 90, metres) for metres in frame["metres"]]
    return frame.drop(columns="metres").assign(lon=[lon for lon, _ in points], lat=[lat for _, lat in points])
