"""A lane of the gateway: repeats coalesce under pressure, messages carry the very bytes that were stored."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import pytest

from edge.beginning import receipted
from edge.committer import Committer
from edge.core.delivery import Delivery
from edge.core.entries import Key, Limits
from edge.core.io import Memory, Receipted
from edge.core.site import ZoneKind
from edge.lane import Identity, LaneBox
from edge.outbox import Outbox
from edge.store import Disk, Loaded, MemoryStore, SqliteStore, StoreError
from protocol.codec import decode
from protocol.kinds import Kind, Priority, Qualifier
from protocol.messages import Alarms, Receipt, Telemetry
from protocol.records import ClockQuality, Event, Lane, Reading, Stamp
from tests.support.house import House, village, zone
from tests.support.wait import until

ME = Identity("a1", "gw-1", "1" * 32, 1, "0" * 32, "test", "c" * 64, 6_000, 20_000)
SMALL = Limits(records_max=16, bytes_max=100_000, reserved=0.25, extra_max=1)
MS = 1_000_000


def event(seq: int, zone: str = "z1", priority: Priority = Priority.P4) -> Event:
    at = Stamp(seq * MS, 1_700_000_000_000 + seq, ClockQuality.SYNCED)
    return Event(seq, Kind.ZONE_FAULT, Qualifier.NEW, priority, at, f"k{seq}", zone=zone)


def box(lane: Lane = Lane.ALARM, limits: Limits = SMALL, told: list[tuple[str, bool]] | None = None) -> LaneBox:
    def fault(name: str, active: bool, detail: dict[str, str | int | float | bool]) -> None:
        if told is not None:
            told.append((name, active))

    made = LaneBox(lane, Delivery(limits), MemoryStore(), on_stored=_no, on_receipted=_no, on_fault=fault)
    made.me = ME
    return made


def _no(*words: object) -> None:
    """Nobody listens."""


def _keys(keys: list[Key]) -> None:
    """Nobody listens."""


def _fault(fault: StoreError | None) -> None:
    """Nobody listens."""


def _loaded(loaded: Loaded) -> None:
    """Nobody listens."""


def sent(one: LaneBox, now_ns: int) -> Alarms:
    batch = one.delivery.take(now_ns, 100_000)
    assert batch is not None
    return decode(one.message(batch, now_ns), Alarms)


async def test_outbox_begun_anew_takes_again_what_still_waits() -> None:
    """What was stored in the ruined file and awaits its receipt is stored once more, and the loss is told."""
    told: list[tuple[str, bool]] = []
    lane = box(told=told)
    disk = Disk()
    lane.emit([event(1), event(2)])
    lane.outbox = Outbox(MemoryStore(disk), on_stored=_keys, on_fault=_fault, on_loaded=_loaded)
    lane.take_up(Loaded(set_aside=True))
    committer = Committer("alarm", lane.outbox)
    await committer.open()
    await committer.close()
    assert (sorted(seq for _, seq in disk.records), told) == ([1, 2], [("records_lost", True)])


async def test_message_carries_the_stored_bytes_with_their_age() -> None:
    """What the hub reads is the event as made, 200 ms old."""
    lane = box()
    lane.emit([event(3)])
    item = sent(lane, 203 * MS).items[0]
    assert (item.age_ms, msgspec.json.decode(bytes(item.event), type=Event)) == (200, event(3))


async def test_telemetry_reads_back_as_it_was_made() -> None:
    """The hand-made message is what the protocol's own type decodes."""
    lane = box(Lane.TELEMETRY)
    reading = Reading(1, "health/load_1min", 0.5, Stamp(1 * MS, 5, ClockQuality.UNSET))
    lane.report(reading)
    batch = lane.delivery.take(3 * MS, 1_000)
    assert batch is not None
    message = decode(lane.message(batch, 3 * MS), Telemetry)
    assert [(item.age_ms, item.reading) for item in message.items] == [(2, reading)]


async def test_without_pressure_every_repeat_is_its_own_record() -> None:
    """A short outage keeps each transition."""
    lane = box()
    lane.emit([event(seq) for seq in (1, 2, 3)])
    assert [entry.seq for entry in lane.delivery] == [1, 2, 3]


