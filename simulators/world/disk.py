"""A gateway's card and the outbox on it: what a crash loses, and every way in which a card fails."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.core.delivery import Delivery
from edge.lane import LaneBox
from edge.outbox import Outbox, _Pending
from edge.store import Change, Disk, Loaded, MemoryStore, StoreError, Trouble
from protocol.records import Lane
from simulators.world.loop import Bell, VirtualLoop

COMMIT_MS = (2.0, 30.0)
SLOW_MS = (800.0, 6_000.0)
LAZY_SYNC_MS = 5_000
"""How much telemetry a power cut may lose: that lane's file is not synced at each commit."""


def copied(disk: Disk) -> Disk:
    """The same content on another card."""
    return Disk(dict(disk.records), list(disk.gaps), dict(disk.values))


@dataclass
class Card:
    """Both lanes' files. `slow` makes every commit take seconds."""

    lanes: dict[Lane, Disk] = field(default_factory=lambda: {lane: Disk() for lane in Lane})
    image: dict[Lane, Disk] | None = None
    slow: bool = False
    synced: Disk = field(default_factory=Disk)
    synced_ms: int = 0

    def trouble(self, trouble: Trouble | None) -> None:
        """Every commit fails from now on, or none."""
        for disk in self.lanes.values():
            disk.trouble = trouble

    def lanes_ail(self) -> bool:
        """Whether any commit fails just now."""
        return any(disk.trouble is not None for disk in self.lanes.values())

    def power_cut(self) -> None:
        """What was not synced is gone."""
        trouble = self.lanes[Lane.TELEMETRY].trouble
        self.lanes[Lane.TELEMETRY] = copied(self.synced)
        self.lanes[Lane.TELEMETRY].trouble = trouble

    def take_image(self) -> None:
        """Somebody copies the card."""
        self.image = {lane: copied(disk) for lane, disk in self.lanes.items()}

    def roll_back(self) -> None:
        """The copy is put in."""
        if self.image is not None:
            self.lanes = {lane: copied(disk) for lane, disk in self.image.items()}
            self.synced = copied(self.lanes[Lane.TELEMETRY])


class CardStore(MemoryStore):
    """One lane's file on the card."""

    def __init__(self, card: Card, lane: Lane, now_ms: Callable[[], int]) -> None:
        super().__init__(card.lanes[lane])
        self._card, self._lane, self._now_ms = card, lane, now_ms

    def commit(self, change: Change) -> None:
        """Commit; the telemetry file reaches the card's cells now and then only."""
        super().commit(change)
        now_ms = self._now_ms()
        if self._lane is Lane.TELEMETRY and now_ms - self._card.synced_ms >= LAZY_SYNC_MS:
            self._card.synced, self._card.synced_ms = copied(self.disk), now_ms


class SimOutbox(Outbox):
    """The real outbox with the world in place of its thread: a batch is taken, time passes, it is committed."""

    def attend(self, loop: VirtualLoop, card: Card, rng: random.Random) -> None:
        """Take the thread's place."""
        self.alive = True
        self._virtual, self._card, self._rng = loop, card, rng
        self._failures = 0
        self._busy = False
        self._paused = False
        self._wake = Bell(self._kick)  # type: ignore[assignment]
        self._batch: _Pending | None = None

    def load(self) -> Loaded:
        """What the last process left; a card in trouble loads nothing, for now."""
        try:
            return self._open()
        except StoreError as cause:
            self._fault = cause
            self._failures = 1
            self._on_fault(cause)
            return Loaded()

    def die(self) -> None:
        """The process is killed; what was being committed is on the card, or not."""
        self.alive = False
        if self._batch is not None and self._rng.random() < 0.5:
            self._on_stored = lambda keys: None
            self._on_fault = lambda fault: None
            self._on_loaded = lambda loaded: None
            self._commit(self._batch)

    def waiting(self) -> int:
        """What is not on the card yet."""
        return len(self._pending.puts) + len(self._committing)

    def _kick(self) -> None:
        if not self.alive or self._busy or (self._paused and not self._urgent):
            return
        self._busy, self._paused = True, False
        self._virtual.at(self._virtual.now_ns, self._begin)

    def _begin(self) -> None:
        if not self.alive:
            return
        if not self._pending:
            self._busy = False
            return
        batch = self._next_batch(1.0 if self._failures else 0.0)
        assert batch is not None, "only a closing outbox ends"
        self._batch = batch
        self._virtual.after(self._rng.uniform(*(SLOW_MS if self._card.slow else COMMIT_MS)), self._finish)

    def _finish(self) -> None:
        if not self.alive or self._batch is None:
            return
        fault = self._commit(self._batch)
        self._batch = None
        self._failures = self._failures + 1 if fault is not None else 0
        if (fault is None) != (self._fault is None):
            self._tell(self._on_fault, fault)
        self._fault = fault
        self._busy = False
        if fault is None:
            if self._pending:
                self._kick()
            return
        self._paused = True
        self._virtual.after(1000 * self._pause_s(self._failures), self._resume)

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._kick()


class SimLane(LaneBox):
    """The real lane on that outbox."""

    outbox: SimOutbox

    def __init__(
        self,
        lane: Lane,
        delivery: Delivery,
        store: MemoryStore,
        card: Card,
        loop: VirtualLoop,
        rng: random.Random,
        hears: tuple[Callable[[tuple[int, ...]], None], Callable[[str, tuple[int, ...]], None]],
        on_fault: Callable[[str, bool, dict[str, str | int | float | bool]], None],
    ) -> None:
        stored, receipted = hears
        super().__init__(lane, delivery, store, on_stored=stored, on_receipted=receipted, on_fault=on_fault)
        self.outbox = SimOutbox(lane, store, on_stored=self._stored, on_fault=self._disk_fault, on_loaded=self._load)
        self.outbox.attend(loop, card, rng)

    def take_up(self) -> Loaded:
        """What the last process left is in the lane again."""
        loaded = self.outbox.load()
        self._load(loaded)
        return loaded
