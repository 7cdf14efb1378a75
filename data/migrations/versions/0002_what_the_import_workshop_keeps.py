"""What the import workshop keeps: what batches changed, rows without a place, how sources are read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ADDED = {
    "batches": ("mode", "source", "policy", "undone_by"),
    "merchants": ("attributes", "double_of", "double_level"),
    "customers": ("attributes",),
    "outlets": ("attributes",),
    "places": ("attributes",),
}
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    _columns()
    op.create_table(
        "changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("layer", sa.String(length=12), nullable=False),
        sa.Column("row_id", ID, nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_changes_batch_id_batches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_batch", "changes", ["batch_id", "layer", "row_id"], unique=False)
    op.create_index("ix_changes_row", "changes", ["layer", "row_id"], unique=False)
    op.create_table(
        "unplaced",
        sa.Column("id", ID, nullable=False),
        sa.Column("branch_id", ID, nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name=op.f("fk_unplaced_branch_id_branches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_unplaced_batch_id_batches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unplaced")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_unplaced_branch", "unplaced", ["branch_id", "kind", "id"], unique=False)
    op.create_index(op.f("ix_unplaced_batch_id"), "unplaced", ["batch_id"], unique=False)
    _remembered()


def _columns() -> None:
    op.add_column(
        "batches", sa.Column("mode", sa.String(length=12), nullable=False, server_default=sa.text("'add'"))
    )
    op.add_column("batches", sa.Column("source", sa.String(length=120), nullable=True))
    op.add_column("batches", sa.Column("policy", sa.String(length=12), nullable=True))
    op.add_column("batches", sa.Column("undone_by", ID, nullable=True))
    op.add_column("merchants", sa.Column("attributes", sa.Text(), nullable=True))
    op.add_column("merchants", sa.Column("double_of", ID, nullable=True))
    op.add_column("merchants", sa.Column("double_level", sa.String(length=10), nullable=True))
    op.add_column("customers", sa.Column("attributes", sa.LargeBinary(), nullable=True))
    op.add_column("outlets", sa.Column("attributes", sa.Text(), nullable=True))
    op.add_column("places", sa.Column("attributes", sa.Text(), nullable=True))


def _remembered() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", ID, nullable=False),
        sa.Column("branch_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("headers_key", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("datum", sa.String(length=10), nullable=True),
        sa.Column("encoding", sa.String(length=40), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name=op.f("fk_profiles_branch_id_branches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("branch_id", "kind", "name", name=op.f("uq_profiles_branch_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "category_words",
        sa.Column("branch_id", ID, nullable=False),
        sa.Column("word", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branches.id"],
            name=op.f("fk_category_words_branch_id_branches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("branch_id", "word", name=op.f("pk_category_words")),
    )


def downgrade() -> None:
    """Go back."""
    for name in ("category_words", "profiles", "unplaced", "changes"):
        op.drop_table(name)
    for table, columns in _ADDED.items():
        for column in columns:
            op.drop_column(table, column)
