"""Windows of coarser copies that were written to: a list in the file of the marks.

A continuous query of a server does not look again at a window that late readings fell into. So each is aggregated anew
from the readings once it is over and whenever something came late; that is the same aggregates over themselves.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from hub.store.levels import FIVE_MINUTE, HOURLY, LEVELS, Level
from hub.store.marks import said, transaction

OVER_MS = 60_000
"""How long after its end a window is aggregated: most of what is late by minutes is then in it."""
WINDOWS_MAX = 200_000
"""Windows that may wait; of more the oldest is left as it is. Six weeks of all measurements of one area."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS touched_window (
  level TEXT NOT NULL, start_ms INTEGER NOT NULL, area TEXT NOT NULL, what TEXT NOT NULL,
  PRIMARY KEY (level, start_ms, area, what)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One window that was written to, of an area ("" for what has none); `what` of it: a measurement, or a gateway."""

    level: Level
    start_ms: int
    area: str
    what: str

    @property
    def end_ms(self) -> int:
        """Its first time that is not of it."""
        return self.start_ms + self.level.window_ms


class Windows:
    """The list. Raises StoreError."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def touch(self, written: Iterable[tuple[int, str, str]]) -> None:
        """Within a transaction or for itself: at these times (wall ms), of these areas and what, is being written."""
        rows = {
            (level.name, at_ms - at_ms % level.window_ms, area, what)
            for at_ms, area, what in written
            for level in LEVELS.values()
        }
        own = contextlib.nullcontext() if self._db.in_transaction else transaction(self._db)
        with said(), own:  # else each row would be a transaction, and wait for the disk, by itself
            self._db.executemany("INSERT OR IGNORE INTO touched_window VALUES (?,?,?,?)", rows)

    def over(self, now_ms: int, most: int) -> list[Window]:
        """Windows that are over and wait, the oldest first."""
        with said():
            rows = self._db.execute(
                "SELECT level, start_ms, area, what FROM touched_window "
                "WHERE start_ms + CASE level WHEN ? THEN ? ELSE ? END <= ? ORDER BY start_ms LIMIT ?",
                (FIVE_MINUTE.name, FIVE_MINUTE.window_ms, HOURLY.window_ms, now_ms - OVER_MS, most),
            ).fetchall()
        return [Window(LEVELS[level], *rest) for level, *rest in rows]

    def done(self, some: Iterable[Window]) -> None:
        """Within a transaction or for itself: these are aggregated."""
        rows = [(one.level.name, one.start_ms, one.area, one.what) for one in some]
        with said():
            self._db.executemany("DELETE FROM touched_window WHERE level=? AND start_ms=? AND area=? AND what=?", rows)

    def leave(self, before_ms: int) -> None:
        """What began before is left as it is: its readings are no longer all there."""
        with said():
            self._db.execute("DELETE FROM touched_window WHERE start_ms < ?", (before_ms,))

    def bound(self) -> int:
        """Let the oldest go where there are too many; says how many went."""
        with transaction(self._db):
            (count,) = self._db.execute("SELECT count(*) FROM touched_window").fetchone()
            if count <= WINDOWS_MAX:
                return 0
            oldest = "SELECT level, start_ms, area, what FROM touched_window ORDER BY start_ms LIMIT ?"
            self._db.execute(
                f"DELETE FROM touched_window WHERE (level, start_ms, area, what) IN ({oldest})", (count - WINDOWS_MAX,)
            )
            return int(count) - WINDOWS_MAX
