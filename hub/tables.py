"""The journal's tables. `entry` is only ever appended to, `note` and `person` may be erased, `page` is forgotten;
`watch` says when the hub was on watch."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.types import Integer

metadata = MetaData()

Number = BigInteger().with_variant(Integer(), "sqlite")

entry = Table(
    "entry",
    metadata,
    Column("n", Number, primary_key=True, autoincrement=False),
    Column("area", String(63), nullable=False),
    Column("area_n", Number, nullable=False),
    Column("prev_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("at_ms", Number, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("config", String(64), nullable=False),
    Column("rules", String(64), nullable=False),
    UniqueConstraint("area", "area_n", name="entry_area_n"),
)

note = Table(
    "note",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("area", String(63), nullable=False),
    Column("incident", String(63), nullable=False, index=True),
    Column("salt", LargeBinary(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at_ms", Number, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("alias", String(63), primary_key=True),
    Column("salt", LargeBinary(16), nullable=False),
    Column("person", String(63), nullable=False, unique=True),
)

page = Table(
    "page",
    metadata,
    Column("n", Number, primary_key=True, autoincrement=False),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", Number, nullable=False, index=True),
    Column("area", String(63), nullable=False),
    Column("incident", String(63), nullable=False),
    Column("rung", String(16), nullable=False),
    Column("why", Text, nullable=False),
)

watch = Table(
    "watch",
    metadata,
    Column("began_ms", Number, primary_key=True, autoincrement=False),
    Column("until_ms", Number, nullable=False),
)
