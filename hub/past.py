"""The journal read: by its own hub, by one that starts, and by whoever looks at it while its hub goes on writing.

All functions block and raise JournalError.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from hub import tables
from hub.chain import Broken, Entry, Head, walk
from hub.core.io import Input

READ_BATCH = 1_000
_DECODER: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)


class JournalError(Exception):
    """The journal could not be opened, written or read; says why. Nothing of the batch was written."""


class JournalDamaged(JournalError):
    """The journal's file is not what was written: it is damaged, cut short, or another file in its place."""


class Past:
    """A journal that is only read, while its hub goes on writing. Raises JournalError."""

    def __init__(self, url: str) -> None:
        path = sqlite_path(url)
        self._engine = create_engine(url if path is None else f"sqlite:///file:{path}?mode=ro&uri=true")

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after the one numbered `after`, in order of `n`, read in batches."""
        return entries_of(self._engine, after)

    def hash_at(self, n: int) -> bytes | None:
        """The hash of entry `n`; None where there is none."""
        return hash_of(self._engine, n)

    def watched(self, since_ms: int = 0) -> list[tuple[int, int]] | None:
        """When the hub was on watch, (from, until) in hub wall ms, in order; None where it kept no book of it yet."""
        row = tables.watch.c
        with told(), self._engine.connect() as connection:
            if not inspect(connection).has_table(tables.watch.name):
                return None
            wanted = select(row.began_ms, row.until_ms).where(row.until_ms >= since_ms).order_by(row.began_ms)
            return [(one.began_ms, one.until_ms) for one in connection.execute(wanted)]

    def close(self) -> None:
        """Close the files."""
        self._engine.dispose()


def verify(url: str) -> Broken | list[Head]:
    """Walk the chains of the journal at `url`: the first broken entry, or the heads of all. Raises JournalError."""
    with contextlib.closing(Past(url)) as past:
        found = list(walk(past.entries()))
    broken = [one for one in found if isinstance(one, Broken)]
    return broken[0] if broken else [one for one in found if isinstance(one, Head)]


def input_of(entry: Entry) -> Input:
    """What the desk took. Raises msgspec.DecodeError for a body that is none."""
    return _DECODER.decode(entry.body)


def sqlite_path(url: str) -> Path | None:
    """The file behind an SQLite URL; None where the journal is elsewhere."""
    place = make_url(url)
    return Path(place.database) if place.get_backend_name() == "sqlite" and place.database else None


def entries_of(engine: Engine, last: int) -> Iterator[Entry]:
    """Every entry after the one numbered `last`, in order of `n`, read in batches."""
    with told(), engine.connect() as connection:
        while True:
            wanted = select(tables.entry).where(tables.entry.c.n > last).order_by(tables.entry.c.n).limit(READ_BATCH)
            rows = connection.execute(wanted).all()
            if not rows:
                return
            for row in rows:
                yield Entry(*row)
            last = rows[-1].n


def hash_of(engine: Engine, n: int) -> bytes | None:
    """The hash of entry `n`; None where there is none."""
    with told(), engine.connect() as connection:
        found: bytes | None = connection.execute(select(tables.entry.c.hash).where(tables.entry.c.n == n)).scalar()
        return found


def heads_of(connection: Connection) -> tuple[int, dict[str, Head]]:
    """The number of the last entry, and the head of each area."""
    entry = tables.entry.c
    last = connection.execute(select(entry.n).order_by(entry.n.desc()).limit(1)).scalar() or 0
    areas = connection.execute(select(entry.area).distinct()).scalars().all()
    heads = {}
    for area in areas:
        wanted = select(entry.area_n, entry.hash).where(entry.area == area).order_by(entry.area_n.desc()).limit(1)
        heads[area] = Head(area, *connection.execute(wanted).one())
    return last, heads


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Whatever the database says becomes a JournalError, or JournalDamaged when it cannot read its own file."""
    try:
        yield
    except (SQLAlchemyError, OSError, CommandError) as cause:
        damaged = type(getattr(cause, "orig", None)) is sqlite3.DatabaseError
        raise (JournalDamaged if damaged else JournalError)(_said(cause)) from cause


def _said(cause: Exception) -> str:
    """The driver's own words, without the statement and its values (they may hold a note's text)."""
    return str(getattr(cause, "orig", None) or cause)
