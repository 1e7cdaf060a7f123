"""The telemetry store's one task and thread: what waits is written, and asked for once it is on disk.

It shares nothing with the alarm lane but the processor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from hub.closer import Closer
from hub.intake import BATCH_MAX, Intake, Write
from hub.metrics import Metrics
from hub.receipting import Receipting
from hub.store.port import StoreError, TelemetryStore
from hub.store.refused import RefusedLine

T = TypeVar("T")
PRUNE_S = 30.0
DOWNSAMPLE_S = 10.0


class Recorder:
    """Writes what the intake holds, after it waited `linger_ms` for more. Every call of the store is made in its
    thread."""

    def __init__(self, intake: Intake, store: TelemetryStore, metrics: Metrics, linger_ms: int = 0) -> None:
        self.intake = intake
        self.writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telemetry")
        self._store = store
        self._metrics = metrics
        self._linger_ms = linger_ms
        self._refused_why = ""
        self._log = structlog.get_logger("hub.recorder")
        store.refused.told = self._refused

    @property
    def trouble(self) -> str | None:
        """Why nothing is taken, or None."""
        return self.intake.trouble

    async def call(self, read: Callable[..., T], *arguments: object) -> T:
        """Have the store answer, in its thread. Raises StoreError."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, read, *arguments)

    async def run(self) -> None:
        """Write what waits, for ever; a batch that fails is kept and tried again."""
        wake = asyncio.Event()
        self.intake.on_news = wake.set
        while True:
            wake.clear()
            if not self.intake.weight:
                await wake.wait()
            if self._linger_ms and self.intake.weight < BATCH_MAX:
                await asyncio.sleep(self._linger_ms / 1000)
            write = self.intake.take()
            if write is None:
                continue
            while not await self._written(write):
                pass

    async def _written(self, write: Write) -> bool:
        """Whether it is on the disk; else it was waited before the next try."""
        if (wait_ms := self.intake.held_ms(write)) is not None:
            await asyncio.sleep(wait_ms / 1000)
            return False
        clock = asyncio.get_running_loop().time
        began_s = clock()
        try:
            fresh = await self.call(self._store.write, *write.batch)
        except StoreError as cause:
            await asyncio.sleep(self.intake.failed(write, str(cause)) / 1000)
            return False
        self._metrics.store_seconds.observe(clock() - began_s)
        self.intake.written(write, fresh)
        return True

    def _refused(self, line: RefusedLine) -> None:
        """The store will never have this; told from its thread."""
        self._metrics.lines_refused.inc()
        if line.why != self._refused_why:  # of a flood of one reason the first is enough; the API has the last ones
            self._refused_why = line.why
            self._log.warning("telemetry is refused by its store and given up", why=line.why, line=line.line)

    async def receipt(self, receipting: Receipting) -> None:
        """Ask what is settled of each gateway that is due a receipt, for ever. A store in trouble means hold."""
        wake = asyncio.Event()
        receipting.on_telemetry_due = wake.set
        while True:
            wake.clear()
            due = receipting.telemetry_due()
            if due is None:
                await wake.wait()
                continue
            try:
                marks = await self.call(self._store.marks, *due)
            except StoreError:
                marks = None
            receipting.settled(*due, marks)

    async def close_holes(self, closer: Closer) -> None:
        """Have closed what may be closed, for ever."""
        wake = asyncio.Event()
        closer.on_news = wake.set
        while True:
            wake.clear()
            due = closer.due()
            if due is None:
                await wake.wait()
                continue
            closer.alarms(*due)
            with contextlib.suppress(StoreError):  # the intake tells the trouble; a later session closes
                books = await self.call(self._store.books, *due[:2]) if self._store.tally.open else []
                closer.readings(*due, books)

    async def downsample(self, now_ms: Callable[[], int]) -> None:
        """Keep coarser copies up to date, for ever; what fails is tried again."""
        told = ""
        while True:
            try:
                done = await self.call(self._store.downsample, now_ms())
                told = ""
            except StoreError as cause:
                done = 0
                if str(cause) != told:
                    told = str(cause)
                    self._log.warning("telemetry is not aggregated; lianfang telemetry init?", why=told)
            await asyncio.sleep(0.1 if done else DOWNSAMPLE_S)

    async def prune(self, now_ms: Callable[[], int], bytes_max: int) -> None:
        """Keep the store within its bounds, for ever."""
        while True:
            try:
                gone = await self.call(self._store.prune, now_ms(), bytes_max)
                self._metrics.pruned.inc(gone)
            except StoreError as cause:
                gone = 0
                self._log.warning("telemetry is not pruned", why=str(cause))
            await asyncio.sleep(0.2 if gone else PRUNE_S)
