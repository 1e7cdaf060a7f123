"""The telemetry store on a time series server: readings and the hub's own points are there, the marks beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from hub.core.ledger import Book, Tally
from hub.measures.line import LineRefused, line
from hub.measures.places import Places
from hub.measures.point import NS_PER_MS, Point
from hub.measures.readings import MEASURES, columns, measurements_of, numbers_of, point_of, sample_of
from hub.store import aggregating
from hub.store.beside import POINTS_MAX, Beside, Intent
from hub.store.deliver import deliver
from hub.store.downsampled import merged
from hub.store.levels import KEPT, Kept, Level
from hub.store.port import Aggregate, Loss, Sample, Source, StoreError
from hub.store.refused import RefusedLines
from hub.store.server import Server, named, quoted
from hub.store.windows import Windows
from protocol.ranges import Ranges

WINDOWS_AT_ONCE = 20
"""Windows aggregated in one turn of the store's thread, so that readings do not wait long."""
TIME_MAX_NS = 9_223_372_036_854_775_000
"""The last time InfluxQL compares with."""


class InfluxStore:
    """A `TelemetryStore`. `places` name the villages in tags; `wall_ms` dates what is refused; `kept` is what the
    server was told to keep. With `write_only` it does not ask the server (VictoriaMetrics answers no InfluxQL)."""

    def __init__(
        self,
        server: Server,
        beside: Beside,
        places: Places,
        wall_ms: Callable[[], int],
        *,
        kept: Kept = KEPT,
        write_only: bool = False,
    ) -> None:
        self.refused, self.kept = RefusedLines(), kept
        self._server, self._beside, self._places, self._wall_ms = server, beside, places, wall_ms
        self._write_only = write_only
        self._windows = Windows(beside.db)
        self._failed: Sequence[Sample] | None = None

    def write(
        self,
        samples: Sequence[Sample],
        settled: Mapping[Source, Ranges],
        boots: Mapping[Source, int],
        losses: Sequence[Loss] = (),
    ) -> int:
        """As the port says. A write that failed is finished first, at the times it was intended with."""
        done = self._finish()
        if self._failed is samples:
            self._failed = None
            return done
        beside = self._beside
        spans = [(source, list(ranges)) for source, ranges in settled.items()]
        beside.intend(Intent(beside.number(), list(samples), spans, list(boots.items()), list(losses)))
        self._failed = samples
        done += self._finish()
        self._failed = None
        return done

    def put(self, points: Sequence[Point]) -> None:
        """As the port says."""
        self._touch(points)
        self._send(points)

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """Settled sequences per instance, the newest boot last."""
        return self._beside.marks.marks(area, gateway)

    def books(self, area: str, gateway: str) -> list[Book]:
        """What came of each process of a gateway, and what is missing."""
        return self._beside.marks.books(area, gateway)

    @property
    def tally(self) -> Tally:
        """Missing readings, as last committed."""
        return self._beside.marks.tally

    def latest(self, area: str, gateway: str, prefix: str = "") -> list[Sample]:
        """The newest reading of every point whose name begins with `prefix`, by name; also while the server is down."""
        return self._beside.newest(area, gateway, prefix)

    def range(
        self, area: str, gateway: str, point: str, from_ms: int, to_ms: int, limit: int, after_n: int = 0
    ) -> list[tuple[int, Sample]]:
        """Readings of a point in [from_ms, to_ms) by time; n is their time in ns."""
        where = _where(area, gateway, point, max(from_ms * NS_PER_MS, after_n + 1), to_ms * NS_PER_MS)
        fields = ", ".join(map(named, columns(point)))
        # One by one: `point` is a field in one measurement and a tag in the other, and one statement has one of them.
        asked = (f"SELECT {fields} FROM {named(one)} {where} LIMIT {limit}" for one in measurements_of(point))
        rows = [row for row in self._rows(asked) if row["seq"] is not None]  # else not ours
        rows.sort(key=lambda row: int(row["time"]))
        return [(row["time"], sample_of(area, gateway, point, row["time"], row)) for row in rows[:limit]]

    def aggregate(
        self, area: str, gateway: str, point: str, from_ms: int, to_ms: int, every_ms: int, limit: int
    ) -> list[Aggregate]:
        """Numbers of a point by windows; words among them are left out."""
        where = _where(area, gateway, point, from_ms * NS_PER_MS, to_ms * NS_PER_MS)
        asked = (
            f"SELECT count({field}), mean({field}), min({field}), max({field}) "
            f"FROM {named(one)} {where} GROUP BY time({every_ms}ms) fill(none) LIMIT {limit}"
            for one, _, field in numbers_of(point)
        )
        return merged(map(aggregating.aggregate, self._rows(asked)), every_ms)[:limit]

    def copied(
        self, area: str, gateway: str, point: str, level: Level, from_ms: int, to_ms: int, every_ms: int
    ) -> list[Aggregate]:
        """As the port says."""
        span = (from_ms, min(to_ms, TIME_MAX_NS // NS_PER_MS))
        asked = aggregating.copied(area, gateway, point, level, self._server.database, span)
        rows = (row for row in self._rows(asked) if row["count"])
        return merged(map(aggregating.aggregate, rows), every_ms)

    def raw_ms(self, now_ms: int) -> int:
        """As the port says: the server drops by its own retention."""
        return self.kept.begins_ms(None, now_ms)

    def count(self, area: str | None = None, gateway: str | None = None) -> int:
        """How many readings the server has."""
        wanted = [
            f"{tag}={quoted(value)}" for tag, value in (("area", area), ("gateway", gateway)) if value is not None
        ]
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        series = self._ask(f"SELECT count(seq) AS n FROM {', '.join(map(named, MEASURES))}{where}")
        return sum(int(row["n"]) for one in series for row in _rows(one))

    def downsample(self, now_ms: int) -> int:
        """Aggregate windows that are over and were written to; says how many. What the server refuses of them is told
        as of everything else."""
        if self._write_only:
            return 0
        self._windows.leave(self.raw_ms(now_ms))
        some = self._windows.over(now_ms, WINDOWS_AT_ONCE)
        for window in some:
            made = aggregating.points(window, self._server.query(aggregating.question(window)))
            self._send(made, partial(self._server.write_to, window.level.name))
            self._windows.done([window])
        self._windows.bound()
        return len(some)

    def prune(self, now_ms: int, bytes_max: int) -> int:
        """Nothing: the server drops by its own retention, as `lianfang telemetry init` set it."""
        return 0

    def close(self) -> None:
        """Close its connections and the file."""
        self._server.close()
        self._beside.close()

    def _finish(self) -> int:
        """Fulfil what is intended, if anything is; gives how many readings are new at the server."""
        beside = self._beside
        if (intent := beside.intent()) is None:
            return 0
        settled = {source: Ranges(spans) for source, spans in intent.settled}
        with beside.marks.transaction():
            fresh = beside.marks.settle(intent.samples, settled, dict(intent.boots), intent.losses)
            admitted = [sample for sample in fresh if beside.admits(sample)]
            points = [self._point(sample, intent.n + at) for at, sample in enumerate(admitted)]
            self._touch(points)
            refused = self._send(points)
            for sample in fresh if len(admitted) < len(fresh) else ():
                if not beside.admits(sample):
                    refused += 1
                    why = f"more than {POINTS_MAX} points of one gateway"
                    self.refused.add(self._wall_ms(), why, f"{sample.area}/{sample.gateway} {sample.point}".encode())
            beside.keep(admitted)
            beside.done(intent.n + len(fresh))
        return len(fresh) - refused

    def _point(self, sample: Sample, number: int) -> Point:
        return point_of(sample, self._places, number % NS_PER_MS)

    def _touch(self, points: Iterable[Point]) -> None:
        self._windows.touch(
            (point.at_ns // NS_PER_MS, dict(point.tags).get("area", ""), point.measurement) for point in points
        )

    def _send(self, points: Iterable[Point], write: Callable[[Sequence[bytes]], None] | None = None) -> int:
        """Write these; gives how many were refused, by us or by the server."""
        lines: list[bytes] = []
        refused: list[tuple[bytes, str]] = []
        for point in points:
            try:
                lines.append(line(point))
            except LineRefused as cause:
                refused.append((f"{point.measurement} {dict(point.tags)}".encode(errors="replace"), str(cause)))
        refused += deliver(lines, write or self._server.write)
        for found, why in refused:
            self.refused.add(self._wall_ms(), why, found)
        return len(refused)

    def _ask(self, text: str) -> list[dict[str, Any]]:
        if self._write_only:
            raise StoreError("this store is only written to (telemetry.write_only): ask the server itself")
        return self._server.query(text)

    def _rows(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        return [row for text in texts for series in self._ask(text) for row in _rows(series)]


def _where(area: str, gateway: str, point: str, from_ns: int, to_ns: int) -> str:
    return (
        f"WHERE area={quoted(area)} AND gateway={quoted(gateway)} AND point={quoted(point)} "
        f"AND time >= {min(from_ns, TIME_MAX_NS)} AND time < {min(to_ns, TIME_MAX_NS)}"
    )


def _rows(series: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return (dict(zip(series["columns"], row, strict=True)) for row in series["values"])
