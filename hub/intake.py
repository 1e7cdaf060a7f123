"""The telemetry lane into the hub without its task and store: a bounded inbox, large batches, then receipts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import structlog

from hub.core.clocks import NOTHING, Evidence
from hub.core.timing import PlacedBy, placed
from hub.metrics import Metrics
from hub.store.port import Loss, Placed, Sample, Source
from protocol.messages import TelemetryItem
from protocol.ranges import Ranges
from protocol.records import ClockQuality

READINGS_MAX = 20_000
"""Readings that may wait; beyond them the newest message is set aside, and its gateway sends it again."""
BATCH_MAX = 5_000
BACKOFF_MS_FIRST = 100
BACKOFF_MS_MAX = 10_000


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


Batch: TypeAlias = tuple[list[Sample], dict[Source, Ranges], dict[Source, int], list[Loss]]
"""As `TelemetryStore.write` takes it."""


class Write(NamedTuple):
    """Deliveries to be written together, and how the store takes them."""

    deliveries: list[Delivery]
    batch: Batch


class Intake:
    """`take` a write, have the store do it, then say `written` or, as often as it fails, `failed`; one at a time.

    `receipt` is called for a gateway when its readings are on disk, or must be held back. `down` says why the store
    takes nothing, `short` that the disk is nearly full; `trouble_told` hears of both. `on_news` hears of each delivery,
    `stored` of readings that are on the disk.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.receipt: Callable[[str, str, list[str]], None] = lambda area, gateway, instances: None
        self.on_news: Callable[[], None] = lambda: None
        self.trouble_told: Callable[[str | None], None] = lambda why: None
        self.stored: Callable[[list[Sample]], None] = lambda samples: None
        self.down: str | None = None
        self.short: str | None = None
        self.weight = 0
        self._metrics = metrics
        self._waiting: deque[Delivery] = deque()
        self._backoff_ms = BACKOFF_MS_FIRST
        self._log = structlog.get_logger("hub.recorder")

    def put(self, delivery: Delivery) -> bool:
        """Queue a delivery; False (and counted) when there is no room."""
        if self.weight + delivery.weight() > READINGS_MAX:
            self._metrics.discarded.labels("telemetry").inc()
            return False
        self._waiting.append(delivery)
        self.weight += delivery.weight()
        self.on_news()
        return True

    def room(self) -> int:
        """PlacedBy many readings there is room for."""
        return max(0, READINGS_MAX - self.weight)

    @property
    def trouble(self) -> str | None:
        """Why nothing is taken: the store's own words, or that the disk is nearly full."""
        return self.down or self.short

    def make_room(self, short: str | None) -> None:
        """The disk is nearly full (in words), or no more: meanwhile nothing is written."""
        self.short = short
        self.trouble_told(self.trouble)

    def take(self) -> Write | None:
        """Up to `BATCH_MAX` readings; they stay in the weight of what waits until they are written."""
        if not self._waiting:
            return None
        batch = [self._waiting.popleft()]
        weight = batch[0].weight()
        while self._waiting and weight + self._waiting[0].weight() <= BATCH_MAX:
            batch.append(self._waiting.popleft())
            weight += batch[-1].weight()
        settled: dict[Source, Ranges] = {}
        for delivery in batch:
            ranges = settled.setdefault(delivery.source, Ranges())
            for first, last in delivery.settled:
                ranges.add(first, last)
        samples = [sample for delivery in batch for sample in delivery.samples]
        boots = {delivery.source: delivery.boot for delivery in batch}
        losses = [loss for delivery in batch for loss in delivery.losses]
        return Write(batch, (samples, settled, boots, losses))

    def written(self, write: Write, fresh: int) -> None:
        """It is on the disk; `fresh` of its samples were not there before."""
        if self.down is not None:
            self.down = None
            self._log.info("the telemetry store takes readings again")
            self.trouble_told(None)
        self._backoff_ms = BACKOFF_MS_FIRST
        self.weight -= sum(delivery.weight() for delivery in write.deliveries)
        self._metrics.points.inc(fresh)
        self._metrics.duplicates.labels("telemetry").inc(max(0, len(write.batch[0]) - fresh))
        self._metrics.inbox_depth.labels("telemetry").set(self.weight)
        self._tell(write)
        self.stored(write.batch[0])

    def failed(self, write: Write, why: str) -> int:
        """The store did not take it: whoever sent it is told to hold. Gives the wait before the next try, in ms."""
        self._metrics.store_failures.inc()
        if self.down is None:
            self._log.error("the telemetry store takes nothing", why=why)
        return self._hold(write, why)

    def held_ms(self, write: Write) -> int | None:
        """PlacedBy long to wait before the next try while the disk is nearly full; None when it may be written."""
        return None if self.short is None else self._hold(write, self.short)

    def _hold(self, write: Write, why: str) -> int:
        first, self.down = self.down is None, why
        if first:
            self._tell(write)
        self.trouble_told(why)
        wait_ms, self._backoff_ms = self._backoff_ms, min(2 * self._backoff_ms, BACKOFF_MS_MAX)
        return wait_ms

    def _tell(self, write: Write) -> None:
        found: dict[tuple[str, str], list[str]] = {}
        for area, gateway, instance in dict.fromkeys(delivery.source for delivery in write.deliveries):
            found.setdefault((area, gateway), []).append(instance)
        for (area, gateway), instances in found.items():
            self.receipt(area, gateway, instances)


def sample(source: Source, item: TelemetryItem, now_ms: int, clock: Evidence = NOTHING) -> Sample:
    """A reading on the hub's axis, placed as records are. One without a sure time stands at the time that a list may
    use of it, and says by `placed` whether that is its gateway's clock (WALL) or mere order (ARRIVAL)."""
    reading, stamp = item.reading, item.reading.at
    when = placed(stamp, item.age_ms, now_ms, clock)
    how = Placed.AGE if when.how is PlacedBy.AGE else Placed.CLOCK
    if when.how is PlacedBy.ORDER:
        how = Placed.ARRIVAL if stamp.quality is ClockQuality.UNSET else Placed.WALL
    at_ms = now_ms if how is Placed.ARRIVAL else when.event_ms
    value = int(reading.value) if isinstance(reading.value, bool) else reading.value
    area, gateway, instance = source
    return Sample(
        area, gateway, reading.point, value, at_ms, how, stamp.mono_ns, stamp.wall_ms, stamp.quality.value, instance,
        reading.seq,
    )  # fmt: skip
