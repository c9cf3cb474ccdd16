"""What the database needs beyond the tables: a journal that refuses changes, and no copies of secrets in statistics."""

APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER journal_{when} BEFORE {when} ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END"
        for when in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION journal_is_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
        "RAISE EXCEPTION ''append only'' USING ERRCODE = ''integrity_constraint_violation''; END'",
        "CREATE TRIGGER journal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_is_kept()",
    ],
}
_SECRETS = ("sealed", "sealed_name", "email_key", "address_key", "name_key", "link_id", "collector_id")
# Postgres copies values into its statistics, where they would outlive their rows
NO_STATISTICS = {
    "sqlite": [],
    "postgresql": [
        f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0"
        for table, columns in (("signers", _SECRETS), ("messages", ("payload",)))
        for column in columns
    ],
}
EXTRAS = {dialect: APPEND_ONLY[dialect] + NO_STATISTICS[dialect] for dialect in APPEND_ONLY}
