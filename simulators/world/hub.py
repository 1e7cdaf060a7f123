"""A hub's process: the real gate, ingest, clerk, desk, receipting and effects, in the order of hub.app."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from hub.chain import Entry, Head
from hub.clerk import BACKOFF_MS_FIRST, BACKOFF_MS_MAX, Clerk, Done, _Batch
from hub.clock import HubClock
from hub.closer import Closer
from hub.connections import BACKOFF, LANES
from hub.core import ledger
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
from hub.store.port import Loss, Placed, Sample, Source, StoreError, TelemetryStore
from hub.store.settling import settle
from protocol.codec import encode
from protocol.link import INFLIGHT_MAX, Incoming, Will
from protocol.messages import VERSION, HubSession, Session
from protocol.ranges import Ranges
from protocol.records import Lane
from protocol.topics import Channel, filters, hub_topic, topic
from simulators.world.loop import VirtualLoop, Waker, stream
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

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after the one numbered `after`, in order."""
        return iter(self.written[after:])

    def inputs(self) -> Iterator[tuple[int, Input]]:
        """Every input with its time."""
        for entry in self.written:
            yield entry.at_ms, _DECODER.decode(entry.body)


class Readings:
    """The telemetry store in memory, with the rules of the embedded one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.down = False
        self._books: dict[Source, ledger.Book] = {}
        self.newest: dict[tuple[str, str, str], Sample] = {}

    def write(
        self,
        samples: Sequence[Sample],
        settled: Mapping[Source, Ranges],
        boots: Mapping[Source, int],
        losses: Sequence[Loss] = (),
    ) -> int:
        """As the port says."""
        if self.down:
            raise StoreError("no answer")
        for source, boot in boots.items():
            self._books.setdefault(source, ledger.Book(source[2], boot))
        fresh = settle(self._books, samples, settled, losses)
        for one in fresh:
            self._keep(one)
        return len(fresh)

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """As the port says."""
        return {book.instance: book.known() for book in self.books(area, gateway)}

    def books(self, area: str, gateway: str) -> list[ledger.Book]:
        """As the port says."""
        if self.down:
            raise StoreError("no answer")
        mine = [book for source, book in self._books.items() if source[:2] == (area, gateway)]
        return sorted(mine, key=lambda book: book.boot or 0)

    def _keep(self, one: Sample) -> None:
        self.world.witness.recorded(one)
        key = (one.area, one.gateway, one.point)
        latest = self.newest.get(key)
        better = latest is None or (one.placed is Placed.AGE or latest.placed is not Placed.AGE)
        if better and (latest is None or one.at_ms >= latest.at_ms):
            self.newest[key] = one


class SimClerk(Clerk):
    """The real clerk's round, with the disk's time between step and commit."""

    def attend(self, hub: SimHub) -> None:
        """Take the task's place."""
        self._hub = hub
        self._virtual = hub.loop
        self._running: _Batch | None = None
        self._waits = False
        self._backoff_ms = BACKOFF_MS_FIRST
        self._asked_ns: int | None = None
        self.inbox._wake = Waker(self.kick)
        self.kick()

    def kick(self) -> None:
        """There may be something to take."""
        self._ask(self._virtual.now_ns)

    def die(self, rng: random.Random) -> None:
        """Killed: what was being committed is on the disk, or not; in neither case is anything performed."""
        if self._running is not None and self._running.drafts and rng.random() < 0.5 and not self._hub.book.down:
            self._journal.append(self._running.drafts)

    def depth(self) -> int:
        """What waits."""
        return len(self.inbox)

    def _ask(self, at_ns: int) -> None:
        if self._running is None and not self._waits and (self._asked_ns is None or at_ns < self._asked_ns):
            self._asked_ns = at_ns
            self._virtual.at(at_ns, self._turn, at_ns)

    def _turn(self, asked_ns: int) -> None:
        if not self._hub.alive or self._running is not None or self._waits or asked_ns != self._asked_ns:
            return
        self._asked_ns = None
        if (items := self._next()) or self.down is not None:
            self._begin(items)
            return
        wait_s = self._until_due_s()
        if wait_s is not None:
            self._ask(self._virtual.now_ns + int(max(wait_s, 0.001) * 1e9))

    def _begin(self, items: list[Item]) -> None:
        batch = self._step(items)
        self._put_back(batch.left)
        self._running = batch
        self._hub.about_to_commit(self, batch)
        self._virtual.after(self._hub.commit_ms() if batch.drafts else 0.0, self._finish)

    def _finish(self) -> None:
        if not self._hub.alive or self._running is None:
            return
        batch, self._running = self._running, None
        try:
            if batch.drafts:
                self._journal.append(batch.drafts)
            elif self.down is not None:
                self._journal.probe()
        except JournalError as cause:
            self._desk.rollback()
            self._put_back(item for item, *_ in batch.stepped if item.answer is None)
            self._waits = True
            self._fail(batch, str(cause))
            self._virtual.after(self._backoff_ms, self._again)
            self._backoff_ms = min(2 * self._backoff_ms, BACKOFF_MS_MAX)
            return
        self._desk.commit()
        self._backoff_ms = BACKOFF_MS_FIRST
        self._succeed(batch)
        self.kick()

    def _again(self) -> None:
        self._waits = False
        self.kick()

    def _choke(self, item: Item) -> None:
        self._hub.world.witness.broken("set_aside", f"the desk could not take {type(item.taken).__name__}")
        super()._choke(item)


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
        losses = [loss for delivery in batch for loss in delivery.losses]
        try:
            self._store.write(samples, settled, {delivery.source: delivery.boot for delivery in batch}, losses)
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


