"""the signer is safe"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATES_BEFORE = "state IN ('pending', 'confirmed', 'withdrawn', 'invalidated', 'expired')"
STATES = "state IN ('pending', 'held', 'confirmed', 'withdrawn', 'invalidated', 'expired')"


def upgrade() -> None:
    op.create_table(
        "mail_slots",
        sa.Column("mailbox_key", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_key", "slot", name=op.f("pk_mail_slots")),
    )
    with op.batch_alter_table("mail_slots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_slots_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "marks",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "suppressions",
        sa.Column("mailbox_key", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_key", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "consent_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_consent_versions_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_versions")),
        sa.UniqueConstraint(
            "campaign_id", "locale", "sha256", name=op.f("uq_consent_versions_campaign_id_locale_sha256")
        ),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_holds_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holds_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "invalidations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("condition", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previewed", sa.Integer(), nullable=False),
        sa.Column("struck", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_invalidations_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invalidations")),
    )
    with op.batch_alter_table("invalidations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invalidations_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "passes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_passes_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_passes_code_hash")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("neutral_subject", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("canary", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("keys_checked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("counts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("signatures", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.drop_constraint(op.f("ck_signatures_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_signatures_state_known"), STATES)
        batch_op.add_column(sa.Column("consent_version_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("invalidation_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_signatures_invalidation_id_invalidations"), "invalidations", ["invalidation_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_signatures_consent_version_id_consent_versions"),
            "consent_versions",
            ["consent_version_id"],
            ["id"],
        )

    with op.batch_alter_table("signers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_name", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("pass_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_signers_pass_id_passes"), "passes", ["pass_id"], ["id"])


def downgrade() -> None:
    # The older schema knows no held signatures: they wait again
    op.execute("UPDATE signatures SET state = 'pending' WHERE state = 'held'")
    op.execute("UPDATE counts SET pending = pending + held")
    with op.batch_alter_table("signers", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_signers_pass_id_passes"), type_="foreignkey")
        batch_op.drop_column("pass_id")
        batch_op.drop_column("reminded_at")
        batch_op.drop_column("sealed_name")

    with op.batch_alter_table("signatures", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.drop_constraint(op.f("ck_signatures_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_signatures_state_known"), STATES_BEFORE)
        batch_op.drop_constraint(batch_op.f("fk_signatures_consent_version_id_consent_versions"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_signatures_invalidation_id_invalidations"), type_="foreignkey")
        batch_op.drop_column("held_at")
        batch_op.drop_column("invalidation_id")
        batch_op.drop_column("consent_version_id")

    with op.batch_alter_table("counts", schema=None) as batch_op:
        batch_op.drop_column("held")

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
        batch_op.drop_column("handed_over_at")
        batch_op.drop_column("keys_checked_at")
        batch_op.drop_column("canary")
        batch_op.drop_column("neutral_subject")

    op.drop_table("passes")
    with op.batch_alter_table("invalidations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invalidations_campaign_id"))

    op.drop_table("invalidations")
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holds_campaign_id"))

    op.drop_table("holds")
    op.drop_table("consent_versions")
    op.drop_table("suppressions")
    op.drop_table("marks")
    with op.batch_alter_table("mail_slots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_slots_ends_at"))

    op.drop_table("mail_slots")
