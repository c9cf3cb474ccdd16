"""The database: types, engine, transactions, bulk statements and the queue in which writers wait."""
