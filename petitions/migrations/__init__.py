"""The database's history: Alembic, configured in code."""
