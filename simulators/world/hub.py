"""A hub's process: the real gate, ingest, clerk, desk, receipting and effects, in the order of hub.app."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hub.chain import Entry, Head
from hub.clock import HubClock
from hub.connections import BACKOFF, LANES
from hub.core.defaults import Defaults
from hub.core.desk import RULES_VERSION, Desk
from hub.core.io import Changed, Input, Page, Send
from hub.defaults import load_defaults
from hub.effects import Effects
from hub.gate import Gate
from hub.inbox import Item
from hub.ingest import LOOK_S, Ingest
from hub.journal import Draft, Journal, JournalError
from hub.links import Links
from hub.live import LiveStream
from hub.metrics import Metrics
from hub.outgoing import Outgoing
from hub.rebuild import rebuild
from hub.receipting import Receipting
from hub.receipts import credit, receipt
from hub.recorder import Recorder
from hub.rounds import Batch, Done, Rounds
from hub.store.port import Placed, Sample, Source, StoreError, TelemetryStore
from protocol.codec import encode
from protocol.link import INFLIGHT_MAX, Incoming, Will
from protocol.messages import VERSION, HubSession
from protocol.ranges import Ranges
from protocol.records import Lane
from protocol.topics import Channel, filters, hub_topic, topic
from simulators.world.loop import NS_PER_MS, VirtualLoop, Waker, stream
from simulators.world.machine import START_MS
from simulators.world.net import Link
from simulators.world.village import AREA, village

if TYPE_CHECKING:
    from simulators.world.world import World

HUB = "hub-1"
KEY = "hub-key"
COMMIT_MS = (1.0, 15.0)
SLOW_MS = (500.0, 4_000.0)
DEFAULTS: Defaults = load_defaults()
_DECODER: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)


class Book(Journal):
    """The journal's entries on a disk that survives every crash once it has said that it has them."""

    def __init__(self, world: World, config: str) -> None:
        self.world = world
        self._config, self._rules = config, RULES_VERSION
        self.written: list[Entry] = []
        self._heads: dict[str, Head] = {}
        self.down = self.slow = False

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """All durably, or none."""
        if self.down:
            raise JournalError("disk is full")
        heads = dict(self._heads)
        entries = [self._entry(heads, len(self.written) + at, draft) for at, draft in enumerate(drafts, 1)]
        self.written += entries
        self._heads = heads
        self.world.witness.committed(drafts)
        return entries

    def probe(self) -> None:
        """Whether it would take anything."""
        if self.down:
            raise JournalError("disk is full")

    def entries(self) -> Iterator[Entry]:
        """Every entry, in order."""
        return iter(self.written)

    def inputs(self) -> Iterator[tuple[int, Input]]:
        """Every input with its time."""
        for entry in self.written:
            yield entry.at_ms, _DECODER.decode(entry.body)


class Readings:
    """The telemetry store in memory, with the rules of the embedded one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.down = False
        self._marks: dict[Source, Ranges] = {}
        self._boots: dict[Source, int] = {}
        self.newest: dict[tuple[str, str, str], Sample] = {}

    def write(self, samples: Sequence[Sample], settled: Mapping[Source, Ranges], boots: Mapping[Source, int]) -> int:
        """As the port says."""
        if self.down:
            raise StoreError("no answer")
        fresh = 0
        for one in samples:
            source = (one.area, one.gateway, one.instance)
            if self._marks.setdefault(source, Ranges()).add(one.seq):
                fresh += 1
                self._keep(one)
        for source, ranges in settled.items():
            for first, last in ranges:
                self._marks.setdefault(source, Ranges()).add(first, last)
        self._boots |= boots
        return fresh

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """As the port says."""
        if self.down:
            raise StoreError("no answer")
        mine = [source for source in self._marks if source[:2] == (area, gateway)]
        ordered = sorted(mine, key=lambda source: self._boots.get(source, 0))
        return {source[2]: self._marks[source] for source in ordered}

    def _keep(self, one: Sample) -> None:
        self.world.witness.recorded(one)
        key = (one.area, one.gateway, one.point)
        latest = self.newest.get(key)
        better = latest is None or (one.placed is Placed.AGE or latest.placed is not Placed.AGE)
        if better and (latest is None or one.at_ms >= latest.at_ms):
            self.newest[key] = one


class SimClerk:
    """The clerk's turns in the world's time: the disk's between step and commit."""

    def __init__(self, hub: SimHub, rounds: Rounds, book: Book) -> None:
        self.rounds = rounds
        self._hub, self._book, self._loop = hub, book, hub.loop
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
        batch = self.rounds.begin()
        if batch is not None:
            self._running = batch
            self._hub.about_to_commit(batch)
            self._loop.after(self._hub.commit_ms() if batch.drafts else 0.0, self._finish)
        elif (wait_ms := self.rounds.until_due_ms()) is not None:
            self._ask(self._loop.now_ns + int(max(wait_ms, 1.0) * NS_PER_MS))

    def _finish(self) -> None:
        if not self._hub.alive or self._running is None:
            return
        batch, self._running = self._running, None
        try:
            if batch.drafts:
                self._book.append(batch.drafts)
            elif self.rounds.down is not None:
                self._book.probe()
        except JournalError as cause:
            self._waits = True
            self._loop.after(self.rounds.failed(batch, str(cause)), self._again)
            return
        self.rounds.committed(batch)
        self.kick()

    def _again(self) -> None:
        self._waits = False
        self.kick()


