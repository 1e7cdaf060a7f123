"""The hub's own points: incidents as they change and, every ten seconds, how everything stands.

They wait in a bounded queue while the store is down. Nothing of an alarm ever waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeAlias

import structlog

from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.effects import Changed, Page, StoodDown
from hub.core.heard import Linked
from hub.core.load import Flooded
from hub.core.registry import Registry
from hub.core.rules.proof import NAME as PROOF
from hub.core.trials import Drilled
from hub.effects import Announces
from hub.links import Links
from hub.measures.counters import Counters
from hub.measures.incidents import link_of, page_of, points_of
from hub.measures.places import Places
from hub.measures.point import Point, Tags, Value
from hub.measures.schema import BY_NAME, SNAPSHOT_S, Source
from hub.measures.snapshot import Standing
from hub.metrics import Metrics
from hub.rounds import Done
from hub.store.port import Sample, StoreError

EVENTS_MAX = 50_000
"""Points of events that may wait; of more the oldest goes. Incidents are told again after the next restart."""
SNAPSHOTS_MAX = 20_000
"""Points of snapshots that may wait; of more the oldest go."""
RECALL_MS = 7 * 24 * 3_600_000
"""Incidents that changed within this time are told again at the hub's start."""
BATCH_MAX = 5_000
ROWS_AT_ONCE = 100
BACKOFF_S_FIRST, BACKOFF_S_MAX = 1.0, 60.0


Name: TypeAlias = tuple[str, Tags, int]


class Queue:
    """Points that wait for the store: each once, the newest word of it; events before snapshots."""

    def __init__(self) -> None:
        self.dropped = 0
        self.news = asyncio.Event()
        self._events: dict[Name, Point] = {}
        self._snapshots: dict[Name, Point] = {}
        self._leaving: list[Point] = []

    def __len__(self) -> int:
        return len(self._events) + len(self._snapshots) + len(self._leaving)

    def put(self, points: Iterable[Point]) -> None:
        """These wait."""
        for point in points:
            self._of(point)[_name(point)] = point
        for queue, most in ((self._events, EVENTS_MAX), (self._snapshots, SNAPSHOTS_MAX)):
            while len(queue) > most:
                del queue[next(iter(queue))]
                self.dropped += 1
        if len(self):
            self.news.set()

    def take(self) -> list[Point]:
        """The next batch, until it is `done` or taken `back`."""
        some = self._leaving = []
        for queue in (self._events, self._snapshots):
            while queue and len(some) < BATCH_MAX:
                some.append(queue.pop(next(iter(queue))))
        return some

    def done(self) -> None:
        """The store has the batch."""
        self._leaving = []

    def back(self) -> None:
        """It does not: the batch waits again in front, unless a newer word of its points came meanwhile."""
        points = [*self._leaving, *self._events.values(), *self._snapshots.values()]
        self._leaving, self._events, self._snapshots = [], {}, {}
        self.put(points)

    def _of(self, point: Point) -> dict[Name, Point]:
        event = BY_NAME[point.measurement].source is Source.EVENT
        return self._events if event else self._snapshots


def _name(point: Point) -> Name:
    return point.measurement, point.tags, point.at_ns


