"""The hub's own points outlive a kill: what the store did not have yet is told again from the journal."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from hub.measures.point import Point
from hub.store.sqlite import SqliteStore
from simulators.broker import Broker
from tests.e2e.test_hub_outage import linked
from tests.support.centre import running
from tests.support.wait import until


async def test_pages_are_told_again_after_a_kill(broker: Broker, tmp_path: Path) -> None:
    """A page that never reached the store is there after the next start, at its time; one that did, once."""
    async with running(tmp_path, broker) as hub, linked(broker, "gw-1") as side:
        side.press(zone="h1-panic")
        await until(lambda: side.receipted)
        await until(lambda: not len(hub.parts.measuring.queue))
        path = hub.data / "telemetry.db"
    before = pages(path)
    assert before
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM point WHERE measurement = 'page'")
    for _ in range(2):
        async with running(tmp_path, broker) as hub:
            await until(lambda: not len(hub.parts.measuring.queue))
        assert before == pages(path)


def pages(path: Path) -> list[Point]:
    with contextlib.closing(SqliteStore(path)) as store:
        return store.points("page", 0, 2**43)
