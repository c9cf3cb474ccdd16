"""contest"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contest_ends_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("contest_frozen_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("collectors", schema=None) as batch_op:
        batch_op.add_column(sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("collectors", schema=None) as batch_op:
        batch_op.drop_column("drawn_at")
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("contest_frozen_at")
        batch_op.drop_column("contest_ends_on")