async def test_under_pressure_repeats_of_a_zone_coalesce_with_count_and_first() -> None:
    """The later record takes over count and first, and the earlier's sequence is a declared gap."""
    lane = box()
    lane.emit([event(seq, f"z{seq}") for seq in range(1, 9)])
    lane.emit([event(9, "z8"), event(10, "z8")])
    last = next(entry for entry in lane.delivery if entry.seq == 10)
    made = msgspec.json.decode(last.data, type=Event)
    gaps = [(gap.first, gap.last) for gap in lane.delivery.gaps]
    assert (made.count, made.first, made.at.mono_ns, gaps) == (3, event(8).at, 10 * MS, [(8, 9)])


async def test_presses_never_coalesce() -> None:
    """Each P1 is a record, however full the lane."""
    lane = box()
    lane.emit([event(seq, f"z{seq}") for seq in range(1, 9)])
    lane.emit([event(9, "z1", Priority.P1), event(10, "z1", Priority.P1)])
    assert {9, 10} <= {entry.seq for entry in lane.delivery}


@pytest.mark.parametrize("swapped", [False, True])
async def test_what_waits_is_stored_again_when_its_file_was_taken_away(tmp_path: Path, swapped: bool) -> None:
    """Somebody empties the data folder, or puts an older copy in, under a running gateway: the loss is told and what
    awaits its receipt is in the file that is there now."""
    told: list[tuple[str, bool]] = []
    lane, path = box(told=told), tmp_path / "alarm.db"
    store = SqliteStore(path, "FULL", 8_000_000)
    lane.outbox = Outbox(store, on_stored=_keys, on_fault=_fault, on_loaded=lane.take_up)
    committer = Committer("alarm", lane.outbox)
    lane.take_up(await committer.open())
    lane.emit([event(1, priority=Priority.P1)])
    await until(lambda: _stored_in(path) == [1])
    _take_away(path, swapped)
    lane.emit([event(2, priority=Priority.P1)])
    await until(lambda: path.exists() and _stored_in(path) == [1, 2])
    await committer.close()
    assert ("records_lost", True) in told


def _take_away(path: Path, swapped: bool) -> None:
    for file in path.parent.glob("alarm.db*"):
        file.unlink()
    if swapped:
        store = SqliteStore(path, "FULL", 8_000_000)
        store.open()
        store.close()


def _stored_in(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            return [seq for (seq,) in db.execute("SELECT seq FROM record ORDER BY seq")]
        except sqlite3.OperationalError:
            return []


async def test_panics_beyond_the_bounds_are_stored_once_there_is_room() -> None:
    """The newest press lived in memory alone; as the hub's receipts make room it goes into the outbox."""
    disk = Disk()
    lane = box(limits=Limits(records_max=2, bytes_max=100_000, extra_max=2))
    lane.outbox = Outbox(MemoryStore(disk), on_stored=_keys, on_fault=_fault, on_loaded=_loaded)
    committer = Committer("alarm", lane.outbox)
    await committer.open()
    lane.emit([event(seq, priority=Priority.P1) for seq in (1, 2, 3, 4)])
    await until(lambda: sorted(disk.records) == [(ME.instance, 1), (ME.instance, 2)])
    lane.receipt(Receipt(1, "h", Lane.ALARM, {ME.instance: [(1, 1)]}, 64, 1))
    await until(lambda: sorted(disk.records) == [(ME.instance, 2), (ME.instance, 3)])
    await committer.close()


async def test_a_receipt_heard_and_not_remembered_is_seen_in_the_outbox() -> None:
    """Killed between forgetting a press and remembering that the hub has it: the press is gone, so the hub has it."""
    lane = box()
    lane.emit([event(2, priority=Priority.P1)])
    memory = Memory(awaited={"h01-panic": ("e" * 32, 1), "h02-panic": (ME.instance, 2)})
    site = village(zone("h01-panic", ZoneKind.PANIC), zone("h02-panic", ZoneKind.PANIC))
    house = House(site, memory)
    assert receipted(house.gateway, lane) == [Receipted((1,), "e" * 32)]


async def test_full_alarm_lane_is_told_and_untold() -> None:
    """The premises hears that records had to go, and that there is room again."""
    told: list[tuple[str, bool]] = []
    lane = box(told=told)
    lane.emit([event(seq, f"z{seq}") for seq in range(1, 30)])
    everything = [(1, 29)]
    lane.receipt(Receipt(1, "h1", Lane.ALARM, {ME.instance: everything}, 10, 0))
    assert told == [("alarm_lane_full", True), ("alarm_lane_full", False)]