class SimOutgoing(Outgoing):
    """The real queue, published over a link of the world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self._wake = Waker(self._pump)
        self._link: Link | None = None
        self._flying = 0

    def receipt(self, topic: str, lane: str, data: bytes) -> None:
        """As the real one; the witness reads it first."""
        self.world.witness.receipting(topic, data)
        super().receipt(topic, lane, data)

    def use(self, link: Link | None) -> None:
        """Publish over this link from now on."""
        self._link, self._flying = link, 0
        self._pump()

    def depth(self) -> int:
        """What waits."""
        return len(self._orders) + len(self._receipts)

    def _pump(self) -> None:
        link = self._link
        while link is not None and link.open and self._flying < INFLIGHT_MAX and (found := self._next()) is not None:
            self._flying += 1
            link.publish(found[0], found[1], self._acked)

    def _acked(self) -> None:
        self._flying = max(0, self._flying - 1)
        self._pump()


class SimReceipting(Receipting):
    """The real receipts; the telemetry store is asked at once."""

    def attend(self, hub: SimHub) -> None:
        """Take the task's place."""
        self._sim = hub
        self.alarm_out = SimOutgoing(hub.world)
        self.telemetry_out = SimOutgoing(hub.world)
        self._wake = Waker(self._answer_all)

    def alarm(self, area: str, gateway: str, instances: Iterable[str] = ()) -> None:
        """As the real one, while this process lives."""
        if self._sim.alive:
            super().alarm(area, gateway, instances)

    def _answer_all(self) -> None:
        while self._due:
            area, gateway = next(iter(self._due))
            del self._due[area, gateway]
            try:
                marks, held = self._sim.readings.marks(area, gateway), self._recorder.down is not None
            except StoreError:
                marks, held = {}, True
            room = credit(self._limits.telemetry, self._recorder.room(), held=held)
            if not room:
                self._telemetry_held[area, gateway] = None
            first = self._first(Lane.TELEMETRY, area, gateway)
            data = receipt(self._hub, Lane.TELEMETRY, marks, room, self._clock.now_ms(), first)
            self.telemetry_out.receipt(topic(area, gateway, Channel.RECEIPT), Lane.TELEMETRY, data)


class SimRecorder(Recorder):
    """The real inbox and batches of telemetry, with the store's time between."""

    def attend(self, hub: SimHub) -> None:
        """Take the task's place."""
        self._sim = hub
        self._busy = False
        self._backoff_ms = 100.0
        self._wake = Waker(self._turn)

    def weight(self) -> int:
        """What waits."""
        return self._weight

    def _turn(self) -> None:
        if not self._busy and self._waiting and self._sim.alive:
            self._busy = True
            self._sim.loop.after(self._sim.commit_ms(), self._put, self._take())

    def _put(self, batch: list[Any]) -> None:
        if not self._sim.alive:
            return
        settled: dict[Source, Ranges] = {}
        for delivery in batch:
            ranges = settled.setdefault(delivery.source, Ranges())
            for first, last in delivery.settled:
                ranges.add(first, last)
        samples = [sample for delivery in batch for sample in delivery.samples]
        try:
            self._store.write(samples, settled, {delivery.source: delivery.boot for delivery in batch})
        except StoreError as cause:
            first, self.down = self.down is None, str(cause)
            if first:
                self._tell(batch)
            self._sim.loop.after(self._backoff_ms, self._put, batch)
            self._backoff_ms = min(2 * self._backoff_ms, 10_000)
            return
        self.down, self._backoff_ms, self._busy = None, 100.0, False
        self._weight -= sum(delivery.weight() for delivery in batch)
        self._tell(batch)
        self._turn()


class SimEffects(Effects):
    """The real order of effects. Nobody watches the live stream here; the witness sees the rest."""

    world: World

    def send(self, order: Send) -> None:
        """Put an order on its way."""
        self.world.witness.performed(order)
        super().send(order)

    def _changed(self, effect: Changed, done: Done) -> None:
        self.world.people.saw(effect.incident)

    def _page(self, page: Page, done: Done) -> None:
        self.world.witness.performed(page)


