"""roles and second factor"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("role", sa.String(length=10), server_default="owner", nullable=False))
        batch_op.add_column(sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("factor", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("factor_step", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("recovery", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("invited_hash", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("invited_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_accounts_role_known"), "role IN ('owner', 'editor', 'counter', 'viewer')"
        )
        batch_op.create_unique_constraint(batch_op.f("uq_accounts_invited_hash"), ["invited_hash"])


def downgrade() -> None:
    # The older schema knows neither roles nor factors: who may do less, or needs a code, does not come in with more
    op.execute("DELETE FROM accounts WHERE role <> 'owner' OR factor IS NOT NULL")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_accounts_invited_hash"), type_="unique")
        batch_op.drop_constraint(batch_op.f("ck_accounts_role_known"), type_="check")
        for name in ("invited_until", "invited_hash", "recovery", "factor_step", "factor", "ends_at", "role"):
            batch_op.drop_column(name)
