"""kinds of invalidations"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("invalidations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=12), server_default="other", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("invalidations", schema=None) as batch_op:
        batch_op.drop_column("kind")
