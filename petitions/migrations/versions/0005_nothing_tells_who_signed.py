"""nothing tells who signed"""

import hmac
from pathlib import Path

import sqlalchemy as sa
from alembic import op

from petitions.models.extras import NO_STATISTICS
from petitions.settings import SETTINGS

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES_BEFORE = "state IN ('queued', 'sent', 'failed')"
STATES = "state IN ('queued', 'failed')"
# Times are kept to the minute from now on
TIMES = {
    "signers": ("signed_at", "asked_at", "confirmed_at"),
    "signatures": ("signed_at", "confirmed_at", "withdrawn_at", "held_at", "invalidated_at", "expired_at"),
}


def upgrade() -> None:
    op.create_table(
        "checks",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_checks")),
    )
    _take_keys_out()
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("wrapped_key")

    op.execute("DELETE FROM messages WHERE state = 'sent'")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_messages_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_messages_state_known"), STATES)
        batch_op.alter_column("signer_id", existing_type=sa.Integer(), nullable=True)
        batch_op.add_column(sa.Column("lane", sa.Integer(), server_default="0", nullable=False))
        batch_op.drop_column("sent_at")

    with op.batch_alter_table("signatures", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.alter_column("letter_version_id", existing_type=sa.Integer(), nullable=True)

    with op.batch_alter_table("signers", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_signers_campaign_id_email_key_name_key"), type_="unique")
        batch_op.alter_column("link_salt", new_column_name="link_id", existing_type=sa.LargeBinary())
        batch_op.alter_column("slot", existing_type=sa.Integer(), nullable=True)
        batch_op.alter_column("locale", existing_type=sa.String(length=12), nullable=True)
        batch_op.add_column(sa.Column("address_key", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("is_named", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("is_of_age", sa.Boolean(), nullable=True))
        batch_op.drop_column("reminded_at")
    # Whoever did not type a +tag or a dot that Google overlooks: the two keys are of the same text
    op.execute("UPDATE signers SET address_key = email_key")
    op.execute("UPDATE signers SET slot = NULL WHERE confirmed_at IS NULL OR erased_at IS NOT NULL")
    _bind_names()
    _round_times()
    with op.batch_alter_table("signers", schema=None) as batch_op:
        batch_op.create_unique_constraint(
            op.f("uq_signers_campaign_id_address_key_name_key"), ["campaign_id", "address_key", "name_key"]
        )
        batch_op.create_unique_constraint(op.f("uq_signers_link_id"), ["link_id"])
    for statement in NO_STATISTICS[op.get_bind().dialect.name]:
        op.execute(statement.replace("collector_id", "pass_id"))  # its name until 0018


def downgrade() -> None:
    # The older schema needs a place in the mailbox for each: those who did not confirm are left without their keys
    op.execute("UPDATE signers SET email_key = NULL, name_key = NULL, slot = 1 WHERE slot IS NULL")
    op.execute("UPDATE signers SET locale = 'en' WHERE locale IS NULL")
    with op.batch_alter_table("signers", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_signers_link_id"), type_="unique")
        batch_op.drop_constraint(op.f("uq_signers_campaign_id_address_key_name_key"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_signers_campaign_id_email_key_name_key"), ["campaign_id", "email_key", "name_key"]
        )
        batch_op.alter_column("link_id", new_column_name="link_salt", existing_type=sa.LargeBinary())
        batch_op.alter_column("slot", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("locale", existing_type=sa.String(length=12), nullable=False)
        batch_op.add_column(sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("is_of_age")
        batch_op.drop_column("is_named")
        batch_op.drop_column("address_key")

    op.execute(
        "UPDATE signatures SET letter_version_id = (SELECT min(id) FROM letter_versions) "
        "WHERE letter_version_id IS NULL"
    )
    with op.batch_alter_table("signatures", table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.alter_column("letter_version_id", existing_type=sa.Integer(), nullable=False)

    op.execute("DELETE FROM messages WHERE signer_id IS NULL")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_messages_state_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_messages_state_known"), STATES_BEFORE)
        batch_op.alter_column("signer_id", existing_type=sa.Integer(), nullable=False)
        batch_op.add_column(sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("lane")

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wrapped_key", sa.LargeBinary(), nullable=True))
    _put_keys_back()
    op.drop_table("checks")


def _folder() -> Path:
    """Where campaign keys lie from now on: not in the database, so in no copy of it."""
    folder: Path = SETTINGS.of().instance / "campaign-keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _take_keys_out() -> None:
    kept = op.get_bind().execute(sa.text("SELECT slug, wrapped_key FROM campaigns WHERE wrapped_key IS NOT NULL"))
    for slug, wrapped in kept:
        path = _folder() / slug
        path.touch(mode=0o600)
        path.write_bytes(bytes(wrapped))

    pinned = op.get_bind().execute(sa.text("SELECT public_key FROM recipients ORDER BY id")).scalars().all()
    if pinned:
        pins = _folder().with_name("recipients.txt")
        pins.touch(mode=0o600)
        pins.write_text("".join(f"{key}\n" for key in pinned))


def _put_keys_back() -> None:
    statement = sa.text("UPDATE campaigns SET wrapped_key = :key WHERE slug = :slug")
    for path in _folder().iterdir():
        op.get_bind().execute(statement, {"key": path.read_bytes(), "slug": path.name})


def _bind_names() -> None:
    """Make equal names of different mailboxes unequal."""
    signers = op.get_bind().execute(sa.text("SELECT id, email_key, name_key FROM signers WHERE name_key IS NOT NULL"))
    bound = [
        {"number": number, "key": hmac.digest(bytes(email_key or b"-"), bytes(name_key), "sha256")}
        for number, email_key, name_key in signers
    ]
    if bound:
        op.get_bind().execute(sa.text("UPDATE signers SET name_key = :key WHERE id = :number"), bound)


def _round_times() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, columns in TIMES.items():
        for column in columns:
            rounded = f"substr({column}, 1, 17) || '00.000000'" if is_sqlite else f"date_trunc('minute', {column})"
            op.execute(f"UPDATE {table} SET {column} = {rounded} WHERE {column} IS NOT NULL")  # noqa: S608 - names above
