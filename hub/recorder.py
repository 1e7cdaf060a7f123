"""The telemetry lane in the hub: a bounded inbox, large batches, a thread of its own, and receipts after the commit.

It shares nothing with the alarm lane but the processor.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from hub.core.clocks import NOTHING, Evidence
from hub.core.timing import How, placed
from hub.metrics import Metrics
from hub.store.port import Loss, Placed, Sample, Source, StoreError, TelemetryStore
from protocol.messages import TelemetryItem
from protocol.ranges import Ranges
from protocol.records import ClockQuality

T = TypeVar("T")
READINGS_MAX = 20_000
"""Readings that may wait; beyond them the newest message is set aside, and its gateway sends it again."""
BATCH_MAX = 5_000
BACKOFF_S_FIRST = 0.1
BACKOFF_S_MAX = 10.0
PRUNE_S = 30.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one telemetry message brings: readings to keep, sequences that were refused, and those that are lost."""

    source: Source
    boot: int
    samples: list[Sample]
    settled: Ranges = field(default_factory=Ranges)
    losses: list[Loss] = field(default_factory=list)

    def weight(self) -> int:
        """What it costs of the inbox."""
        return 1 + len(self.samples) + len(self.losses)


class Recorder:
    """The one task that writes telemetry. `receipt` is called for a gateway when its readings are on disk."""

    def __init__(self, store: TelemetryStore, metrics: Metrics) -> None:
        self.receipt: Callable[[str, str, list[str]], None] = lambda area, gateway, instances: None
        self.trouble_told: Callable[[str | None], None] = lambda why: None
        self.down: str | None = None
        self.short: str | None = None
        self.writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telemetry")
        self._store = store
        self._metrics = metrics
        self._waiting: deque[Delivery] = deque()
        self._weight = 0
        self._wake = asyncio.Event()
        self._marks: dict[tuple[str, str], dict[str, Ranges]] = {}
        self._log = structlog.get_logger("hub.recorder")

    def put(self, delivery: Delivery) -> bool:
        """Queue a delivery; False (and counted) when there is no room."""
        if self._weight + delivery.weight() > READINGS_MAX:
            self._metrics.discarded.labels("telemetry").inc()
            return False
        self._waiting.append(delivery)
        self._weight += delivery.weight()
        self._wake.set()
        return True

    def room(self) -> int:
        """How many readings there is room for."""
        return max(0, READINGS_MAX - self._weight)

    @property
    def trouble(self) -> str | None:
        """Why nothing is taken: the store's own words, or that the disk is nearly full."""
        return self.down or self.short

    def make_room(self, short: str | None) -> None:
        """The disk is nearly full (in words), or no more: meanwhile nothing is written."""
        self.short = short
        self.trouble_told(self.trouble)

    async def call(self, read: Callable[..., T], *arguments: object) -> T:
        """Have the store answer, in its thread. Raises StoreError."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, read, *arguments)

    async def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """What is settled on disk for a gateway. Raises StoreError."""
        return await self.call(self._store.marks, area, gateway)

    async def run(self) -> None:
        """Write what waits, for ever; a batch that fails is kept and tried again."""
        backoff_s = BACKOFF_S_FIRST
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            batch = self._take()
            while not await self._write(batch):
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)
            backoff_s = BACKOFF_S_FIRST
            self._weight -= sum(delivery.weight() for delivery in batch)
            self._metrics.inbox_depth.labels("telemetry").set(self._weight)
            self._tell(batch)

    async def prune(self, now_ms: Callable[[], int], keep_ms: int, bytes_max: int) -> None:
        """Keep the store within its bounds, for ever."""
        while True:
            try:
                gone = await self.call(self._store.prune, now_ms() - keep_ms, bytes_max)
                self._metrics.pruned.inc(gone)
            except StoreError as cause:
                gone = 0
                self._log.warning("telemetry is not pruned", why=str(cause))
            await asyncio.sleep(0.2 if gone else PRUNE_S)

    def _take(self) -> list[Delivery]:
        """Up to `BATCH_MAX` readings; they stay in the count of what waits until they are written."""
        batch = [self._waiting.popleft()]
        weight = batch[0].weight()
        while self._waiting and weight + self._waiting[0].weight() <= BATCH_MAX:
            batch.append(self._waiting.popleft())
            weight += batch[-1].weight()
        return batch

    def _tell(self, batch: list[Delivery]) -> None:
        found: dict[tuple[str, str], list[str]] = {}
        for area, gateway, instance in dict.fromkeys(delivery.source for delivery in batch):
            found.setdefault((area, gateway), []).append(instance)
        for (area, gateway), instances in found.items():
            self.receipt(area, gateway, instances)

    def _failed(self, batch: list[Delivery], why: str) -> None:
        """Whoever waits is told once to hold."""
        before, self.down = self.down, why
        if before is None:
            self._tell(batch)
        self.trouble_told(why)

    async def _write(self, batch: list[Delivery]) -> bool:
        if self.short is not None:
            self._failed(batch, self.short)
            return False
        settled: dict[Source, Ranges] = {}
        for delivery in batch:
            ranges = settled.setdefault(delivery.source, Ranges())
            for first, last in delivery.settled:
                ranges.add(first, last)
        samples = [sample for delivery in batch for sample in delivery.samples]
        boots = {delivery.source: delivery.boot for delivery in batch}
        losses = [loss for delivery in batch for loss in delivery.losses]
        began_s = asyncio.get_running_loop().time()
        try:
            fresh = await self.call(self._store.write, samples, settled, boots, losses)
        except StoreError as cause:
            self._metrics.store_failures.inc()
            if self.down is None:
                self._log.error("the telemetry store takes nothing", why=str(cause))
            self._failed(batch, str(cause))
            return False
        if self.down is not None:
            self.down = None
            self._log.info("the telemetry store takes readings again")
            self.trouble_told(None)
        self._metrics.store_seconds.observe(asyncio.get_running_loop().time() - began_s)
        self._metrics.points.inc(fresh)
        self._metrics.duplicates.labels("telemetry").inc(len(samples) - fresh)
        return True


def sample(source: Source, item: TelemetryItem, now_ms: int, clock: Evidence = NOTHING) -> Sample:
    """A reading on the hub's axis, placed as records are. One without a sure time stands at the time that a list may
    use of it, and says by `placed` whether that is its gateway's clock (WALL) or mere order (ARRIVAL)."""
    reading, stamp = item.reading, item.reading.at
    when = placed(stamp, item.age_ms, now_ms, clock)
    how = Placed.AGE if when.how is How.AGE else Placed.CLOCK
    if when.how is How.ORDER:
        how = Placed.ARRIVAL if stamp.quality is ClockQuality.UNSET else Placed.WALL
    at_ms = now_ms if how is Placed.ARRIVAL else when.event_ms
    value = int(reading.value) if isinstance(reading.value, bool) else reading.value
    area, gateway, instance = source
    return Sample(
        area, gateway, reading.point, value, at_ms, how, stamp.mono_ns, stamp.wall_ms, stamp.quality.value, instance,
        reading.seq,
    )  # fmt: skip
