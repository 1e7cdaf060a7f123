"""A lane of this gateway: its delivery and its outbox, and its records as messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog

from edge.core.delivery import Delivery
from edge.core.entries import Batch, Entry, Key, Offered
from edge.outbox import Outbox
from edge.store import Loaded, Store, StoreError
from protocol.kinds import Priority
from protocol.messages import VERSION, Receipt
from protocol.records import Event, Gap, Lane, Reading

NS = 1_000_000
RECORD_BYTES_MAX = 32 * 1024
"""A record above this loses its detail; none of ours comes near."""

log = structlog.get_logger("lianfang.lane")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this gateway process is. `boot` orders instances, `config` is the digest of what it runs."""

    area: str
    gateway: str
    instance: str
    boot: int
    kboot: str
    software: str
    config: str
    heartbeat_ms: int
    profile_ms: int


class _Item(msgspec.Struct, frozen=True, array_like=True):
    age_ms: int | None
    record: msgspec.Raw


class _Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """Alarms and Telemetry alike, with the stored bytes put in as they are."""

    v: int
    instance: str
    boot: int
    kboot: str
    items: list[_Item]
    gaps: list[Gap] = []


class LaneBox:
    """One lane. `on_stored` hears the sequences of this process's own instance, `on_receipted` those of any, with its
    name.

    `on_fault` hears trouble of the disk and of the lane's bounds: a name, whether it began, and details. `on_news`
    is for whoever sends: there may be something to send.
    """

    def __init__(
        self,
        lane: Lane,
        delivery: Delivery,
        store: Store,
        *,
        on_stored: Callable[[tuple[int, ...]], None],
        on_receipted: Callable[[str, tuple[int, ...]], None],
        on_fault: Callable[[str, bool, dict[str, str | int | float | bool]], None],
    ) -> None:
        self.lane = lane
        self.delivery = delivery
        self.on_news: Callable[[], None] = lambda: None
        self.me: Identity | None = None
        self._on_stored = on_stored
        self._on_receipted = on_receipted
        self._on_fault = on_fault
        self._full = False
        self.outbox = Outbox(store, on_stored=self._stored, on_fault=self._disk_fault, on_loaded=self.take_up)

    def take_up(self, loaded: Loaded) -> None:
        """What the last process left waits here again; what a file that is no more had is stored anew."""
        for lost in loaded.gaps:
            self.delivery.gaps.add(lost.instance, lost.first, lost.reason, lost.boot, lost.kboot, lost.last)
        for entry in loaded.entries:
            if entry.key not in self.delivery.held:  # a card may come back with what was never forgotten here
                self._offer(entry)
        self.delivery.gaps.changed = loaded.set_aside
        if loaded.set_aside:
            self.outbox.put([entry for entry in self.delivery if not self.delivery.held.is_extra(entry)])
            log.error("the outbox was no database any more; it is put aside and a new one begun", lane=self.lane)
            self._on_fault("records_lost", True, {"lane": str(self.lane), "reason": "the outbox had to be begun anew"})
        self._tend()

    def emit(self, events: Sequence[Event], values: dict[str, bytes] | None = None) -> None:
        """New alarm records, stored in one transaction with `values`, and sendable once stored or soon after."""
        entries = [entry for event in events if (entry := self._alarm(event)) is not None]
        if entries or values:
            self.outbox.put(entries, values)
        self._tend()

    def report(self, reading: Reading) -> None:
        """A new telemetry record."""
        assert self.me is not None
        made = (self.me.instance, self.me.boot, self.me.kboot, reading.seq, int(Priority.P4), reading.at.mono_ns)
        entry = Entry(*made, msgspec.json.encode(reading))
        if self._offer(entry).stored:
            self.outbox.put([entry])
        self._tend()

    def receipt(self, receipt: Receipt) -> None:
        """The hub has records on disk: they are forgotten here."""
        left = self.delivery.receipt(receipt.committed, receipt.credit)
        self.outbox.delete([entry.key for entry in left])
        self.outbox.put(self.delivery.held.taken_in())
        for instance in dict.fromkeys(entry.instance for entry in left):
            self._on_receipted(instance, tuple(entry.seq for entry in left if entry.instance == instance))
        if left and self._full:
            self._say_full(False)
        self._tend()

    def message(self, batch: Batch, now_ns: int) -> bytes:
        """A batch as its message's bytes, each record with its age at `now_ns`."""
        assert self.me is not None
        known = batch.kboot == self.me.kboot
        items = [
            _Item(max(0, now_ns - entry.mono_ns) // NS if known else None, msgspec.Raw(entry.data))
            for entry in batch.entries
        ]
        gaps = [Gap(lost.first, lost.last, lost.reason) for lost in batch.gaps]
        return msgspec.json.encode(_Message(VERSION, batch.instance, batch.boot, batch.kboot, items, gaps))

    def _alarm(self, event: Event) -> Entry | None:
        assert self.me is not None
        same = _same(event)
        twin = self.delivery.held.twin(same) if self.delivery.held.pressed else None
        if twin is not None and twin.instance == self.me.instance:
            older = msgspec.json.decode(twin.data, type=Event)
            event = msgspec.structs.replace(event, count=event.count + older.count, first=older.first or older.at)
            self.delivery.give_up(twin, "coalesced with a later one of its kind")
            self.outbox.delete([twin.key])
        data = msgspec.json.encode(event)
        if len(data) > RECORD_BYTES_MAX:
            log.error("record too large, sent without its detail", kind=event.kind, seq=event.seq, bytes=len(data))
            data = msgspec.json.encode(msgspec.structs.replace(event, detail={"cut": True}))
        made = (self.me.instance, self.me.boot, self.me.kboot, event.seq, int(event.priority), event.at.mono_ns)
        entry = Entry(*made, data, same)
        return entry if self._offer(entry, unstored=True).stored else None

    def _offer(self, entry: Entry, *, unstored: bool = False) -> Offered:
        outcome = self.delivery.offer(entry, unstored=unstored)
        self.outbox.delete([victim.key for victim in outcome.dropped])
        if self.lane is Lane.ALARM and (outcome.full or outcome.dropped) and not self._full:
            self._say_full(True)
        return outcome

    def _say_full(self, active: bool) -> None:
        self._full = active
        self._on_fault("alarm_lane_full", active, {"queued": len(self.delivery)})

    def _tend(self) -> None:
        if self.delivery.gaps.changed:
            self.delivery.gaps.changed = False
            self.outbox.gaps(self.delivery.gaps)
        self.on_news()

    def _stored(self, keys: list[Key]) -> None:
        self.delivery.stored(keys)
        self.on_news()
        own = tuple(seq for instance, seq in keys if self.me is not None and instance == self.me.instance)
        if own:
            self._on_stored(own)

    def _disk_fault(self, fault: StoreError | None) -> None:
        name = f"disk_{self.lane}"
        if fault is None:
            log.info("disk is well again", lane=self.lane)
            self._on_fault(name, False, {})
        else:
            log.error("disk trouble; records go on from memory", lane=self.lane, trouble=fault.trouble, why=str(fault))
            self._on_fault(name, True, {"trouble": fault.trouble})


def _same(event: Event) -> str | None:
    """What a repeated P3 or P4 repeats: kind, qualifier, place and detail."""
    if event.priority <= Priority.P2:
        return None
    place = (event.kind, event.qualifier, event.premises, event.zone, event.group)
    return json.dumps([*place, event.drill, sorted(event.detail.items())])
