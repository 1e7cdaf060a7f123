"""The embedded telemetry store: one SQLite file, for a hub without a time series database beside it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hub.core.ledger import Book, Tally
from hub.measures.point import NS_PER_MS, Point
from hub.store.coarse import Coarse
from hub.store.levels import KEPT, Kept, Level
from hub.store.marks import Marks, said, transaction
from hub.store.port import Aggregate, Loss, Sample, Source, StoreError
from hub.store.pruning import Pruning
from hub.store.refused import RefusedLines
from hub.store.windows import Windows
from protocol.ranges import Ranges

WINDOWS_AT_ONCE = 50
"""Windows of a gateway that are aggregated in one transaction."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY, area TEXT NOT NULL, gateway TEXT NOT NULL, point TEXT NOT NULL,
  UNIQUE (area, gateway, point)
);
CREATE TABLE IF NOT EXISTS sample (
  n INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL REFERENCES series,
  value NOT NULL, at_ms INTEGER NOT NULL, placed TEXT NOT NULL, mono_ns INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL, quality TEXT NOT NULL, instance TEXT NOT NULL, seq INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS sample_at ON sample (series, at_ms);
CREATE INDEX IF NOT EXISTS sample_age ON sample (at_ms);
CREATE TABLE IF NOT EXISTS latest (
  series INTEGER PRIMARY KEY REFERENCES series,
  value NOT NULL, at_ms INTEGER NOT NULL, placed TEXT NOT NULL, mono_ns INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL, quality TEXT NOT NULL, instance TEXT NOT NULL, seq INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS point (
  measurement TEXT NOT NULL, tags TEXT NOT NULL, at_ns INTEGER NOT NULL, fields TEXT NOT NULL,
  PRIMARY KEY (measurement, tags, at_ns)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS point_age ON point (at_ns);
"""
COLUMNS = "value, at_ms, placed, mono_ns, wall_ms, quality, instance, seq"


class SqliteStore:
    """A `TelemetryStore` on one file (WAL, synchronous FULL). Used from one thread at a time."""

    def __init__(self, path: Path, *, busy_ms: int = 2_000, kept: Kept = KEPT) -> None:
        self.kept = kept
        try:
            self._db = sqlite3.connect(path, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)
            if self._one("PRAGMA page_count") == 0:
                self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(SCHEMA)
            self._marks, self._windows, self._coarse = Marks(self._db), Windows(self._db), Coarse(self._db)
            self._pruning = Pruning(self._db, self._coarse)
            self._count = self._one("SELECT count(*) FROM sample")
        except sqlite3.Error as cause:
            raise StoreError(f"{path.name}: {cause}") from cause
        self._series: dict[tuple[str, str, str], int] = {}
        self.refused = RefusedLines()

    def write(
        self,
        samples: Sequence[Sample],
        settled: Mapping[Source, Ranges],
        boots: Mapping[Source, int],
        losses: Sequence[Loss] = (),
    ) -> int:
        """As the port says; a resend within or across batches is written once."""
        with self._marks.transaction():
            fresh = self._marks.settle(samples, settled, boots, losses)
            series = self._series_of(fresh)
            rows = [(series[_name(sample)], *_values(sample)) for sample in fresh]
            self._db.executemany(f"INSERT INTO sample (series, {COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", rows)
            self._db.executemany(
                f"INSERT INTO latest (series, {COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (series) DO UPDATE SET "
                + ", ".join(f"{column}=excluded.{column}" for column in COLUMNS.split(", "))
                + " WHERE excluded.at_ms >= latest.at_ms AND (excluded.placed = 'age' OR latest.placed <> 'age')",
                rows,
            )
            self._windows.touch((one.at_ms, one.area, one.gateway) for one in fresh)
        self._series |= series
        self._count += len(fresh)
        return len(fresh)

    def put(self, points: Sequence[Point]) -> None:
        """As the port says, in one transaction."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO point VALUES (?,?,?,?) "
                "ON CONFLICT DO UPDATE SET fields=json_patch(fields, excluded.fields)",
                [(one.measurement, _json(dict(one.tags)), one.at_ns, _json(one.fields)) for one in points],
            )

    def points(self, measurement: str, from_ms: int, to_ms: int, limit: int = 10_000) -> list[Point]:
        """The hub's own points of a measurement in [from_ms, to_ms), by time."""
        rows = self._rows(
            "SELECT tags, at_ns, fields FROM point WHERE measurement=? AND at_ns>=? AND at_ns<? ORDER BY at_ns LIMIT ?",
            (measurement, from_ms * NS_PER_MS, to_ms * NS_PER_MS, limit),
        )
        return [
            Point(measurement, tuple(msgspec.json.decode(tags).items()), msgspec.json.decode(fields), at_ns)
            for tags, at_ns, fields in rows
        ]

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """Settled sequences per instance, the newest boot last."""
        return self._marks.marks(area, gateway)

    def books(self, area: str, gateway: str) -> list[Book]:
        """What came of each process of a gateway, and what is missing."""
        return self._marks.books(area, gateway)

    @property
    def tally(self) -> Tally:
        """Missing readings, as last committed."""
        return self._marks.tally

    def latest(self, area: str, gateway: str, prefix: str = "") -> list[Sample]:
        """The newest reading of every point whose name begins with `prefix`, by name."""
        rows = self._rows(
            f"SELECT area, gateway, point, {COLUMNS} FROM latest JOIN series ON id = series "
            "WHERE area=? AND gateway=? AND substr(point, 1, ?) = ? ORDER BY point",
            (area, gateway, len(prefix), prefix),
        )
        return [_sample(row) for row in rows]

    def range(
        self, area: str, gateway: str, point: str, from_ms: int, to_ms: int, limit: int, after_n: int = 0
    ) -> list[tuple[int, Sample]]:
        """Readings of a point in [from_ms, to_ms), in the order they were stored."""
        rows = self._rows(
            f"SELECT n, area, gateway, point, {COLUMNS} FROM sample JOIN series ON id = series "
            "WHERE area=? AND gateway=? AND point=? AND at_ms>=? AND at_ms<? AND n>? ORDER BY n LIMIT ?",
            (area, gateway, point, from_ms, to_ms, after_n, limit),
        )
        return [(row[0], _sample(row[1:])) for row in rows]

    def aggregate(
        self, area: str, gateway: str, point: str, from_ms: int, to_ms: int, every_ms: int, limit: int
    ) -> list[Aggregate]:
        """Numbers of a point by windows; words among them are left out."""
        rows = self._rows(
            "SELECT at_ms - at_ms % ?, count(*), avg(value), min(value), max(value) "
            "FROM sample JOIN series ON id = series WHERE area=? AND gateway=? AND point=? AND at_ms>=? AND at_ms<? "
            "AND typeof(value) IN ('integer', 'real') GROUP BY 1 ORDER BY 1 LIMIT ?",
            (every_ms, area, gateway, point, from_ms, to_ms, limit),
        )
        return [Aggregate(at_ms, count, *map(float, numbers)) for at_ms, count, *numbers in rows]

    def count(self, area: str | None = None, gateway: str | None = None) -> int:
        """How many readings are kept."""
        if area is None and gateway is None:
            return self._count
        rows = self._rows(
            "SELECT count(*) FROM sample JOIN series ON id = series WHERE area=coalesce(?, area) "
            "AND gateway=coalesce(?, gateway)",
            (area, gateway),
        )
        return int(rows[0][0])

    def copied(
        self, area: str, gateway: str, point: str, level: Level, from_ms: int, to_ms: int, every_ms: int
    ) -> list[Aggregate]:
        """As the port says."""
        return self._coarse.read(area, gateway, point, level, from_ms, to_ms, every_ms)

    def raw_ms(self, now_ms: int) -> int:
        """As the port says: since the newest reading that was ever dropped."""
        return self._pruning.dropped_ms()

    def downsample(self, now_ms: int) -> int:
        """Aggregate windows that are over and were written to; says how many."""
        whole_ms = self.raw_ms(now_ms)
        with transaction(self._db):
            self._windows.leave(whole_ms)
            some = self._windows.over(now_ms, WINDOWS_AT_ONCE)
            more = self._coarse.make(some)
            self._windows.done(some)
        self._coarse.counts.update(more)
        self._windows.bound()
        return len(some)

    def prune(self, now_ms: int, bytes_max: int) -> int:
        """Drop what is kept no longer, then the oldest by what is too much; at most `PRUNE_ROWS` of a kind a call."""
        rows: Counter[Level | None] = Counter({None: self._count})
        rows.update(self._coarse.counts)
        with transaction(self._db):
            gone = self._pruning.by_age(self.kept, now_ms)
            if not gone.total():
                gone = self._pruning.by_size(rows, bytes_max)
        self._count -= gone[None]
        self._coarse.counts.subtract({level: rows for level, rows in gone.items() if level is not None})
        if gone.total():
            with said():
                self._db.execute("PRAGMA incremental_vacuum(1000)").fetchall()
        return gone.total()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _series_of(self, samples: Sequence[Sample]) -> dict[tuple[str, str, str], int]:
        """Series numbers, new ones made; kept in memory only after the commit."""
        found: dict[tuple[str, str, str], int] = {}
        for name in dict.fromkeys(map(_name, samples)):
            if (number := self._series.get(name)) is None:
                self._db.execute("INSERT OR IGNORE INTO series (area, gateway, point) VALUES (?,?,?)", name)
                number = self._one("SELECT id FROM series WHERE area=? AND gateway=? AND point=?", name)
            found[name] = number
        return found

    def _one(self, text: str, values: tuple[str, ...] = ()) -> int:
        return int(self._db.execute(text, values).fetchone()[0])

    def _rows(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with said():
            return self._db.execute(text, values).fetchall()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _name(sample: Sample) -> tuple[str, str, str]:
    return sample.area, sample.gateway, sample.point


def _values(sample: Sample) -> tuple[object, ...]:
    stamp = (sample.mono_ns, sample.wall_ms, str(sample.quality))
    return sample.value, sample.at_ms, str(sample.placed), *stamp, sample.instance, sample.seq


def _sample(row: tuple[Any, ...]) -> Sample:
    return msgspec.convert(dict(zip(Sample.__struct_fields__, row, strict=True)), Sample)


assert Sample.__struct_fields__[3:] == tuple(COLUMNS.split(", ")), "a row reads back as a sample"
