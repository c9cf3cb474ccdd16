"""The database: column types, engine, transactions, bulk statements, and group commit."""
