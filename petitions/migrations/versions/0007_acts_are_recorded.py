"""acts are recorded"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REFUSE = "CREATE TRIGGER journal_{when} BEFORE {when} ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END"
REFUSAL = """
CREATE FUNCTION journal_is_kept() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN RAISE EXCEPTION ''append only'' USING ERRCODE = ''integrity_constraint_violation''; END'
"""
REFUSE_ALL = """
CREATE TRIGGER journal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
FOR EACH STATEMENT EXECUTE FUNCTION journal_is_kept()
"""


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSAL)
        op.execute(REFUSE_ALL)
    else:
        for when in ("UPDATE", "DELETE"):
            op.execute(REFUSE.format(when=when))


def downgrade() -> None:
    op.drop_table("journal")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION journal_is_kept()")
