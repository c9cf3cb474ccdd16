"""letters posted and donation links followed"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "action_counts",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('posted', 'donation')", name=op.f("ck_action_counts_kind_known")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_action_counts_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("campaign_id", "kind", "subject", "day", name=op.f("pk_action_counts")),
    )


def downgrade() -> None:
    op.drop_table("action_counts")
