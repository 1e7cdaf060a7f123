"""A hub's process: the real desk and workings, driven in the world's time and looked at by its witness."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.clock import HubClock
from hub.core.defaults import Defaults
from hub.core.desk import Desk, config_digest
from hub.core.effects import Changed, Page, Send, StoodDown
from hub.core.io import Input
from hub.core.load import Flooded
from hub.core.registry import Registry
from hub.core.reloaded import Cause, Reloaded
from hub.core.trials import Drilled
from hub.defaults import load_defaults
from hub.effects import Effects
from hub.gate import Gate
from hub.inbox import Item
from hub.ingest import LOOK_S
from hub.intake import Intake
from hub.metrics import Metrics
from hub.rebuild import rebuild
from hub.receipting import Receipting
from hub.registry.diff import between
from hub.rounds import Batch, Done, Rounds, Swap
from hub.workings import Workings
from protocol.records import Lane
from simulators.world.book import Book
from simulators.world.downlink import HubWay, WatchedOutgoing
from simulators.world.loop import NS_PER_MS, VirtualLoop, stream
from simulators.world.machine import START_MS
from simulators.world.readings import Readings
from simulators.world.turns import JournalTurns, StoreTurns

if TYPE_CHECKING:
    from simulators.world.world import World

HUB = "hub-1"
KEY = "hub-key"
COMMIT_MS = (1.0, 15.0)
SLOW_MS = (500.0, 4_000.0)
DEFAULTS: Defaults = load_defaults()


class _Announcer:
    """Nobody watches a live stream here; people see what changed, and the witness the pages."""

    def __init__(self, world: World) -> None:
        self._world = world

    def changed(self, effect: Changed, done: Done) -> None:
        """An incident is another than before."""
        self._world.people.saw(effect.incident)

    def page(self, page: Page, done: Done) -> None:
        """Somebody is called."""
        self._world.witness.performed(page)

    def stood_down(self, over: StoodDown, done: Done) -> None:
        """The orders of the stand-down are witnessed as they leave."""

    def flooded(self, flood: Flooded) -> None:
        """Told of the area, to nobody in particular."""
        self._world.witness.flooded(flood)

    def drilled(self, drill: Drilled) -> None:
        """Told to consoles: nothing the world is judged by."""

    def committed(self, done: Done) -> None:
        """The journal's witness has seen it already."""


class _Effects(Effects):
    """The real effects; the witness sees each order leave."""

    def __init__(self, world: World, receipting: Receipting, metrics: Metrics, private: Ed25519PrivateKey) -> None:
        super().__init__(_Announcer(world), receipting, metrics, KEY, private)
        self._world = world

    def send(self, order: Send) -> None:
        """Put an order on its way."""
        self._world.witness.performed(order)
        super().send(order)


class SimHub:
    """One process of the hub, on what is on its disks."""

    def __init__(self, world: World, book: Book, readings: Readings, number: int) -> None:
        self.world, self.book, self.readings = world, book, readings
        self.loop: VirtualLoop = world.loop
        self.alive = True
        self.began_ms = world.loop.now_ms
        self.rng = stream(world.story.seed, "hub", number)
        session = f"{self.rng.getrandbits(128):032x}"
        registry, self.metrics = world.village.registry, Metrics()
        self.desk = desk = Desk(registry, DEFAULTS)
        book.under(desk.config_digest)
        world.registries[desk.config_digest] = registry
        rebuilt = rebuild(desk, book, formerly=world.registries.get)
        self.clock = clock = HubClock(
            rebuilt.last_ms,
            wall_ms=lambda: START_MS + self.loop.now_ms,
            mono_ms=lambda: self.loop.now_ms,
            exact_ms=lambda: self.loop.now_ns / NS_PER_MS,
        )
        if rebuilt.broken is not None or rebuilt.left_out or rebuilt.differing:
            world.witness.broken("rebuild", f"the hub could not fold all of its journal again: {rebuilt}"[:300])
        self.rounds = rounds = Rounds(desk, clock, self.metrics, rebuilt.digests)
        self.intake = intake = Intake(self.metrics)
        self.receipting = receipting = Receipting(HUB, rounds, intake, clock, DEFAULTS.credit, self.metrics)
        receipting.alarm_out, receipting.telemetry_out = WatchedOutgoing(world), WatchedOutgoing(world)
        self.effects = _Effects(world, receipting, self.metrics, world.private)
        own = (HUB, session)
        inside = Workings(*own, desk, registry, clock, rounds, intake, receipting, self.effects, self.metrics)
        self._inside, self.ingest = inside, inside.ingest
        inside.start()
        StoreTurns(self, intake, receipting, inside.closer, readings)
        self._journal = JournalTurns(self, rounds, book)
        self._journal.kick()
        self._ways = [HubWay(self, inside.downlink, lane) for lane in Lane]
        for way in self._ways:
            way.connect()
        self._look_on()

    def die(self) -> None:
        """Killed."""
        self.alive = False
        self._journal.die(self.rng)
        for way in self._ways:
            way.drop()

    def adopt(self, registry: Registry) -> None:
        """Take another registry while it runs."""
        old = self.desk.registry
        self.world.registries[config_digest(registry.digest, DEFAULTS)] = registry
        diff = between(old, registry)
        inputs = [
            Reloaded(area, Cause.REQUEST, "supervisor", "0" * 64, old.digest, registry.digest, diff.summary(area))
            for area in registry.areas
        ]
        at = (self.clock.now_ms(), self.clock.exact_ms())
        gateways = {key: registry.gateways.get(key) for key in diff.gateways}
        done = partial(self._inside.under, Gate(registry), gateways)
        self.rounds.swap(Swap(registry, [Item(one, *at) for one in inputs], done))

    def commit_ms(self) -> float:
        """How long the disk takes this time."""
        return self.rng.uniform(*(SLOW_MS if self.book.slow else COMMIT_MS))

    def about_to_commit(self, batch: Batch) -> None:
        """A batch was judged and is not on the disk yet: nothing may follow from it."""

    def moves(self, taken: Input) -> bool:
        """A person's move, if the desk takes any just now."""
        if self.rounds.down is not None:
            return False
        return self.rounds.inbox.put(Item(taken, self.clock.now_ms(), self.clock.exact_ms()))

    def _look_on(self) -> None:
        if self.alive:
            self.ingest.look()
            self.loop.after(1000 * LOOK_S, self._look_on)
