"""The store's history: Alembic's versions of the tables, run by `data.database.migrate`."""
