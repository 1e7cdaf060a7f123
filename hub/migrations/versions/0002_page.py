"""Pages beside the entries that asked for them: what is committed is told, also after a kill before it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "page",
        sa.Column("n", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", NUMBER, nullable=False, index=True),
        sa.Column("area", sa.String(63), nullable=False),
        sa.Column("incident", sa.String(63), nullable=False),
        sa.Column("rung", sa.String(16), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