class Connection:
    """One of the hub's two connections."""

    def __init__(self, hub: SimHub, lane: Lane, out: SimOutgoing) -> None:
        self.hub, self.lane, self.out = hub, lane, out
        self.link: Link | None = None
        self._attempt = 0

    def connect(self) -> None:
        """Try once."""
        if self.hub.alive:
            will = Will(hub_topic(HUB), self.hub.session_bytes(online=False)) if self.lane is Lane.ALARM else None
            self.link = self.hub.world.net.connect("hub", f"hub-{HUB}-{self.lane}", will, self)

    def connected(self, link: Link) -> None:
        """Subscribe, announce, then speak."""
        if not self.hub.alive:
            link.drop()
            return

        def ready() -> None:
            self._attempt = 0
            self.out.use(link)

        def subscribed() -> None:
            if self.lane is Lane.ALARM:
                link.publish(hub_topic(HUB), self.hub.session_bytes(online=True), ready, retain=True)
            else:
                ready()

        link.subscribe(filters(LANES[self.lane]), subscribed)

    def arrived(self, link: Link, message: Incoming) -> None:
        """A message for the hub."""
        if self.hub.alive:
            if not message.retain:
                self.hub.world.witness.heard[message.topic.split("/")[3]] = self.hub.loop.now_ms
            self.hub.ingest.take(message)

    def ended(self, link: Link, why: str) -> None:
        """Wait, and try again."""
        if self.hub.alive:
            self.link = None
            self.out.use(None)
            self.hub.loop.after(1000 * BACKOFF.delay_s(self._attempt, self.hub.rng), self.connect)
            self._attempt += 1


class SimHub:
    """One process of the hub, on what is on its disks."""

    def __init__(self, world: World, book: Book, readings: Readings, number: int) -> None:
        self.world, self.book, self.readings = world, book, readings
        self.loop: VirtualLoop = world.loop
        self.alive = True
        self.began_ms = world.loop.now_ms
        self.rng = stream(world.story.seed, "hub", number)
        self.session = f"{self.rng.getrandbits(128):032x}"
        registry, metrics = village().registry, Metrics()
        self.desk = desk = Desk(registry, DEFAULTS)
        rebuilt = rebuild(desk, book)
        self.clock = HubClock(
            rebuilt.last_ms,
            wall_ms=lambda: START_MS + self.loop.now_ms,
            mono_ms=lambda: self.loop.now_ms,
            exact_ms=lambda: self.loop.now_ns / NS_PER_MS,
        )
        if rebuilt.broken is not None or rebuilt.left_out or rebuilt.differing:
            world.witness.broken("rebuild", f"the hub could not fold all of its journal again: {rebuilt}"[:300])
        self.metrics = metrics
        self.rounds = rounds = Rounds(desk, self.clock, metrics, rebuilt.digests)
        self.clerk = SimClerk(self, rounds, book)
        self.recorder = SimRecorder(cast(TelemetryStore, readings), metrics)
        self.recorder.attend(self)
        limits = DEFAULTS.credit
        self.receipting = SimReceipting(HUB, desk, rounds, self.recorder, self.clock, limits, metrics)
        self.receipting.attend(self)
        live, nothing_to_erase = LiveStream(self.session[:8], metrics), cast(Any, None)
        self.effects = SimEffects(desk, live, self.receipting, nothing_to_erase, metrics, KEY, world.private)
        self.effects.world = world
        rounds.perform, rounds.hold = self.effects.perform, self.effects.hold
        self.recorder.receipt = self.receipting.telemetry
        links = Links(registry, self.clock.mono_ms())
        links.recall(desk.gateways())
        self.ingest = Ingest(Gate(registry), links, rounds, self.recorder, self.receipting, self.clock, metrics)
        for order in desk.resume(self.clock.now_ms()):
            self.effects.send(order)
        self.clerk.kick()
        self.connections = [
            Connection(self, Lane.ALARM, self.alarm_out),
            Connection(self, Lane.TELEMETRY, cast(SimOutgoing, self.receipting.telemetry_out)),
        ]
        for connection in self.connections:
            connection.connect()
        self._look_on()

    @property
    def alarm_out(self) -> SimOutgoing:
        """What the alarm connection has to say."""
        return cast(SimOutgoing, self.receipting.alarm_out)

    def die(self) -> None:
        """Killed."""
        self.alive = False
        self.clerk.die(self.rng)
        for connection in self.connections:
            if connection.link is not None:
                connection.link.drop()

    def commit_ms(self) -> float:
        """How long the disk takes this time."""
        return self.rng.uniform(*(SLOW_MS if self.book.slow else COMMIT_MS))

    def about_to_commit(self, batch: Batch) -> None:
        """A batch was judged and is not on the disk yet: nothing may follow from it."""

    def session_bytes(self, *, online: bool) -> bytes:
        """What the hub says of itself."""
        return encode(HubSession(VERSION, HUB, self.session, online, self.clock.now_ms()))

    def moves(self, taken: Input) -> bool:
        """A person's move, if the desk takes any just now."""
        if self.rounds.down is not None:
            return False
        return self.rounds.inbox.put(Item(taken, self.clock.now_ms(), self.clock.exact_ms()))

    def _look_on(self) -> None:
        if self.alive:
            self.ingest.look()
            self.loop.after(1000 * LOOK_S, self._look_on)


__all__ = ["AREA", "Book", "Readings", "SimHub"]
