"""The tables of the store, the same on both databases: points are lon/lat columns, shapes WKB, all WGS 84."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
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
    Column("post", String(10)),  # indoor, outdoor; None unknown
    Column("outings", Integer),  # a month; None: the usual number
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
    Column("mode", String(12), nullable=False, default="add"),  # add, snapshot, hand, rollback
    Column("source", String(120)),  # what the list is called each time it comes: "Gaode export"
    Column("policy", String(12)),  # of certain doubles: update, keep, skip
    Column("file_name", String(300), nullable=False),  # "" of a change by hand
    Column("file_hash", String(64), nullable=False),  # SHA-256
    Column("mapping", JSON, nullable=False),
    Column("datum", String(10), nullable=False),
    Column("encoding", String(40)),
    Column("counts", JSON, nullable=False),
    Column("undone_by", Id),  # the batch that rolled this one back
    Column("by", String(100), nullable=False),
    _moment(),
    sqlite_autoincrement=True,
)

# What a batch did to rows that were there already, and to those it removed; the rows it made carry its id.
changes = Table(
    "changes",
    metadata,
    _id(),
    Column("batch_id", Id, ForeignKey("batches.id", ondelete="CASCADE"), nullable=False),
    Column("layer", String(12), nullable=False),
    Column("row_id", Id, nullable=False),
    Column("before", Sealed),  # JSON of the columns changed, of a removed row all; None: the row is new
    Column("after", Sealed),  # JSON of the columns changed; None: the row is gone
    Index("ix_changes_batch", "batch_id", "layer", "row_id"),
    Index("ix_changes_row", "layer", "row_id"),
    sqlite_autoincrement=True,
)

# Rows of lists without coordinates, kept to be placed on the map by hand.
unplaced = Table(
    "unplaced",
    metadata,
    _id(),
    _branch_id(),
    Column("batch_id", Id, ForeignKey("batches.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("row", Integer, nullable=False),  # of the file
    Column("record", Sealed, nullable=False),  # JSON of the row as the store would hold it, without a point
    Index("ix_unplaced_branch", "branch_id", "kind", "id"),
    sqlite_autoincrement=True,
)

# How lists of a source are read, remembered from the last time.
profiles = Table(
    "profiles",
    metadata,
    _id(),
    _branch_id(),
    Column("kind", String(20), nullable=False),
    Column("name", String(120), nullable=False),
    Column("headers_key", String(64), nullable=False),  # SHA-256 of the list's headers
    Column("mapping", JSON, nullable=False),
    Column("datum", String(10)),
    Column("encoding", String(40)),
    Column("by", String(100), nullable=False),
    _moment(),
    UniqueConstraint("branch_id", "kind", "name"),
    sqlite_autoincrement=True,
)

# What a branch's lists mean by words that the shipped vocabulary does not know.
category_words = Table(
    "category_words",
    metadata,
    Column("branch_id", Id, ForeignKey("branches.id", ondelete="CASCADE"), primary_key=True),
    Column("word", String(120), primary_key=True),  # as `data.meaning.kinds` compares words
    Column("code", String(60), nullable=False),  # a category's, or `outlet:bank|atm|insurer`
    Column("by", String(100), nullable=False),
    _moment(),
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
    Column("attributes", Text),  # JSON: header to text of the list's other columns
    Column("double_of", Id),  # the merchant this one may double, until a person has looked
    Column("double_level", String(10)),  # probable, possible
    Column("revision", Integer, nullable=False, default=0),  # counts changes, to refuse a stale one
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
    Column("attributes", Sealed),  # as merchants'
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
    Column("attributes", Text),  # as merchants'
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
    Column("attributes", Text),  # as merchants'
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

# Plans of zones. A plan's content is its value as it is now; how it came to be stands in its changes.
plans = Table(
    "plans",
    metadata,
    _id(),
    _branch_id(),
    Column("name", String(120), nullable=False),
    Column("status", String(12), nullable=False, default="draft"),  # draft, published, past
    Column("revision", Integer, nullable=False, default=0),  # counts changes, to refuse a stale one
    Column("content", Text, nullable=False),  # JSON
    Column("copy_of", Id),
    Column("published_at", DateTime(timezone=True)),
    Column("published_by", String(100)),
    Column("retired_at", DateTime(timezone=True)),
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_plans_branch", "branch_id", "status", "id"),
    sqlite_autoincrement=True,
)

plan_changes = Table(
    "plan_changes",
    metadata,
    _id(),
    Column("plan_id", Id, ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    Column("what", String(20), nullable=False),  # drawn, painted, designed …
    Column("moves", Text, nullable=False),  # JSON
    Column("state", String(10), nullable=False, default="done"),  # done, undone, dropped (undone for good)
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_plan_changes_plan", "plan_id", "id"),
    sqlite_autoincrement=True,
)

# Who works which zone of the published plan, and who did: a line ends when another takes over.
assignments = Table(
    "assignments",
    metadata,
    _id(),
    _branch_id(),
    Column("plan_id", Id, ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    Column("zone_id", Integer, nullable=False),
    Column("zone_name", String(200), nullable=False),
    Column("person_id", Id, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Index("ix_assignments_branch", "branch_id", "until"),
    Index("ix_assignments_person", "person_id", "until"),
    sqlite_autoincrement=True,
)

# Groups of three in large groups of about ten.
teams = Table(
    "teams",
    metadata,
    _id(),
    _branch_id(),
    Column("name", String(100), nullable=False),
    Column("parent_id", Id, ForeignKey("teams.id", ondelete="CASCADE")),  # the large group; None: is one
    Column("revision", Integer, nullable=False, default=0),
    _moment(),
    Index("ix_teams_branch", "branch_id", "id"),
    sqlite_autoincrement=True,
)

team_people = Table(
    "team_people",
    metadata,
    Column("team_id", Id, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
)

visits = Table(
    "visits",
    metadata,
    _id(),
    _branch_id(),
    Column("person_id", Id, ForeignKey("people.id", ondelete="SET NULL")),
    Column("merchant_id", Id, ForeignKey("merchants.id", ondelete="CASCADE")),  # this or the customer
    Column("customer_id", Id, ForeignKey("customers.id", ondelete="CASCADE")),
    Column("day", Date, nullable=False),
    Column("result", Sealed),
    Column("next_step", Sealed),
    Column("next_day", Date),
    Column("by", String(100), nullable=False),
    _batch_id(),
    _moment(),
    Index("ix_visits_branch", "branch_id", "day"),
    Index("ix_visits_merchant", "merchant_id", "day"),
    Index("ix_visits_customer", "customer_id", "day"),
    sqlite_autoincrement=True,
)

# What a bank says of a kind of zone in place of the playbook shipped.
playbooks = Table(
    "playbooks",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("by", String(100), nullable=False),
    _moment(),
)

# Which trades help each other and which compete: the bank's own rows over those shipped.
complements = Table(
    "complements",
    metadata,
    Column("a", String(60), primary_key=True),  # codes of categories
    Column("b", String(60), primary_key=True),
    Column("relation", String(12), nullable=False),  # complement, compete
    Column("strength", Float, nullable=False),
    Column("zh", Text, nullable=False, default=""),  # why, in both languages
    Column("en", Text, nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=0),
    Column("by", String(100), nullable=False),
    _moment(),
)

# What the bank says of a category's reach and of whom it serves, in place of the file beside the catalogue.
category_terms = Table(
    "category_terms",
    metadata,
    Column("code", String(60), primary_key=True),
    Column("reach_m", Float),  # None: as shipped
    Column("serves", Text),  # codes of groups joined by |; None: as shipped
    Column("revision", Integer, nullable=False, default=0),
    Column("by", String(100), nullable=False),
    _moment(),
)

# Two merchants that a person has joined, or will not join; what is only suggested is reckoned, never stored.
links = Table(
    "links",
    metadata,
    _id(),
    _branch_id(),
    Column("a_id", Id, ForeignKey("merchants.id", ondelete="CASCADE"), nullable=False),  # the smaller number
    Column("b_id", Id, ForeignKey("merchants.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(12), nullable=False),  # accepted, refused, ended
    Column("stage", String(12), nullable=False, default="relation"),  # relation, platform, ecosystem
    Column("reason", Sealed),  # of a refusal or an end
    Column("benefit_a", Text),
    Column("benefit_b", Text),
    Column("owner_id", Id, ForeignKey("people.id", ondelete="SET NULL")),
    Column("starts", Date),
    Column("ends", Date),
    Column("notes", Sealed),
    Column("score", Float),  # when it was decided
    Column("revision", Integer, nullable=False, default=0),  # counts changes, to refuse a stale one
    Column("by", String(100), nullable=False),
    _moment(),
    UniqueConstraint("branch_id", "a_id", "b_id"),
    Index("ix_links_a", "a_id"),
    Index("ix_links_b", "b_id"),
    Index("ix_links_owner", "owner_id"),
    sqlite_autoincrement=True,
)

link_changes = Table(
    "link_changes",
    metadata,
    _id(),
    Column("link_id", Id, ForeignKey("links.id", ondelete="CASCADE"), nullable=False),
    Column("what", String(20), nullable=False),  # accepted, refused, edited …
    Column("before", Sealed),  # JSON of the columns changed; None: the link is new
    Column("after", Sealed, nullable=False),
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_link_changes_link", "link_id", "id"),
    sqlite_autoincrement=True,
)

# Groups of linked merchants; the branch is the hub of each.
alliances = Table(
    "alliances",
    metadata,
    _id(),
    _branch_id(),
    Column("name", String(120), nullable=False),
    Column("status", String(12), nullable=False, default="forming"),  # forming, active, ended
    Column("stage", String(12), nullable=False, default="relation"),  # relation, platform, ecosystem
    Column("owner_id", Id, ForeignKey("people.id", ondelete="SET NULL")),
    Column("starts", Date),  # of the campaign
    Column("ends", Date),
    Column("notes", Sealed),
    Column("revision", Integer, nullable=False, default=0),
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_alliances_branch", "branch_id", "status", "id"),
    sqlite_autoincrement=True,
)

alliance_members = Table(
    "alliance_members",
    metadata,
    _id(),
    Column("alliance_id", Id, ForeignKey("alliances.id", ondelete="CASCADE"), nullable=False),
    Column("merchant_id", Id, ForeignKey("merchants.id", ondelete="CASCADE"), nullable=False),
    Column("offer", Text),
    Column("saving_yuan", Float),  # a customer's, by the offer
    Column("sponsor_yuan", Float),  # what the bank pays towards it
    Column("joined", Date, nullable=False),
    Column("left", Date),
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_alliance_members_alliance", "alliance_id", "merchant_id"),
    Index("ix_alliance_members_merchant", "merchant_id"),
    sqlite_autoincrement=True,
)

# What was done to an alliance and its members, newest last.
alliance_changes = Table(
    "alliance_changes",
    metadata,
    _id(),
    Column("alliance_id", Id, ForeignKey("alliances.id", ondelete="CASCADE"), nullable=False),
    Column("what", String(20), nullable=False),  # formed, edited, joined, left …
    Column("merchant_id", Id, ForeignKey("merchants.id", ondelete="CASCADE")),  # None: the alliance itself
    Column("before", Sealed),
    Column("after", Sealed),
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_alliance_changes_alliance", "alliance_id", "id"),
    sqlite_autoincrement=True,
)

# Customers one member sent to another; without a merchant it is the branch, the hub.
referrals = Table(
    "referrals",
    metadata,
    _id(),
    Column("alliance_id", Id, ForeignKey("alliances.id", ondelete="CASCADE"), nullable=False),
    Column("from_id", Id, ForeignKey("merchants.id", ondelete="CASCADE")),
    Column("to_id", Id, ForeignKey("merchants.id", ondelete="CASCADE")),
    Column("day", Date, nullable=False),
    Column("count", Integer, nullable=False),
    Column("value_yuan", Float),
    Column("by", String(100), nullable=False),
    _moment(),
    Index("ix_referrals_alliance", "alliance_id", "day"),
    Index("ix_referrals_from", "from_id"),
    Index("ix_referrals_to", "to_id"),
    sqlite_autoincrement=True,
)

# Clusters found in a branch's data, kept so that the next ones can carry on their numbers and show growth.
cluster_runs = Table(
    "cluster_runs",
    metadata,
    _id(),
    _branch_id(),
    Column("layer", String(12), nullable=False),  # customers, merchants
    Column("scale", String(12), nullable=False),  # corner, area, district
    Column("version", Integer, nullable=False),  # of the branch's data
    _moment(),
    Column("points", BigInteger, nullable=False),
    Column("noise", BigInteger, nullable=False),  # of the points, those in no cluster
    Index("ix_cluster_runs_branch", "branch_id", "layer", "scale", "version"),
    sqlite_autoincrement=True,
)

clusters = Table(
    "clusters",
    metadata,
    _id(),
    Column("run_id", Id, ForeignKey("cluster_runs.id", ondelete="CASCADE"), nullable=False),
    Column("stable_id", Integer, nullable=False),  # the same from one run to the next
    Column("name", String(200), nullable=False),
    Column("size", BigInteger, nullable=False),
    *_point(),
    Column("cells", Text, nullable=False),  # JSON
    Column("profile", JSON, nullable=False),  # figures only
    Index("ix_clusters_run", "run_id", "stable_id"),
    sqlite_autoincrement=True,
)
