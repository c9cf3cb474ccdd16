"""tallies are verified"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reported_by", sa.String(length=40), server_default="command", nullable=False))
        batch_op.add_column(sa.Column("verified_by", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE tallies SET verified_by = 'command', verified_at = recorded_at")  # they count already


def downgrade() -> None:
    # The older schema counts every row
    op.execute("DELETE FROM tallies WHERE verified_at IS NULL")
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        for name in ("cancelled_at", "verified_at", "verified_by", "reported_by"):
            batch_op.drop_column(name)
