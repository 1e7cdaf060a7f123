"""Coarser copies of readings in the embedded store's file: count, mean, least and most of five minutes, of an hour."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

from hub.store.downsampled import merged
from hub.store.levels import LEVELS, Level
from hub.store.marks import said
from hub.store.port import Aggregate
from hub.store.windows import Window

SCHEMA = """
CREATE TABLE IF NOT EXISTS coarse (
  level TEXT NOT NULL, series INTEGER NOT NULL REFERENCES series, start_ms INTEGER NOT NULL,
  count INTEGER NOT NULL, mean REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL,
  PRIMARY KEY (level, series, start_ms)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS coarse_age ON coarse (level, start_ms);
"""
_SERIES = "series IN (SELECT id FROM series WHERE area=? AND gateway=?)"
_ANEW = f"""
INSERT INTO coarse
SELECT ?, series, ?, count(*), avg(value), min(value), max(value) FROM sample
WHERE {_SERIES} AND at_ms >= ? AND at_ms < ? AND typeof(value) IN ('integer', 'real') GROUP BY series
"""
_OLDEST = "SELECT level, series, start_ms FROM coarse WHERE level=? ORDER BY start_ms LIMIT ?"


class Coarse:
    """The copies, in the database that has the readings. `counts`: rows of each level, kept by whoever commits."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)
        rows = dict(db.execute("SELECT level, count(*) FROM coarse GROUP BY level").fetchall())
        self.counts = Counter({level: int(rows.get(level.name, 0)) for level in LEVELS.values()})

    def make(self, some: Iterable[Window]) -> Counter[Level]:
        """Within a transaction: aggregate these windows of gateways anew; gives how many rows more there are."""
        more: Counter[Level] = Counter()
        for one in some:
            of, window = (one.area, one.what), (one.level.name, one.start_ms)
            old = self._db.execute(f"DELETE FROM coarse WHERE level=? AND start_ms=? AND {_SERIES}", (*window, *of))
            new = self._db.execute(_ANEW, (*window, *of, one.start_ms, one.end_ms))
            more[one.level] += new.rowcount - old.rowcount
        return more

    def read(
        self, area: str, gateway: str, point: str, level: Level, from_ms: int, to_ms: int, every_ms: int
    ) -> list[Aggregate]:
        """Windows of a point that begin in [from_ms, to_ms), by windows of `every_ms`."""
        with said():
            rows = self._db.execute(
                "SELECT start_ms, count, mean, min, max FROM coarse JOIN series ON id = series "
                "WHERE level=? AND area=? AND gateway=? AND point=? AND start_ms>=? AND start_ms<?",
                (level.name, area, gateway, point, from_ms, to_ms),
            ).fetchall()
        return merged((Aggregate(*row) for row in rows), every_ms)

    def prune(self, level: Level, before_ms: int, rows: int) -> int:
        """Within a transaction: drop what began before, at most `rows` of it; says how many."""
        where = f"{_OLDEST.replace('ORDER', 'AND start_ms < ? ORDER')}"
        return self._db.execute(
            f"DELETE FROM coarse WHERE (level, series, start_ms) IN ({where})", (level.name, before_ms, rows)
        ).rowcount
