"""the oldest schema that can be upgraded

An empty database gets the tables of the models at once, so what led to this one is not needed.
"""

revision = "0002"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing: an older database would have to be upgraded by an older version of Petitions."""


def downgrade() -> None:
    """Nothing."""