class SimIngest(Ingest):
    """The real ingest; `look` is its watch."""

    def look(self) -> None:
        """Who fell silent."""
        for news in self._links.lost(self._clock.mono_ms(), self._clock.now_ms()):
            self._tell(news)
        for key in list(self._untold):
            self._tell(self._untold.pop(key))


class SimCloser(Closer):
    """The real one; the telemetry store is asked at once."""

    def beat(self, area: str, gateway: str, session: Session) -> None:
        """A session was heard just now."""
        self.alarms(area, gateway, session)
        with contextlib.suppress(StoreError):
            self.readings(area, gateway, session, self._store.books(area, gateway))


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
            rebuilt.last_ms, wall_ms=lambda: START_MS + self.loop.now_ms, mono_ms=lambda: self.loop.now_ms
        )
        if rebuilt.broken is not None or rebuilt.left_out or rebuilt.differing:
            world.witness.broken("rebuild", f"the hub could not fold all of its journal again: {rebuilt}"[:300])
        self.metrics = metrics
        self.clerk = SimClerk(desk, book, self.clock, metrics)
        self.clerk.remember(rebuilt.digests)
        self.recorder = SimRecorder(cast(TelemetryStore, readings), metrics)
        self.recorder.attend(self)
        limits = DEFAULTS.credit
        self.receipting = SimReceipting(HUB, desk, self.clerk, self.recorder, self.clock, limits, metrics)
        self.receipting.attend(self)
        live, nothing_to_erase = LiveStream(self.session[:8], metrics), cast(Any, None)
        self.effects = SimEffects(desk, live, self.receipting, nothing_to_erase, metrics, KEY, world.private)
        self.effects.world = world
        self.clerk.perform, self.clerk.hold = self.effects.perform, self.effects.hold
        self.recorder.receipt = self.receipting.telemetry
        links = Links(registry, self.clock.mono_ms())
        links.recall(desk.gateways())
        self.effects.obeying = links.obeying
        self.ingest = SimIngest(Gate(registry), links, self.clerk, self.recorder, self.receipting, self.clock, metrics)
        closer = SimCloser(desk, self.clerk, cast(TelemetryStore, readings), self.recorder, self.clock)
        self.ingest.spoke, self.ingest.beat = closer.spoke, closer.beat
        for order in desk.resume(self.clock.now_ms()):
            self.effects.send(order)
        self.clerk.attend(self)
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

    def about_to_commit(self, clerk: SimClerk, batch: _Batch) -> None:
        """A batch was judged and is not on the disk yet: nothing may follow from it."""

    def session_bytes(self, *, online: bool) -> bytes:
        """What the hub says of itself."""
        return encode(HubSession(VERSION, HUB, self.session, online, self.clock.now_ms()))

    def moves(self, taken: Input) -> bool:
        """A person's move, if the desk takes any just now."""
        if self.clerk.down is not None:
            return False
        return self.clerk.inbox.put(Item(taken, self.clock.now_ms(), self.loop.time() * 1000))

    def _look_on(self) -> None:
        if self.alive:
            self.ingest.look()
            self.loop.after(1000 * LOOK_S, self._look_on)


__all__ = ["AREA", "Book", "Readings", "SimHub"]
