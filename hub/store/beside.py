"""What stands beside a server that keeps readings: the marks, the newest of each point, and the intent of the write
that is under way, all in one SQLite file.

A write is intended here before the server hears of it: with each reading's time as the server will have it. Killed or
timed out in between, the same readings are written again at the same times, over themselves, before anything else; a
gateway's resend, whose ages are a little different, then finds them settled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from hub.store.marks import Marks, said, transaction
from hub.store.port import Loss, Placed, Sample, StoreError

POINTS_MAX = 2_000
"""Points one gateway may have; more are refused: a gateway gone mad must not fill the server's index."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS intent (one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS number (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS newest (
  area TEXT NOT NULL, gateway TEXT NOT NULL, point TEXT NOT NULL, at_ms INTEGER NOT NULL, by_age INTEGER NOT NULL,
  sample BLOB NOT NULL, PRIMARY KEY (area, gateway, point)
) WITHOUT ROWID;
"""


class Intent(msgspec.Struct, frozen=True):
    """One batch as it is to be written. `n`: readings written before it, which tells their times apart."""

    n: int
    samples: list[Sample]
    settled: list[tuple[tuple[str, str, str], list[tuple[int, int]]]]
    boots: list[tuple[tuple[str, str, str], int]]
    losses: list[Loss]


class Beside:
    """The file. Raises StoreError."""

    def __init__(self, path: Path, *, busy_ms: int = 2_000) -> None:
        try:
            self.db = sqlite3.connect(path, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self.db.execute(f"PRAGMA {pragma}")
            self.db.executescript(SCHEMA)
            self.marks = Marks(self.db)
        except sqlite3.Error as cause:
            raise StoreError(f"{path.name}: {cause}") from cause
        self._points: dict[tuple[str, str], set[str]] = {}

    def intend(self, intent: Intent) -> None:
        """This is to be written next; durably."""
        with transaction(self.db):
            self.db.execute("INSERT OR REPLACE INTO intent VALUES (1, ?)", (msgspec.msgpack.encode(intent),))

    def intent(self) -> Intent | None:
        """What was to be written and may or may not have been."""
        with said():
            row = self.db.execute("SELECT body FROM intent").fetchone()
        return msgspec.msgpack.decode(row[0], type=Intent) if row else None

    def number(self) -> int:
        """How many readings were written so far."""
        with said():
            row = self.db.execute("SELECT n FROM number").fetchone()
        return int(row[0]) if row else 0

    def done(self, n: int) -> None:
        """Within a transaction: the intent is fulfilled."""
        self.db.execute("DELETE FROM intent")
        self.db.execute("INSERT OR REPLACE INTO number VALUES (1, ?)", (n,))

    def admits(self, sample: Sample) -> bool:
        """Whether its gateway may have this point."""
        known = self._known((sample.area, sample.gateway))
        if sample.point not in known:
            if len(known) >= POINTS_MAX:
                return False
            known.add(sample.point)
        return True

    def keep(self, samples: Iterable[Sample]) -> None:
        """Within a transaction: the newest of each point; one that is not placed by its age replaces none that is."""
        self.db.executemany(
            "INSERT INTO newest VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET at_ms=excluded.at_ms, "
            "by_age=excluded.by_age, sample=excluded.sample "
            "WHERE excluded.at_ms >= newest.at_ms AND (excluded.by_age OR NOT newest.by_age)",
            [
                (one.area, one.gateway, one.point, one.at_ms, one.placed is Placed.AGE, msgspec.msgpack.encode(one))
                for one in samples
            ],
        )

    def newest(self, area: str, gateway: str, prefix: str) -> list[Sample]:
        """The newest of every point whose name begins so, by name."""
        rows = self._rows(
            "SELECT sample FROM newest WHERE area=? AND gateway=? AND substr(point, 1, ?) = ? ORDER BY point",
            (area, gateway, len(prefix), prefix),
        )
        return [msgspec.msgpack.decode(row[0], type=Sample) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def _known(self, gateway: tuple[str, str]) -> set[str]:
        if gateway not in self._points:
            rows = self._rows("SELECT point FROM newest WHERE area=? AND gateway=?", gateway)
            self._points[gateway] = {row[0] for row in rows}
        return self._points[gateway]

    def _rows(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with said():
            return self.db.execute(text, values).fetchall()
