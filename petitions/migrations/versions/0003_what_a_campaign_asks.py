"""what a campaign asks, and how it shows its counts"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("minimum_age", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("counts", sa.String(length=12), server_default="batched", nullable=False))
        batch_op.create_check_constraint(op.f("ck_campaigns_counts_known"), "counts IN ('batched', 'live')")
        batch_op.drop_column("shows_waiting")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hands_over_names", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("hands_over_names")

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shows_waiting", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.drop_constraint(op.f("ck_campaigns_counts_known"), type_="check")
        batch_op.drop_column("counts")
        batch_op.drop_column("minimum_age")