class Measuring:
    """Told what was committed after `announcer` was. `allowed`, asked before each snapshot, says what each lane's next
    receipt would allow, and brings up to date what is counted only when somebody looks."""

    def __init__(
        self,
        announcer: Announces,
        hub: str,
        desk: Desk,
        registry: Registry,
        links: Links,
        config: Callable[[str, str], str],
        clock: HubClock,
        metrics: Metrics,
        allowed: Callable[[], dict[str, Value]],
    ) -> None:
        self.queue = Queue()
        self._announcer, self._desk, self._registry, self._clock = announcer, desk, registry, clock
        self._places = Places(registry)
        self._standing = Standing(desk, registry, links, config, self._places)
        self._counters = Counters(metrics.registry, hub)
        self._allowed = allowed
        self._began_ms = clock.mono_ms()
        self._log = structlog.get_logger("hub.measuring")

    def under(self, registry: Registry) -> None:
        """Another registry is in force."""
        self._registry = registry
        self._standing.under(registry)

    def changed(self, effect: Changed, done: Done) -> None:
        """An incident is another than before."""
        self._announcer.changed(effect, done)
        incident = self._desk.incident(effect.area, effect.incident)
        if incident is not None:
            self._standing.load.see(incident)
            self.queue.put(points_of(incident, self._places))

    def page(self, page: Page, done: Done) -> None:
        """Somebody is to be called; a nightly proof calls nobody."""
        self._announcer.page(page, done)
        self._paged(page, done.received_ms)

    def stood_down(self, over: StoodDown, done: Done) -> None:
        """It is over: the incident's own change says so."""
        self._announcer.stood_down(over, done)

    def flooded(self, flood: Flooded) -> None:
        """A flood of alarms began, or is over."""
        self._announcer.flooded(flood)

    def drilled(self, drill: Drilled) -> None:
        """A drill came to another state: its incident's changes are measured."""
        self._announcer.drilled(drill)

    def committed(self, done: Done) -> None:
        """An input was committed."""
        self._announcer.committed(done)
        if isinstance(done.taken, Linked) and done.effective:
            self.queue.put([link_of(done.taken, self._places, done.received_ms)])

    def stored(self, samples: list[Sample]) -> None:
        """Readings that the store has."""
        self._standing.fleet.hear(samples)
        self._standing.stored({sample.area for sample in samples}, self._clock.now_ms())

    def recall(self, pages: Iterable[tuple[int, Page]]) -> None:
        """Say again what happened lately, `pages` (with when, hub wall ms) too: the store may not have had some of it
        before the last end."""
        for at_ms, page in pages:
            self._paged(page, at_ms)
        since_ms = self._clock.now_ms() - RECALL_MS
        for incident in self._desk.incidents():
            if max(incident.raised_ms, *(line.at_ms for line in incident.history[-1:]), 0) >= since_ms:
                self.queue.put(points_of(incident, self._places))

    async def run(self) -> None:
        """Take snapshots, for ever."""
        due_s = asyncio.get_running_loop().time()
        while True:
            now_s = asyncio.get_running_loop().time()
            await self.snapshot(lag_ms=1000 * max(0.0, now_s - due_s))
            due_s = max(due_s + SNAPSHOT_S, now_s)
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))

    async def snapshot(self, lag_ms: float = 0.0) -> None:
        """How everything stands now. Between areas whatever waits goes first; a bug of ours ends no snapshot."""
        now_ms, mono_ms = self._clock.now_ms(), self._clock.mono_ms()
        uptime_s = (mono_ms - self._began_ms) // 1000
        own = {"lag_ms": lag_ms, "points_waiting": len(self.queue), "points_dropped": self.queue.dropped}
        self._take(self._counters.points(now_ms, uptime_s=uptime_s, **own, **self._allowed()))
        for area in list(self._registry.areas):
            await asyncio.sleep(0)
            self._take(self._standing.area(area, now_ms))
        some = self._standing.slice(mono_ms, now_ms)
        while self._take(some, ROWS_AT_ONCE) == ROWS_AT_ONCE:  # noqa: ASYNC110  # it only lets others go first
            await asyncio.sleep(0)

    async def write(self, put: Callable[[list[Point]], Awaitable[None]]) -> None:
        """Hand over what waits, for ever; a store that is down is tried again later."""
        backoff_s = BACKOFF_S_FIRST
        while True:
            self.queue.news.clear()
            if not (some := self.queue.take()):
                await self.queue.news.wait()
                continue
            try:
                await put(some)
                self.queue.done()
                backoff_s = BACKOFF_S_FIRST
            except StoreError as cause:
                self.queue.back()
                self._log.warning("the hub's own points wait", why=str(cause), waiting=len(self.queue))
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)

    def _paged(self, page: Page, at_ms: int) -> None:
        incident = self._desk.incident(page.area, page.incident)
        if incident is None or incident.rule != PROOF:
            self.queue.put([page_of(page, incident, self._places, at_ms)])

    def _take(self, points: Iterator[Point], most: int = SNAPSHOTS_MAX) -> int:
        taken: list[Point] = []
        try:
            for point in points:
                taken.append(point)
                if len(taken) == most:
                    break
        except Exception:
            self._log.exception("a snapshot could not be taken in full")
        self.queue.put(taken)
        return len(taken)
