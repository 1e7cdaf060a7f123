"""The hub's two disks in the world's time: batches of the real rounds and the real intake, and how long they take."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING

from hub.closer import Closer
from hub.intake import Intake, Write
from hub.past import JournalError
from hub.receipting import Receipting
from hub.rounds import Batch, Rounds
from hub.store.port import StoreError
from simulators.world.book import Book
from simulators.world.loop import NS_PER_MS
from simulators.world.readings import Readings

if TYPE_CHECKING:
    from simulators.world.hub import SimHub


class JournalTurns:
    """One batch after the other is stepped, takes the disk's time, and is on the disk or not."""

    def __init__(self, hub: SimHub, rounds: Rounds, book: Book) -> None:
        self._hub, self._rounds, self._book, self._loop = hub, rounds, book, hub.loop
        self._running: Batch | None = None
        self._waits = False
        self._asked_ns: int | None = None
        rounds.inbox.on_news = self.kick

    def kick(self) -> None:
        """There may be something to take."""
        self._ask(self._loop.now_ns)

    def die(self, rng: random.Random) -> None:
        """Killed: what was being committed is on the disk, or not; in neither case is anything performed."""
        if self._running is not None and self._running.drafts and rng.random() < 0.5 and not self._book.down:
            self._book.append(self._running.drafts)

    def _ask(self, at_ns: int) -> None:
        if self._running is None and not self._waits and (self._asked_ns is None or at_ns < self._asked_ns):
            self._asked_ns = at_ns
            self._loop.at(at_ns, self._turn, at_ns)

    def _turn(self, asked_ns: int) -> None:
        if not self._hub.alive or self._running is not None or self._waits or asked_ns != self._asked_ns:
            return
        self._asked_ns = None
        batch = self._rounds.begin()
        if batch is not None:
            self._running = batch
            self._hub.about_to_commit(batch)
            self._loop.after(self._hub.commit_ms() if batch.drafts else 0.0, self._finish)
        elif (wait_ms := self._rounds.until_due_ms()) is not None:
            self._ask(self._loop.now_ns + int(max(wait_ms, 1.0) * NS_PER_MS))

    def _finish(self) -> None:
        if not self._hub.alive or self._running is None:
            return
        batch, self._running = self._running, None
        try:
            if batch.drafts:
                self._book.append(batch.drafts)
            elif self._rounds.down is not None:
                self._book.probe()
        except JournalError as cause:
            self._waits = True
            self._loop.after(self._rounds.failed(batch, str(cause)), self._again)
            return
        self._rounds.committed(batch)
        self.kick()

    def _again(self) -> None:
        self._waits = False
        self.kick()


class StoreTurns:
    """One write of telemetry after the other; receipts are asked for at once."""

    def __init__(self, hub: SimHub, intake: Intake, receipting: Receipting, closer: Closer, readings: Readings) -> None:
        self._hub, self._intake, self._receipting, self._closer, self._readings = (
            hub,
            intake,
            receipting,
            closer,
            readings,
        )
        self._busy = False
        intake.on_news = self._turn
        receipting.on_telemetry_due = self._receipt
        closer.on_news = self._close

    def _turn(self) -> None:
        if not self._busy and self._hub.alive and (write := self._intake.take()) is not None:
            self._busy = True
            self._hub.loop.after(self._hub.commit_ms(), self._write, write)

    def _write(self, write: Write) -> None:
        if not self._hub.alive:
            return
        if (wait_ms := self._intake.held_ms(write)) is not None:
            self._hub.loop.after(wait_ms, self._write, write)
            return
        try:
            fresh = self._readings.write(*write.batch)
        except StoreError as cause:
            self._hub.loop.after(self._intake.failed(write, str(cause)), self._write, write)
            return
        self._busy = False
        self._intake.written(write, fresh)
        self._turn()

    def _receipt(self) -> None:
        while (due := self._receipting.telemetry_due()) is not None:
            try:
                marks = self._readings.marks(*due)
            except StoreError:
                marks = None
            self._receipting.settled(*due, marks)

    def _close(self) -> None:
        while (due := self._closer.due()) is not None:
            self._closer.alarms(*due)
            with contextlib.suppress(StoreError):
                self._closer.readings(*due, self._readings.books(*due[:2]))
