"""The tables of the store, the same on both databases: points are lon/lat columns, shapes WKB, all WGS 84."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from data.sealed import Sealed

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite numbers rows only in an INTEGER column; PostgreSQL gets eight bytes. A number is never given twice
# (hence `sqlite_autoincrement`): the audit trail goes on naming rows that are gone.
Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def _branch_id() -> Column[int]:
    return Column("branch_id", Id, ForeignKey("branches.id", ondelete="CASCADE"), nullable=False)


def _batch_id() -> Column[int]:
    return Column("batch_id", Id, ForeignKey("batches.id", ondelete="SET NULL"), index=True)


def _now() -> datetime:
    return datetime.now(UTC)


def _moment() -> Column[datetime]:
    return Column("at", DateTime(timezone=True), nullable=False, default=_now)


def _point() -> tuple[Column[float], Column[float]]:
    return Column("lon", Float, nullable=False), Column("lat", Float, nullable=False)


branches = Table(
    "branches",
    metadata,
    _id(),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    *_point(),
    Column("is_demo", Boolean, nullable=False, default=False),
    Column("radius_m", Float),  # set by hand; None: the farthest point sets it
    Column("version", Integer, nullable=False, default=0),  # of the branch's data
    _moment(),
    sqlite_autoincrement=True,
)

people = Table(
    "people",
    metadata,
    _id(),
    Column("name", String(100), nullable=False, index=True),
    Column("role", String(20)),  # None: named in a list as a manager, given no role yet
    _moment(),
    sqlite_autoincrement=True,
)

person_branches = Table(
    "person_branches",
    metadata,
    Column("person_id", Id, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("branch_id", Id, ForeignKey("branches.id", ondelete="CASCADE"), primary_key=True),
)

# The catalogue's three tables are filled from the files beside this module (`data.catalogue`).
categories = Table(
    "categories",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("code", String(60), nullable=False, unique=True),
    Column("parent_id", Integer, ForeignKey("categories.id")),
    Column("zh", String(100), nullable=False),
    Column("en", String(100), nullable=False),
)

products = Table(
    "products",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 0-51: the bit in a holdings mask
    Column("code", String(60), nullable=False, unique=True),
    Column("zh", String(100), nullable=False),
    Column("en", String(100), nullable=False),
)

customer_groups = Table(
    "customer_groups",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("code", String(60), nullable=False, unique=True),
    Column("zh", String(100), nullable=False),
    Column("en", String(100), nullable=False),
)

group_products = Table(
    "group_products",
    metadata,
    Column("group_id", Integer, ForeignKey("customer_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("product_id", Integer, ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
)

batches = Table(
    "batches",
    metadata,
    _id(),
    _branch_id(),
    Column("kind", String(20), nullable=False),  # merchants, customers, outlets, places
    Column("file_name", String(300), nullable=False),
    Column("file_hash", String(64), nullable=False),  # SHA-256
    Column("mapping", JSON, nullable=False),
    Column("datum", String(10), nullable=False),
    Column("encoding", String(40)),
    Column("counts", JSON, nullable=False),
    Column("by", String(100), nullable=False),
    _moment(),
    sqlite_autoincrement=True,
)

merchants = Table(
    "merchants",
    metadata,
    _id(),
    _branch_id(),
    Column("source_id", String(120)),  # the list's own identifier, 商户编号
    Column("name", String(300), nullable=False),
    Column("initials", String(300), nullable=False, default=""),  # of the name's pinyin, for search
    Column("category_id", Integer, ForeignKey("categories.id"), nullable=False),
    Column("status", String(12), nullable=False, default="known"),
    *_point(),
    Column("address", String(400)),
    Column("phone", String(80)),
    Column("hours", String(200)),
    Column("manager_id", Id, ForeignKey("people.id", ondelete="SET NULL")),
    Column("note", Text),  # by hand
    Column("revision", Integer, nullable=False, default=0),  # counts edits by hand, to refuse a stale one
    _batch_id(),
    # What a snapshot reads, in the order it reads it: a cold load touches nothing else of the table.
    Index("ix_merchants_snapshot", "branch_id", "id", "lon", "lat", "category_id", "status"),
    Index("ix_merchants_branch_source", "branch_id", "source_id", unique=True),
    sqlite_autoincrement=True,
)

customers = Table(
    "customers",
    metadata,
    _id(),
    _branch_id(),
    Column("source_id", String(120)),
    Column("existing", Boolean, nullable=False),  # else a target
    Column("group_id", Integer, ForeignKey("customer_groups.id"), nullable=False),
    Column("size", Integer, nullable=False, default=1),  # a target may be a group of N people at one point
    Column("name", Sealed),
    Column("phone", Sealed),
    Column("address", Sealed),
    Column("tier", String(20)),
    Column("deposits", Float),  # yuan held here
    Column("assets", Float),  # yuan, of the household, if known
    *_point(),
    Column("manager_id", Id, ForeignKey("people.id", ondelete="SET NULL")),
    Column("is_key", Boolean, nullable=False, default=False),  # 重点客户
    Column("tags", String(400), nullable=False, default=""),  # sorted, joined by ";"
    Column("channels", String(200), nullable=False, default=""),  # sorted, joined by ";"
    _batch_id(),
    Index("ix_customers_branch", "branch_id", "id"),
    Index("ix_customers_branch_source", "branch_id", "source_id", unique=True),
    sqlite_autoincrement=True,
)

holdings = Table(
    "holdings",
    metadata,
    Column("customer_id", Id, ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True),
    Column("product_id", Integer, ForeignKey("products.id"), primary_key=True),
    sqlite_with_rowid=False,
)

outlets = Table(
    "outlets",
    metadata,
    _id(),
    _branch_id(),
    Column("source_id", String(120)),
    Column("name", String(300), nullable=False),
    Column("initials", String(300), nullable=False, default=""),
    Column("kind", String(12), nullable=False),  # bank, atm, insurer
    Column("is_own", Boolean, nullable=False, default=False),  # our own brand, by the bank's name in settings
    *_point(),
    Column("address", String(400)),
    Column("phone", String(80)),
    _batch_id(),
    Index("ix_outlets_branch_source", "branch_id", "source_id", unique=True),
    sqlite_autoincrement=True,
)

places = Table(
    "places",
    metadata,
    _id(),
    _branch_id(),
    Column("source_id", String(120)),
    Column("name", String(300), nullable=False),
    Column("initials", String(300), nullable=False, default=""),
    Column("kind", String(20), nullable=False),  # community, village, park, institution
    Column("households", Integer),
    Column("adults", Integer),
    Column("employees", Integer),
    *_point(),
    Column("shape", LargeBinary),  # WKB
    Column("address", String(400)),
    _batch_id(),
    Index("ix_places_branch_source", "branch_id", "source_id", unique=True),
    sqlite_autoincrement=True,
)

set_aside = Table(
    "set_aside",
    metadata,
    _id(),
    _branch_id(),
    Column("layer", String(12), nullable=False),  # merchants, customers
    Column("row_id", Id, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(100), nullable=False),
    _moment(),
    UniqueConstraint("branch_id", "layer", "row_id"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _moment(),
    Column("by", String(100), nullable=False),
    Column("role", String(20)),
    Column("action", String(40), nullable=False),
    # No foreign key: what was done to a branch stays on record after the branch is gone.
    Column("branch_id", Id, index=True),
    Column("subject", String(200), nullable=False, default=""),
    Column("detail", JSON, nullable=False, default=dict),  # never a customer's data
    sqlite_autoincrement=True,
)

data_versions = Table(
    "data_versions",
    metadata,
    _id(),
    _branch_id(),
    Column("number", Integer, nullable=False),
    Column("cause", String(40), nullable=False),  # import, set aside, demo …
    Column("batch_id", Id, ForeignKey("batches.id", ondelete="SET NULL")),
    Column("figures", JSON, nullable=False),  # of the 100 % circle, kept: a trend needs a past
    Column("by", String(100), nullable=False),
    _moment(),
    UniqueConstraint("branch_id", "number"),
    sqlite_autoincrement=True,
)
