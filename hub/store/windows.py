"""Coarser copies of what a server has: means, least, most and last of five minutes and of an hour; events whole.

A continuous query of InfluxDB does not look again at a window that late readings fell into. So the hub keeps a list of
windows that were written to, beside the marks, and has the server aggregate each anew from the raw points once it is
over and whenever something came late; that is the same points written over themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hub.measures.point import NS_PER_MS, Point
from hub.measures.schema import BY_NAME, STAMP, Measurement, Source
from hub.store.marks import said, transaction
from hub.store.server import named, quoted

OVER_MS = 60_000
"""How long after its end a window is aggregated: most of what is late by minutes is then in it."""
WINDOWS_MAX = 200_000
"""Windows that may wait; of more the oldest is left as it is. Six weeks of all measurements of one area."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS touched (
  level TEXT NOT NULL, start_ms INTEGER NOT NULL, measurement TEXT NOT NULL, area TEXT NOT NULL,
  PRIMARY KEY (level, start_ms, measurement, area)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Level:
    """A retention policy of coarser points, and its window."""

    name: str
    window_ms: int
    literal: str


FIVE_MINUTE = Level("five_minute", 300_000, "5m")
HOURLY = Level("hourly", 3_600_000, "1h")
LEVELS = {level.name: level for level in (FIVE_MINUTE, HOURLY)}


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a measurement in an area ("" for what has none) that was written to."""

    level: Level
    start_ms: int
    measurement: str
    area: str


class Windows:
    """The list, in the file of the marks. Raises StoreError."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def touch(self, points: Iterable[Point]) -> None:
        """Within a transaction or for itself: these are being written."""
        rows = {
            (level.name, at_ms - at_ms % level.window_ms, point.measurement, dict(point.tags).get("area", ""))
            for point in points
            for at_ms in (point.at_ns // NS_PER_MS,)
            for level in LEVELS.values()
        }
        with said():
            self._db.executemany("INSERT OR IGNORE INTO touched VALUES (?,?,?,?)", rows)

    def over(self, now_ms: int, most: int) -> list[Window]:
        """Windows that are over and wait, the oldest first."""
        with said():
            rows = self._db.execute(
                "SELECT level, start_ms, measurement, area FROM touched "
                "WHERE start_ms + CASE level WHEN ? THEN ? ELSE ? END <= ? ORDER BY start_ms LIMIT ?",
                (FIVE_MINUTE.name, FIVE_MINUTE.window_ms, HOURLY.window_ms, now_ms - OVER_MS, most),
            ).fetchall()
        return [Window(LEVELS[level], *rest) for level, *rest in rows]

    def done(self, window: Window) -> None:
        """It is aggregated."""
        with transaction(self._db):
            self._db.execute(
                "DELETE FROM touched WHERE level=? AND start_ms=? AND measurement=? AND area=?",
                (window.level.name, window.start_ms, window.measurement, window.area),
            )

    def bound(self) -> int:
        """Let the oldest go where there are too many; says how many went."""
        with transaction(self._db):
            (count,) = self._db.execute("SELECT count(*) FROM touched").fetchone()
            if count <= WINDOWS_MAX:
                return 0
            oldest = "SELECT level, start_ms, measurement, area FROM touched ORDER BY start_ms LIMIT ?"
            self._db.execute(
                f"DELETE FROM touched WHERE (level, start_ms, measurement, area) IN ({oldest})", (count - WINDOWS_MAX,)
            )
            return int(count) - WINDOWS_MAX


def statement(window: Window, database: str) -> str:
    """The InfluxQL that aggregates a window anew, on the server."""
    known, level = BY_NAME[window.measurement], window.level
    into = f"{named(database)}.{named(level.name)}.{named(known.name)}"
    start_ns, end_ns = window.start_ms * NS_PER_MS, (window.start_ms + level.window_ms) * NS_PER_MS
    where = f"time >= {start_ns} AND time < {end_ns}" + (f" AND area={quoted(window.area)}" if window.area else "")
    if known.source is Source.EVENT:
        return f"SELECT * INTO {into} FROM {named(known.name)} WHERE {where} GROUP BY *"
    chosen = ", ".join(_chosen(known))
    return f"SELECT {chosen} INTO {into} FROM {named(known.name)} WHERE {where} GROUP BY time({level.literal}), *"


def _chosen(known: Measurement) -> Iterator[str]:
    """mean_x, min_x, max_x and last_x of every number, last_x of a word; a reading's stamp is of one reading alone."""
    if known.open_fields:
        yield from (f"{how}(*)" for how in ("mean", "max", "last"))
        return
    for field in known.fields:
        if field not in STAMP:
            for how in ("last",) if field.kind == "s" else ("mean", "min", "max", "last"):
                yield f"{how}({named(field.name)}) AS {named(f'{how}_{field.name}')}"
