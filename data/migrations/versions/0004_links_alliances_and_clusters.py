"""Links and alliances between merchants, what trades are to each other, and the clusters found."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    _trades()
    _links()
    _alliances()
    _clusters()


def _trades() -> None:
    op.create_table(
        "complements",
        sa.Column("a", sa.String(length=60), nullable=False),
        sa.Column("b", sa.String(length=60), nullable=False),
        sa.Column("relation", sa.String(length=12), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("a", "b", name=op.f("pk_complements")),
    )
    op.create_table(
        "category_terms",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("reach_m", sa.Float(), nullable=True),
        sa.Column("serves", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category_terms")),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", ID, nullable=False),
        sa.Column("branch_id", ID, nullable=False),
        sa.Column("a_id", ID, nullable=False),
        sa.Column("b_id", ID, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("benefit_a", sa.Text(), nullable=True),
        sa.Column("benefit_b", sa.Text(), nullable=True),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("notes", sa.LargeBinary(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["a_id"], ["merchants.id"], name=op.f("fk_links_a_id_merchants"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["b_id"], ["merchants.id"], name=op.f("fk_links_b_id_merchants"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name=op.f("fk_links_branch_id_branches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_links_owner_id_people"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("branch_id", "a_id", "b_id", name=op.f("uq_links_branch_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_links_a", "links", ["a_id"], unique=False)
    op.create_index("ix_links_b", "links", ["b_id"], unique=False)
    op.create_index("ix_links_owner", "links", ["owner_id"], unique=False)
    op.create_table(
        "link_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["links.id"], name=op.f("fk_link_changes_link_id_links"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_link_changes_link", "link_changes", ["link_id", "id"], unique=False)


def _alliances() -> None:
    op.create_table(
        "alliances",
        sa.Column("id", ID, nullable=False),
        sa.Column("branch_id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("notes", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name=op.f("fk_alliances_branch_id_branches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_alliances_owner_id_people"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alliances")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alliances_branch", "alliances", ["branch_id", "status", "id"], unique=False)
    op.create_table(
        "alliance_members",
        sa.Column("id", ID, nullable=False),
        sa.Column("alliance_id", ID, nullable=False),
        sa.Column("merchant_id", ID, nullable=False),
        sa.Column("offer", sa.Text(), nullable=True),
        sa.Column("saving_yuan", sa.Float(), nullable=True),
        sa.Column("sponsor_yuan", sa.Float(), nullable=True),
        sa.Column("joined", sa.Date(), nullable=False),
        sa.Column("left", sa.Date(), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["alliance_id"],
            ["alliances.id"],
            name=op.f("fk_alliance_members_alliance_id_alliances"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchants.id"],
            name=op.f("fk_alliance_members_merchant_id_merchants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alliance_members")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_alliance_members_alliance", "alliance_members", ["alliance_id", "merchant_id"], unique=False
    )
    op.create_index("ix_alliance_members_merchant", "alliance_members", ["merchant_id"], unique=False)
    op.create_table(
        "alliance_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("alliance_id", ID, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("merchant_id", ID, nullable=True),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["alliance_id"],
            ["alliances.id"],
            name=op.f("fk_alliance_changes_alliance_id_alliances"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchants.id"],
            name=op.f("fk_alliance_changes_merchant_id_merchants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alliance_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alliance_changes_alliance", "alliance_changes", ["alliance_id", "id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("id", ID, nullable=False),
        sa.Column("alliance_id", ID, nullable=False),
        sa.Column("from_id", ID, nullable=True),
        sa.Column("to_id", ID, nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("value_yuan", sa.Float(), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["alliance_id"],
            ["alliances.id"],
            name=op.f("fk_referrals_alliance_id_alliances"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["from_id"], ["merchants.id"], name=op.f("fk_referrals_from_id_merchants"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["merchants.id"], name=op.f("fk_referrals_to_id_merchants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_referrals_alliance", "referrals", ["alliance_id", "day"], unique=False)
    op.create_index("ix_referrals_from", "referrals", ["from_id"], unique=False)
    op.create_index("ix_referrals_to", "referrals", ["to_id"], unique=False)


def _clusters() -> None:
    op.create_table(
        "cluster_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("branch_id", ID, nullable=False),
        sa.Column("layer", sa.String(length=12), nullable=False),
        sa.Column("scale", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("noise", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branches.id"],
            name=op.f("fk_cluster_runs_branch_id_branches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_cluster_runs_branch", "cluster_runs", ["branch_id", "layer", "scale", "version"], unique=False
    )
    op.create_table(
        "clusters",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("stable_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["cluster_runs.id"], name=op.f("fk_clusters_run_id_cluster_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_clusters_run", "clusters", ["run_id", "stable_id"], unique=False)


def downgrade() -> None:
    """Go back."""
    for name in (
        "clusters",
        "cluster_runs",
        "referrals",
        "alliance_changes",
        "alliance_members",
        "alliances",
        "link_changes",
        "links",
        "category_terms",
        "complements",
    ):
        op.drop_table(name)
