"""marks have a subject"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    marks = op.get_bind().execute(sa.text("SELECT name, at FROM marks").columns(name=sa.String, at=moment)).all()
    op.drop_table("marks")
    table = op.create_table(
        "marks",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_marks")),
    )
    rows = [(*name.partition(" ")[::2], at) for name, at in marks]
    op.bulk_insert(table, [{"kind": kind, "subject": subject, "at": at} for kind, subject, at in rows])


def downgrade() -> None:
    moment = sa.DateTime(timezone=True)
    query = sa.text("SELECT kind, subject, at FROM marks").columns(kind=sa.String, subject=sa.String, at=moment)
    marks = op.get_bind().execute(query).all()
    op.drop_table("marks")
    table = op.create_table(
        "marks",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.bulk_insert(table, [{"name": f"{kind} {subject}".strip(), "at": at} for kind, subject, at in marks])
