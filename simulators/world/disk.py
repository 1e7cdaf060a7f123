"""A gateway's card and the outbox on it: what a crash loses, and every way in which a card fails."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.outbox import Outbox, Pending
from edge.store import Change, Disk, MemoryStore, Trouble
from protocol.records import Lane
from simulators.world.loop import VirtualLoop

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


class SimCommitter:
    """The world in place of the outbox's thread: a batch is taken, time passes, it is committed."""

    def __init__(self, outbox: Outbox, loop: VirtualLoop, card: Card, rng: random.Random) -> None:
        self._outbox, self._loop, self._card, self._rng = outbox, loop, card, rng
        self._alive = True
        self._busy = False
        self._paused = False
        self._batch: Pending | None = None
        self._began_ns: int | None = None
        self._took_ns = 0
        outbox.driven(on_news=self._kick, later=self._later)

    def die(self) -> None:
        """The process is killed; what was being committed is on the card, or not."""
        self._alive = False
        self._outbox.driven(on_news=lambda: None, later=lambda what, *words: None)
        if self._batch is not None and self._rng.random() < 0.5:
            self._outbox.commit(self._batch)

    def slow_s(self) -> float:
        """How long the card has been at the transaction under way, or was at the last one; seconds."""
        return (self._took_ns if self._began_ns is None else self._loop.now_ns - self._began_ns) / 1e9

    def _later(self, what: Callable[..., None], *words: object) -> None:
        self._loop.at(self._loop.now_ns, what, *words)

    def _kick(self) -> None:
        if not self._alive or self._busy or (self._paused and not self._outbox.urgent):
            return
        self._busy, self._paused = True, False
        self._loop.at(self._loop.now_ns, self._begin)

    def _begin(self) -> None:
        if not self._alive:
            return
        if not self._outbox.waiting:
            self._busy = False
            return
        self._batch = self._outbox.take()
        self._began_ns = self._loop.now_ns
        self._loop.after(self._rng.uniform(*(SLOW_MS if self._card.slow else COMMIT_MS)), self._finish)

    def _finish(self) -> None:
        if not self._alive or self._batch is None or self._began_ns is None:
            return
        self._took_ns, self._began_ns = self._loop.now_ns - self._began_ns, None
        self._outbox.commit(self._batch)
        self._batch = None
        self._busy = False
        if pause_s := self._outbox.stand_back_s():
            self._paused = True
            self._loop.after(1000 * pause_s, self._resume)
        elif self._outbox.waiting:
            self._kick()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._kick()
