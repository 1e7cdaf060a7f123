"""What the embedded store's file lets go: by age, then the oldest of whatever there are most rows of while it is too
large."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from hub.measures.point import NS_PER_MS
from hub.store.coarse import Coarse
from hub.store.levels import Kept, Level
from hub.store.marks import said

PRUNE_ROWS = 20_000
"""Rows of a table that go in one transaction, so that a write never waits long behind pruning."""
EVER_MS = 2**62
SCHEMA = """
CREATE TABLE IF NOT EXISTS dropped (one INTEGER PRIMARY KEY CHECK (one = 1), before_ms INTEGER NOT NULL);
"""


class Pruning:
    """Rows go within the caller's transaction, and what went is said by level; None is the readings themselves."""

    def __init__(self, db: sqlite3.Connection, coarse: Coarse) -> None:
        self._db, self._coarse = db, coarse
        db.executescript(SCHEMA)

    def dropped_ms(self) -> int:
        """Before that (wall ms) readings are not all there. Raises StoreError."""
        with said():
            return self._one("SELECT coalesce(max(before_ms), 0) FROM dropped")

    def by_age(self, kept: Kept, now_ms: int) -> Counter[Level | None]:
        """What is kept no longer."""
        before_ms = kept.begins_ms(None, now_ms)
        self._db.execute("DELETE FROM point WHERE at_ns < ?", (before_ms * NS_PER_MS,))
        gone: Counter[Level | None] = Counter({None: self._readings("at_ms < ?", (before_ms,), PRUNE_ROWS)})
        for level in self._coarse.counts:
            gone[level] = self._coarse.prune(level, kept.begins_ms(level, now_ms), PRUNE_ROWS)
        return gone

    def by_size(self, rows: Counter[Level | None], bytes_max: int) -> Counter[Level | None]:
        """The oldest, by as much as is too much; `rows`: how many there are. Readings and a level of their windows so
        come to the same number of rows, and windows reach further back."""
        gone: Counter[Level | None] = Counter()
        if (excess := self.bytes() - bytes_max) > 0:
            share = min(1.0, excess / self.bytes())
            self._points(share)
            ((level, most),) = rows.most_common(1)
            some = min(PRUNE_ROWS, max(1, int(share * most)))
            gone[level] = self._readings("1", (), some) if level is None else self._coarse.prune(level, EVER_MS, some)
        return gone

    def bytes(self) -> int:
        """What is in use of the file."""
        pages = self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")
        return pages * self._one("PRAGMA page_size")

    def _readings(self, where: str, values: tuple[int, ...], rows: int) -> int:
        some = f"SELECT n, at_ms FROM sample WHERE {where} ORDER BY at_ms LIMIT {rows}"
        (last_ms,) = self._db.execute(f"SELECT max(at_ms) FROM ({some})", values).fetchone()
        if last_ms is None:
            return 0
        self._db.execute("INSERT OR REPLACE INTO dropped VALUES (1, ?)", (max(last_ms + 1, self.dropped_ms()),))
        return self._db.execute(f"DELETE FROM sample WHERE n IN (SELECT n FROM ({some}))", values).rowcount

    def _points(self, share: float) -> None:
        """The oldest of the hub's own points, by the same share."""
        rows = min(PRUNE_ROWS, int(share * self._one("SELECT count(*) FROM point")))
        oldest = "SELECT at_ns FROM point ORDER BY at_ns LIMIT 1 OFFSET ?"
        self._db.execute(f"DELETE FROM point WHERE at_ns < coalesce(({oldest}), 0)", (rows,))

    def _one(self, text: str, values: tuple[Any, ...] = ()) -> int:
        return int(self._db.execute(text, values).fetchone()[0])
