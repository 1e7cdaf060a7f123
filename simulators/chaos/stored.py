"""What InfluxDB has of the telemetry in the end: each settled reading, and each of them once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hub.measures.readings import MEASURES
from hub.store.server import Access, InfluxServer, named
from protocol.ranges import Ranges
from simulators.chaos.estate import AREA
from simulators.influx import Tsdb

DATABASE = "lianfang"


@dataclass(frozen=True, slots=True)
class Stored:
    """Readings the hub's marks have, those the server has, those it has not, and those it has more than once."""

    settled: int
    stored: int
    missing: int
    doubled: int

    @property
    def well(self) -> bool:
        """Nothing lost and nothing twice."""
        return not self.missing and not self.doubled and self.stored > 0


def settings(tsdb: Tsdb) -> dict[str, str | int]:
    """The hub's keys for it."""
    return {"telemetry.store": "influxdb", "telemetry.url": tsdb.url, "telemetry.database": DATABASE}


async def prepare(tsdb: Tsdb) -> None:
    """Make the database."""
    await asyncio.to_thread(_ask, tsdb, f"CREATE DATABASE {named(DATABASE)}")


async def read(tsdb: Tsdb, data_dir: Path) -> Stored:
    """Read everything back, after the hub has ended; a server that was killed last is started again."""
    if tsdb.pid is None:
        await tsdb.start()
    return await asyncio.to_thread(_read, tsdb, data_dir)


def _read(tsdb: Tsdb, data_dir: Path) -> Stored:
    with closing(sqlite3.connect(f"file:{data_dir / 'telemetry.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT gateway, instance, spans FROM mark WHERE area = ?", (AREA,)).fetchall()
    settled = {
        (gateway, instance, seq)
        for gateway, instance, spans in rows
        for first, last in Ranges(msgspec.json.decode(spans, type=list[tuple[int, int]]))
        for seq in range(first, last + 1)
    }
    found: Counter[tuple[str, str, int]] = Counter()
    for name in MEASURES:
        for series in _ask(tsdb, f"SELECT seq, instance FROM {named(name)} GROUP BY gateway"):
            gateway = series["tags"]["gateway"]
            found.update((gateway, instance, seq) for _, seq, instance in series["values"])
    doubled = sum(count - 1 for count in found.values())
    return Stored(len(settled), len(found), len(settled - found.keys()), doubled)


def _ask(tsdb: Tsdb, text: str) -> list[dict[str, Any]]:
    with closing(InfluxServer(Access(tsdb.url, DATABASE, timeout_ms=60_000))) as server:
        return server.query(text)
