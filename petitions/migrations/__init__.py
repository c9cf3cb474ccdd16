"""The versions of the database schema (Alembic, configured in code)."""
