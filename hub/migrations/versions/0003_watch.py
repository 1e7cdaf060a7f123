"""When the hub was on watch, beside what it took: in between, what happened is not known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "watch",
        sa.Column("began_ms", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("until_ms", NUMBER, nullable=False),
    )
