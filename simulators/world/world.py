"""One run: the story told, the world healed, and everything brought to rest."""

from __future__ import annotations

import hashlib
import time
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.core.desk import Desk
from hub.core.registry import Registry
from protocol.logs import quiet
from simulators.world.book import Book
from simulators.world.bounds import hub_probed
from simulators.world.hub import DEFAULTS, KEY, SimHub
from simulators.world.loop import NS_PER_MS, VirtualLoop
from simulators.world.machine import START_MS, Machine
from simulators.world.net import Net
from simulators.world.oracle import judge
from simulators.world.people import People
from simulators.world.readings import Readings
from simulators.world.seen import Counts, Violation
from simulators.world.stage import Stage
from simulators.world.story import Story
from simulators.world.village import Village, village
from simulators.world.witness import Witness

REST_S_MAX = 1_800
"""How long after the healing everything may take to come to rest."""
REST_LOOK_MS = 5_000
WATCH_MS = 10_000


class Outcome(NamedTuple):
    """What a run came to. `digest` is over everything the broker saw and the journal wrote."""

    story: Story
    violations: tuple[Violation, ...]
    counts: Counts
    digest: str
    virtual_s: float
    wall_s: float
    steps: int
    waited_ms: int

    @property
    def speed(self) -> float:
        """How many times faster than real time."""
        return self.virtual_s / max(self.wall_s, 1e-9)


class World(Stage):
    """Everything there is."""

    def __init__(self, story: Story, place: Village | None = None) -> None:
        place = place or village()
        super().__init__(place.sites)
        self.story = story
        self.village = place
        self.loop = VirtualLoop()
        self.start_ms = START_MS
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"world").digest())
        self.keys = {KEY: self.private.public_key()}
        self.witness = Witness(self)
        self.people = People(self)
        self._digest = hashlib.sha256()
        self.net = Net(self.loop, story.seed, story.noise, self._seen, (*place.sites, "hub"))
        self.machines = {gateway: Machine(self, gateway) for gateway in place.sites}
        self.book: Book
        self.readings = Readings(self)
        self.hub: SimHub | None = None
        self.hubs = 0
        self.registries: dict[str, Registry] = {}
        self.acted: set[tuple[str, str]] = set()

    def true_ms(self) -> int:
        """True wall ms."""
        return START_MS + self.loop.now_ms

    def _seen(self, topic: str, data: bytes) -> None:
        self._digest.update(b"%d %s " % (self.loop.now_ns, topic.encode()) + data)

    # One run

    def run(self) -> None:
        """Tell the story, heal, come to rest, judge."""
        self.book = Book(self, Desk(self.village.registry, DEFAULTS).config_digest)
        self._start_hub()
        for machine in self.machines.values():
            machine.start()
        for act in self.story.acts:
            self.loop.at(act.at_ms * NS_PER_MS, self._act, act)
        self.loop.after(WATCH_MS, self._watch)
        halted = self._halted
        self.loop.run(self.story.end_ms * NS_PER_MS, halted)
        if halted():
            return
        self._heal()
        deadline_ms = self.story.end_ms + REST_S_MAX * 1000
        while not halted() and not self._at_rest():
            if self.loop.now_ms >= deadline_ms:
                self.witness.broken("rest", f"not at rest {REST_S_MAX} s after everything healed: {self._unrest()}")
                return
            self.loop.run((self.loop.now_ms + REST_LOOK_MS) * NS_PER_MS, halted)
        if not halted() and self.hub is not None:
            hub_probed(self.witness, self.hub)
            judge(self)

    def _start_hub(self) -> None:
        self.hubs += 1
        self.hub = SimHub(self, self.book, self.readings, self.hubs)
        self._well()

    def outcome(self, wall_s: float) -> Outcome:
        """What it came to."""
        for entry in self.book.written:
            self._digest.update(entry.hash)
        found, counts = self.witness, self.witness.counts
        if self.hub is not None:
            counts.incidents = len(self.hub.desk.incidents())
        digest = self._digest.hexdigest()
        virtual_s = self.loop.now_ns / 1e9
        return Outcome(
            self.story,
            tuple(found.violations),
            counts,
            digest,
            virtual_s,
            wall_s,
            self.loop.steps,
            found.hearing.waited_ms,
        )

    def _halted(self) -> bool:
        return bool(self.witness.violations)

    def _watch(self) -> None:
        if self.hub is not None:
            hub_probed(self.witness, self.hub)
        if not self.ended:
            self.loop.after(WATCH_MS, self._watch)

    def _at_rest(self) -> bool:
        return not self._unrest()

    def _unrest(self) -> str:
        hub = self.hub
        if hub is None or hub.rounds.down is not None or len(hub.rounds.inbox):
            return "the hub"
        for name, machine in self.machines.items():
            process = machine.process
            if process is None or not process.looks:
                return f"{name} is not up"
            for box in (process.alarm, process.telemetry):
                urgent = [entry for entry in box.delivery if entry.priority <= 3 or box is process.alarm]
                if urgent or box.delivery.gaps:
                    return f"{name} has {len(urgent)} records in its {box.lane} lane"
            if process.alarm.outbox.unstored():
                return f"{name} has records that are not on its card"
        down = [view.id for view in hub.desk.gateways() if not view.up]
        held = sorted(self.people.holding)
        sirens = [house for house, spans in self.witness.sirens.items() if spans and spans[-1][1] < 0]
        for words, found in (("not shown as up", down), ("still pressed", held), ("still sounding", sirens)):
            if found:
                return f"{words}: {', '.join(found)}"
        return ""


def simulate(story: Story) -> Outcome:
    """Run a story. The same story gives the same outcome, to the last byte of its digest."""
    began_s = time.perf_counter()
    with quiet():
        world = World(story)
        world.run()
        return world.outcome(time.perf_counter() - began_s)
