"""One suite over both stores, and what only a real disk can do wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.committer import Committer
from edge.core.entries import Entry, Key
from edge.core.gaps import Lost
from edge.outbox import GROUP_MAX, RETRY_S, RETRY_S_MAX, Outbox
from edge.store import Change, Disk, Loaded, MemoryStore, SqliteStore, Store, StoreError
from tests.support.wait import until

A = "a" * 32
B = "b" * 32


def entry(seq: int, priority: int = 4, instance: str = A, boot: int = 1, size: int = 20) -> Entry:
    return Entry(instance, boot, "kernel-1", seq, priority, seq * 1000, b"x" * size, "fault/z1")


def seen(loaded: Loaded) -> list[tuple[str, int, int, str, int, int, bytes]]:
    return [(one.instance, one.boot, one.seq, one.kboot, one.priority, one.mono_ns, one.data) for one in loaded.entries]


@dataclass
class Heard:
    """What the outbox told."""

    stored: list[Key] = field(default_factory=list)
    faults: list[str | None] = field(default_factory=list)
    late: list[Loaded] = field(default_factory=list)


class Box(Outbox):
    """An outbox with the thread that drives it."""

    def __init__(self, store: Store, heard: Heard) -> None:
        super().__init__(
            store,
            on_stored=heard.stored.extend,
            on_fault=lambda fault: heard.faults.append(fault.trouble if fault else None),
            on_loaded=heard.late.append,
        )
        self.committer = Committer("test", self)


@pytest.fixture(params=["memory", "sqlite"])
async def again(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], Store]]:
    """Makes a store on the same disk each time, as a new process would."""
    disk = Disk()

    def make() -> Store:
        if request.param == "memory":
            return MemoryStore(disk)
        return SqliteStore(tmp_path / "lane.db", "FULL", 8 * 1024 * 1024)

    yield make


async def reopened(make: Callable[[], Store]) -> Loaded:
    box = Box(make(), Heard())
    loaded = await box.committer.open()
    await box.committer.close()
    return loaded


async def test_what_was_stored_comes_back_as_it_was_made(again: Callable[[], Store]) -> None:
    """Records of two instances come back oldest boot first, each with its own boot and kernel boot."""
    heard = Heard()
    box = Box(again(), heard)
    await box.committer.open()
    box.put([entry(1, instance=B, boot=2), entry(2), entry(1)])
    await until(lambda: len(heard.stored) == 3)
    await box.committer.close()
    expected = [(A, 1, 1, "kernel-1", 4, 1000, b"x" * 20), (A, 1, 2, "kernel-1", 4, 2000, b"x" * 20)]
    assert seen(await reopened(again)) == [*expected, (B, 2, 1, "kernel-1", 4, 1000, b"x" * 20)]


async def test_deleted_records_do_not_come_back(again: Callable[[], Store]) -> None:
    """A receipted record is forgotten whether its commit came before or not."""
    heard = Heard()
    box = Box(again(), heard)
    await box.committer.open()
    box.put([entry(1)])
    await until(lambda: heard.stored)
    box.put([entry(2), entry(3)])
    box.delete([(A, 1), (A, 2)])
    await box.committer.close()
    assert [one.seq for one in (await reopened(again)).entries] == [3]


async def test_records_and_memory_share_a_transaction(again: Callable[[], Store]) -> None:
    """The value handed over with a record is there when the record is."""
    heard = Heard()
    box = Box(again(), heard)
    await box.committer.open()
    box.put([entry(1)], {"memory": b"{}"})
    await until(lambda: heard.stored)
    await box.committer.close()
    assert (await reopened(again)).values == {"memory": b"{}"}


async def test_closing_commits_what_is_pending(again: Callable[[], Store]) -> None:
    """An orderly end loses nothing."""
    box = Box(again(), Heard())
    await box.committer.open()
    box.put([entry(seq) for seq in range(1, 1_301)])
    assert await box.committer.close(limit_s=10.0)
    assert len((await reopened(again)).entries) == 1_300


async def test_gap_statements_come_back(again: Callable[[], Store]) -> None:
    """The last set of gaps replaces the earlier."""
    box = Box(again(), Heard())
    await box.committer.open()
    box.gaps([Lost(A, 1, 5, "full", 1, "kernel-1")])
    box.gaps([Lost(A, 1, 9, "full", 1, "kernel-1"), Lost(B, 4, 4, "coalesced", 2, "kernel-2")])
    await box.committer.close()
    gaps = [(gap.instance, gap.first, gap.last, gap.reason, gap.boot) for gap in (await reopened(again)).gaps]
    assert gaps == [(A, 1, 9, "full", 1), (B, 4, 4, "coalesced", 2)]


async def test_memory_disk_in_trouble_keeps_records_pending_until_it_is_well() -> None:
    """Nothing is lost by a disk that fails for a while; begin and end of the fault are told once each."""
    disk, heard = Disk(), Heard()
    box = Box(MemoryStore(disk), heard)
    await box.committer.open()
    disk.trouble = "io"
    box.put([entry(1, 4)])
    await until(lambda: heard.faults == ["io"])
    disk.trouble = None
    box.put([entry(2, 1)])  # an alarm does not wait for the back-off
    await until(lambda: heard.faults == ["io", None])
    await box.committer.close()
    assert (sorted(heard.stored), sorted(disk.records)) == ([(A, 1), (A, 2)], [(A, 1), (A, 2)])


async def test_disk_that_could_not_be_opened_is_loaded_later() -> None:
    """What waited on a disk that was away at start is delivered when it comes back."""
    disk, heard = Disk(records={(B, 7): entry(7, instance=B)}), Heard()
    disk.trouble = "io"
    box = Box(MemoryStore(disk), heard)
    first = await box.committer.open()
    disk.trouble = None
    box.put([entry(1, 1)])
    await until(lambda: heard.late)
    await box.committer.close()
    assert (first.entries, [one.seq for one in heard.late[0].entries], heard.faults) == ([], [7], ["io", None])


def test_a_press_that_is_not_on_the_disk_is_tried_every_second() -> None:
    """However long the disk has been ill; what can wait is tried ever less often, to spare it."""
    heard = Heard()
    box = Outbox(
        MemoryStore(Disk(trouble="io")), on_stored=heard.stored.extend, on_fault=_nothing, on_loaded=heard.late.append
    )
    box.put([entry(1, 4)])
    seldom = [_failed_again(box) for _ in range(7)]
    box.put([entry(2, 2)])
    assert (seldom, _failed_again(box)) == ([1.0, 2.0, 4.0, 8.0, 16.0, RETRY_S_MAX, RETRY_S_MAX], RETRY_S)


def test_something_urgent_of_before_does_not_end_the_standing_back() -> None:
    """Only what comes during it does: else every failure would be followed by a try at once."""
    box = Outbox(MemoryStore(Disk(trouble="io")), on_stored=_nothing, on_fault=_nothing, on_loaded=_nothing)
    box.put([entry(1, 1)])
    _failed_again(box)
    before = box.urgent
    box.put([entry(2, 1)])
    assert (before, box.urgent) == (False, True)


def test_the_important_go_into_the_first_transaction() -> None:
    """Of more than fit into one, a press that came last is committed before a fault that came first."""
    disk = Disk()
    box = Outbox(MemoryStore(disk), on_stored=_nothing, on_fault=_nothing, on_loaded=_nothing)
    box.open()
    box.put([entry(seq) for seq in range(1, GROUP_MAX + 1)])
    box.put([entry(1_000, 1)])
    box.commit(box.take())
    assert ((A, 1_000) in disk.records, len(disk.records), box.unstored()) == (True, GROUP_MAX, 1)


def _failed_again(box: Outbox) -> float:
    box.commit(box.take())
    return box.stand_back_s()


def _nothing(*words: object) -> None:
    """Nobody listens."""


async def test_a_disk_that_hangs_is_known_to_be_slow_while_it_hangs(tmp_path: Path) -> None:
    """Another program holds the file: the transaction under way is told with the time it has taken so far."""
    heard = Heard()
    box = Box(SqliteStore(tmp_path / "lane.db", "FULL", 8 * 1024 * 1024), heard)
    await box.committer.open()
    holder = sqlite3.connect(tmp_path / "lane.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    box.put([entry(1, 1)])
    await until(lambda: box.committer.slow_s() > 0.2)
    waiting = (heard.stored.copy(), heard.faults.copy())
    holder.close()
    await until(lambda: heard.stored)
    await box.committer.close()
    assert (waiting, heard.stored) == (([], []), [(A, 1)])


async def test_full_disk_tells_and_forgetting_makes_room(tmp_path: Path) -> None:
    """A really full database reports `full`; receipts still delete, and then the rest is stored."""
    heard = Heard()
    box = Box(SqliteStore(tmp_path / "lane.db", "FULL", 128 * 1024), heard)
    await box.committer.open()
    for seq in range(1, 41):
        box.put([entry(seq, size=3_000)])
        await until(lambda: heard.faults or len(heard.stored) == seq)  # noqa: B023
    await until(lambda: heard.faults == ["full"])
    before = len(heard.stored)
    box.delete(heard.stored.copy())
    box.put([entry(100, 1)])
    await until(lambda: (A, 100) in heard.stored and len(heard.stored) == 41)
    await until(lambda: heard.faults == ["full", None])
    await box.committer.close()
    assert before < 40


async def test_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    """A file ruined by a power cut is kept beside, and the lane begins anew."""
    path = tmp_path / "lane.db"
    path.write_bytes(b"ruined" * 1_000)
    heard = Heard()
    box = Box(SqliteStore(path, "FULL", 1024 * 1024), heard)
    loaded = await box.committer.open()
    box.put([entry(1)])
    await until(lambda: heard.stored)
    await box.committer.close()
    assert (loaded.set_aside, (tmp_path / "lane.db.corrupt").read_bytes()[:6]) == (True, b"ruined")


class Spoilt(SqliteStore):
    """A file that is ruined while it is used; what SQLite has in its cache it notices only in the next commit."""

    spoilt = False

    def spoil(self) -> None:
        assert self._db is not None
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # else closing would write it whole again
        self.path.write_bytes(b"ruined" * 10_000)
        self.spoilt = True

    def commit(self, change: Change) -> None:
        if self.spoilt:
            self.spoilt = False
            raise StoreError("corrupt", f"{self.path}: file is not a database")
        super().commit(change)


async def test_file_ruined_while_it_is_used_is_begun_anew_with_the_last_values(tmp_path: Path) -> None:
    """The card spoils the file under us: a new one takes the values again, and who holds records is told to."""
    path, heard = tmp_path / "lane.db", Heard()
    store = Spoilt(path, "FULL", 1024 * 1024)
    box = Box(store, heard)
    await box.committer.open()
    box.put([entry(1)], {"boot": b"7"})
    await until(lambda: heard.stored)
    store.spoil()
    box.put([entry(2, 1)])
    await until(lambda: heard.late and (A, 2) in heard.stored)
    await box.committer.close()
    found = SqliteStore(path, "FULL", 1024 * 1024).open()
    assert ([one.set_aside for one in heard.late], heard.faults[0]) == ([True], "corrupt")
    assert ([one.seq for one in found.entries], found.values) == ([2], {"boot": b"7"})


async def test_ruined_file_that_cannot_be_put_aside_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    """The card has gone read-only and its file is ruined: the gateway starts all the same, and tells."""
    path, heard = tmp_path / "lane.db", Heard()
    path.write_bytes(b"ruined" * 1_000)
    (tmp_path / "lane.db.corrupt").mkdir()  # stands in its way, as a read-only file system would, for root too
    box = Box(SqliteStore(path, "FULL", 1024 * 1024), heard)
    loaded = await box.committer.open()
    box.put([entry(1, 1)])
    assert (await box.committer.close(), loaded.entries, heard.faults, heard.stored) == (False, [], ["io"], [])


async def test_unknown_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A newer program's file is not touched; the lane goes on in memory."""
    import sqlite3

    path = tmp_path / "lane.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=7")
    db.close()
    with pytest.raises(StoreError, match="schema version 7; known here: 1") as refused:
        SqliteStore(path, "FULL", 1024 * 1024).open()
    assert refused.value.trouble == "schema"


async def test_folder_that_cannot_be_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    """An outbox below a file opens nothing, says io, and still takes records."""
    (tmp_path / "file").write_text("")
    heard = Heard()
    box = Box(SqliteStore(tmp_path / "file" / "lane.db", "FULL", 1024 * 1024), heard)
    loaded = await box.committer.open()
    box.put([entry(1, 1)])
    await box.committer.close()
    assert (loaded.entries, heard.faults, heard.stored) == ([], ["io"], [])
