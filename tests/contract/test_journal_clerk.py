"""The clerk between desk and journal: who goes first, and what a failed commit leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import hub.rounds
from hub.clerk import Clerk
from hub.clock import HubClock
from hub.core.acts import Move, Moved
from hub.core.desk import Desk
from hub.core.heard import Recorded
from hub.core.io import Input
from hub.defaults import load_defaults
from hub.inbox import Item
from hub.journal import Draft, Journal, JournalMoved
from hub.metrics import Metrics
from hub.registry import load
from hub.rounds import Done, Rounds, StoreDown
from protocol.kinds import CODES, Kind, Qualifier
from protocol.records import ClockQuality, Event, Stamp
from tests.support.centre import write_config
from tests.support.wait import LIMIT_S, until


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(f"sqlite:///{tmp_path / 'journal.db'}", config="c" * 64, rules="1", busy_ms=10) as found:
        yield found


@pytest.fixture
async def clerk(journal: Journal, tmp_path: Path) -> AsyncIterator[Clerk]:
    write_config(tmp_path)
    desk = Desk(load(tmp_path / "registry.toml").registry, load_defaults())
    found = Clerk(Rounds(desk, HubClock(), Metrics()), journal)
    yield found
    found.writer.shutdown()


@contextlib.asynccontextmanager
async def at_work(clerk: Clerk) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(clerk.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def record(seq: int, kind: Kind, zone: str = "h1-panic") -> Item:
    at = Stamp(0, 0, ClockQuality.SYNCED)
    event = Event(seq, kind, Qualifier.NEW, CODES[kind].priority, at, f"k-{seq}", zone.partition("-")[0], zone)
    return item(Recorded("town", "gw-1", "1" * 32, 1, event, 5))


def item(taken: Input) -> Item:
    return Item(taken, HubClock().now_ms(), 0.0)  # of now: no deadline of it comes during a test


def seqs(journal: Journal) -> list[int]:
    return [taken.event.seq for _, taken in journal.inputs() if isinstance(taken, Recorded)]


async def test_a_press_amid_a_backlog_goes_into_the_next_batch(
    clerk: Clerk, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch ends when its time is up; a press that came meanwhile is committed before the rest, and none is lost."""
    monkeypatch.setattr(hub.rounds, "STEP_MS_MAX", -1.0)
    for seq in range(1, 51):
        clerk.rounds.inbox.put(record(seq, Kind.BATTERY_LOW))
    pressed = False

    def perform(done: list[Done]) -> None:
        nonlocal pressed
        if not pressed:
            pressed = clerk.rounds.inbox.put(record(100, Kind.PANIC))

    clerk.rounds.perform = perform
    async with at_work(clerk):
        await until(lambda: len(seqs(journal)) == 51)
    assert [1, 100, *range(2, 51)] == seqs(journal)


async def test_after_a_failed_commit_what_is_urgent_goes_before_what_failed(clerk: Clerk, journal: Journal) -> None:
    """What failed is tried again, with a press that came during the outage before it; each is committed once."""
    failed: list[Input] = []
    clerk.rounds.hold = failed.extend
    with contextlib.closing(sqlite3.connect(journal._engine.url.database or "", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        for seq in range(1, 6):
            clerk.rounds.inbox.put(record(seq, Kind.BATTERY_LOW))
        async with at_work(clerk):
            await until(lambda: failed)
            assert clerk.down is not None
            clerk.rounds.inbox.put(record(9, Kind.PANIC))
            lock.execute("ROLLBACK")
            await until(lambda: len(seqs(journal)) == 6)
    assert [9, 1, 2, 3, 4, 5] == seqs(journal)


async def test_a_move_of_a_batch_that_did_not_happen_is_told_so(clerk: Clerk, journal: Journal) -> None:
    """Two accepts in a failed batch: neither was accepted, and neither is told that the other was first."""
    async with at_work(clerk):
        clerk.rounds.inbox.put(record(1, Kind.PANIC))
        await until(clerk.rounds.desk.incidents)
    (incident,) = clerk.rounds.desk.incidents()
    accept = item(Moved("town", incident.id, Move.ACCEPT, "p-1"))
    asked = [asyncio.create_task(clerk.ask(accept)) for _ in range(2)]
    await until(lambda: len(clerk.rounds.inbox) == 2)
    with contextlib.closing(sqlite3.connect(journal._engine.url.database or "", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        async with at_work(clerk), asyncio.timeout(LIMIT_S):
            found = await asyncio.gather(*asked, return_exceptions=True)
    assert [StoreDown, StoreDown] == [type(one) for one in found]
    assert "reported" == clerk.rounds.desk.incidents()[0].state


async def test_a_journal_somebody_else_writes_ends_the_clerk(clerk: Clerk, journal: Journal, tmp_path: Path) -> None:
    """An entry this hub does not know of is no outage to wait out: the hub ends, to be started from what is there."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    taken = record(7, Kind.PANIC).taken
    with Journal(url, config="c" * 64, rules="1", busy_ms=10) as other:
        other.append([Draft("town", 1, taken)])
    async with at_work(clerk) as task:
        clerk.rounds.inbox.put(record(1, Kind.PANIC))
        await until(task.done)
        with pytest.raises(JournalMoved, match="ends with entry 1, and this hub wrote up to 0"):
            task.result()
    assert [7] == seqs(journal)
