"""What Alembic runs: the connection comes from `data.database.migrate`, inside its transaction."""

from alembic import context

from data.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    user_module_prefix="data.sealed.",
)
with context.begin_transaction():
    context.run_migrations()
