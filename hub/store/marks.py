"""Which telemetry sequences are settled, and the ledger of those that are missing, in tables of their own on SQLite.

The embedded store keeps them in its own file and transaction. A store whose server cannot hold them keeps such a file
beside it: `with transaction(db): fresh = marks.settle(...)`, written to the server inside, so that a reading is settled
only once the server has it, and one the server has twice is settled once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from hub.core import ledger
from hub.core.ledger import Account, Book, Tally
from hub.store.port import Loss, Sample, Source, StoreError
from hub.store.settling import settle, source_of
from protocol.ranges import Ranges

INSTANCES_MAX = 256
"""Instances whose marks are kept per gateway; the one of the lowest boot is forgotten first, and what was open of it
is counted as forgotten."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS mark (
  area TEXT NOT NULL, gateway TEXT NOT NULL, instance TEXT NOT NULL, boot INTEGER NOT NULL, spans BLOB NOT NULL,
  PRIMARY KEY (area, gateway, instance)
);
CREATE TABLE IF NOT EXISTS ledger (
  area TEXT NOT NULL, gateway TEXT NOT NULL, instance TEXT NOT NULL, declared BLOB NOT NULL, account BLOB NOT NULL,
  PRIMARY KEY (area, gateway, instance)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tally (one INTEGER PRIMARY KEY CHECK (one = 1), counts BLOB NOT NULL);
"""
_BOOKS = "SELECT instance, boot, spans, declared, account FROM mark LEFT JOIN ledger USING (area, gateway, instance)"


class Marks:
    """The marks in one database. Everything but `tally` is used from one thread at a time."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)
        row = db.execute("SELECT counts FROM tally").fetchone()
        self._tally = msgspec.json.decode(row[0], type=Tally) if row else self._counted()
        self._next = self._tally

    @property
    def tally(self) -> Tally:
        """Missing readings, as last committed."""
        return self._tally

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it durably, or nothing. Raises StoreError."""
        self._next = self._tally
        with transaction(self._db):
            yield
        self._tally = self._next

    def settle(
        self,
        samples: Sequence[Sample],
        settled: Mapping[Source, Ranges],
        boots: Mapping[Source, int],
        losses: Sequence[Loss] = (),
    ) -> list[Sample]:
        """Within a transaction: the samples that are new, which are settled from now on, as all the rest is."""
        before = {source: self._book(source) for source in {*boots, *settled, *map(source_of, samples), *_of(losses)}}
        books = {source: replace(book, came=book.came.copy()) for source, book in before.items()}
        fresh = settle(books, samples, settled, losses)
        for source, book in books.items():
            self._keep(source, before[source], book, boots.get(source, 0))
        self._forget({source[:2] for source in books})
        return fresh

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """Settled sequences per instance, given up ones included, the newest boot last."""
        return {book.instance: book.known() for book in self.books(area, gateway)}

    def books(self, area: str, gateway: str) -> list[Book]:
        """What came of each process of a gateway, and what is missing. The newest boot last."""
        with said():
            rows = self._db.execute(f"{_BOOKS} WHERE area=? AND gateway=? ORDER BY boot, mark.rowid", (area, gateway))
            return [_read(*row) for row in rows.fetchall()]

    def _book(self, source: Source) -> Book:
        row = self._db.execute(f"{_BOOKS} WHERE area=? AND gateway=? AND instance=?", source).fetchone()
        return _read(*row) if row else Book(source[2])

    def _keep(self, source: Source, before: Book, now: Book, boot: int) -> None:
        self._db.execute(
            "INSERT INTO mark VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET spans=excluded.spans",
            (*source, boot, msgspec.json.encode(list(now.came))),
        )
        if (now.declared, now.account) != (before.declared, before.account):
            row = (*source, msgspec.json.encode(list(now.declared)), msgspec.json.encode(now.account))
            self._db.execute("INSERT OR REPLACE INTO ledger VALUES (?,?,?,?,?)", row)
        self._count(ledger.change(before, now))

    def _count(self, change: Tally) -> None:
        if change != Tally():
            self._next += change
            self._db.execute("INSERT OR REPLACE INTO tally VALUES (1, ?)", (msgspec.json.encode(self._next),))

    def _forget(self, gateways: set[tuple[str, ...]]) -> None:
        for area, gateway in gateways:
            gone = self._db.execute(
                "SELECT instance FROM mark WHERE area=? AND gateway=? ORDER BY boot DESC, rowid DESC LIMIT -1 OFFSET ?",
                (area, gateway, INSTANCES_MAX),
            ).fetchall()
            for (instance,) in gone:
                left = ledger.open_total(self._book((area, gateway, instance)))
                self._count(Tally(open=-left, forgotten=left))
                for table in ("mark", "ledger"):
                    where = "WHERE area=? AND gateway=? AND instance=?"
                    self._db.execute(f"DELETE FROM {table} {where}", (area, gateway, instance))

    def _counted(self) -> Tally:
        """Of a file that was begun before there was a ledger: its holes are open."""
        rows = self._db.execute(_BOOKS)
        return Tally(open=sum(ledger.open_total(_read(*row)) for row in rows))


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All that is done inside, durably, or nothing of it. Raises StoreError."""
    with said():
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # the first trouble is the one to tell
                db.execute("ROLLBACK")
            raise


@contextlib.contextmanager
def said() -> Iterator[None]:
    """SQLite's trouble as a StoreError."""
    try:
        yield
    except sqlite3.Error as cause:
        raise StoreError(str(cause)) from cause


def _of(losses: Sequence[Loss]) -> set[Source]:
    return {loss.source for loss in losses}


def _read(instance: str, boot: int, spans: bytes, declared: bytes | None, account: bytes | None) -> Book:
    return Book(
        instance,
        boot,
        _ranges(spans),
        Ranges() if declared is None else _ranges(declared),
        Account() if account is None else msgspec.json.decode(account, type=Account),
    )


def _ranges(spans: bytes) -> Ranges:
    return Ranges(msgspec.json.decode(spans, type=list[tuple[int, int]]))
