"""The journal: entries, and what may be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the three tables; on SQLite, have the database itself refuse to change an entry."""
    op.create_table(
        "entry",
        sa.Column("n", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("area", sa.String(63), nullable=False),
        sa.Column("area_n", NUMBER, nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("at_ms", NUMBER, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("config", sa.String(64), nullable=False),
        sa.Column("rules", sa.String(64), nullable=False),
        sa.UniqueConstraint("area", "area_n", name="entry_area_n"),
    )
    op.create_table(
        "note",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(63), nullable=False),
        sa.Column("incident", sa.String(63), nullable=False, index=True),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_ms", NUMBER, nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("alias", sa.String(63), primary_key=True),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("person", sa.String(63), nullable=False, unique=True),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER entry_no_{verb.lower()} BEFORE {verb} ON entry "
                "BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END"
            )
