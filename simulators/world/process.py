"""A gateway's process: the real workings, driven in the world's time and looked at by its witness."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from edge import self_watch
from edge.beginning import boot_after, saved
from edge.clock import Clock
from edge.core.entries import Batch
from edge.core.io import Input, Looked, Ordered, Stored
from edge.effects import ANSWER_S_MAX
from edge.inbox import Inbox
from edge.lane import Identity, LaneBox
from edge.self_watch import SelfWatch
from edge.store import Loaded
from edge.workings import Workings, lane_of
from protocol.link import Incoming
from protocol.messages import Result
from protocol.records import Event, Lane, Reading
from simulators.world.bounds import probed
from simulators.world.disk import CardStore, SimCommitter
from simulators.world.loop import NS_PER_MS
from simulators.world.loop import Event as Coming
from simulators.world.uplink import Ways
from simulators.world.village import LOOK_MS

if TYPE_CHECKING:
    from simulators.world.machine import Machine

STARTS_MS = 400
SYNCED_ERROR_MS = 20
MADE_MS = 1_990_000_000_000
"""When the software was made in the world's time, some months before it begins; never a file's time of ours."""
HEALTHY = {"health/disk_free_percent": 50.0}


class Process:
    """From its start until it is killed. `looks` once its drivers read."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.loop, self.world = machine, machine.loop, machine.world
        self.alive, self.looks = True, False
        self.began_ms = machine.loop.now_ms
        self._turn: Coming | None = None
        self._edges: set[str] = set()
        self._looked_ns: dict[str, int] = {}
        rng = machine.rng
        self.inbox = _SeenInbox(self)
        self.alarm, self.telemetry = lanes = self._lane(Lane.ALARM), self._lane(Lane.TELEMETRY)
        self._committers = {box.lane: SimCommitter(box.outbox, self.loop, machine.card, rng) for box in lanes}
        kept = [_loaded(box) for box in lanes]
        self.clock = Clock(
            saved(kept, "wall_ms"),
            mono_ns=machine.mono_ns,
            wall_ns=machine.wall_ns,
            error_ms=lambda: SYNCED_ERROR_MS if machine.synced else None,
            made_ms=MADE_MS,
        )
        self.me = self._identity(kept, f"{rng.getrandbits(128):032x}")
        self.inside = inside = Workings(
            machine.site,
            self.me,
            self.clock,
            self.inbox,
            lanes,
            kept,
            self.world.keys,
            on_config=lambda text: [],
            drive=self._drive,
            answer=self._answer,
        )
        self.gateway, self.uplink = inside.gateway, inside.uplink
        self.ways = Ways(self.loop, self.world.net, self.uplink, rng, sent=self._sent, hears=self._hears)
        self.world.witness.began(self)
        inside.start()
        self.ways.connect()
        slow_s = {lane: committer.slow_s for lane, committer in self._committers.items()}
        self._watch = SelfWatch(inside, slow_s, {})
        self._watch.begin()
        self.inbox.on_news = self._turn_now
        self.loop.after(STARTS_MS, self._first_looks)
        self._turn_now()

    def die(self) -> None:
        """Killed: nothing is said, nothing is finished."""
        self.alive = self.looks = False
        self.world.witness.ended(self)
        self.ways.die()
        for committer in self._committers.values():
            committer.die()

    def edge(self, device: str) -> None:
        """A line changed: the kernel stamps it, the driver reads it a moment later."""
        if self.looks and device not in self._edges:
            self._edges.add(device)
            self.loop.at(self.loop.now_ns + NS_PER_MS // 5, self._look, device, True)

    def free_since_ms(self) -> int:
        """Since when the alarm lane has a connection it may send on."""
        return self.ways.of[Lane.ALARM].serving_ms

    def true_ms(self, mono_ns: int) -> int:
        """The world's time of a moment of this kernel boot."""
        return self.loop.now_ms - (self.clock.mono_ns() - mono_ns) // NS_PER_MS

    def _first_looks(self) -> None:
        if not self.alive:
            return
        self.looks = True
        for at, device in enumerate(self.machine.values):
            self._look(device, False)
            self.loop.after(LOOK_MS * (at + 1) / len(self.machine.values), self._look_on, device)
        self.loop.after(1000 * self_watch.LOOK_S, self._watch_on)

    def _look_on(self, device: str) -> None:
        if self.alive:
            self._look(device, False)
            self.loop.after(LOOK_MS, self._look_on, device)

    def _look(self, device: str, edge: bool) -> None:
        if not self.alive:
            return
        self._edges.discard(device)
        if edge and device in self.machine.dead_buses:
            return
        at_ns = self.clock.mono_ns()
        since_ns = at_ns if edge else self._looked_ns.get(device, at_ns)
        self._looked_ns[device] = at_ns
        self.inbox.put(Looked(self.machine.reading(device, at_ns, since_ns)))

    def _watch_on(self) -> None:
        if self.alive:
            self._watch.look(HEALTHY)
            probed(self.world.witness, self)
            self.loop.after(1000 * self_watch.LOOK_S, self._watch_on)

    def _turn_now(self) -> None:
        self._turn_in(0)

    def _turn_in(self, wait_ns: int | None) -> None:
        """The fold's next turn is then, instead of when it was to be."""
        if self._turn is not None:
            self._turn.cancel()
        self._turn = None if wait_ns is None else self.loop.at(self.loop.now_ns + wait_ns, self._turns)

    def _turns(self) -> None:
        if self.alive:
            self._turn_in(self.inside.fold.turn())

    def _drive(self, output: str, target: str, on: bool) -> str | None:
        return None if self.machine.drive(output, target, on) else "still being tried"

    def _answer(self, order: str, results: tuple[Result, ...], tried: list[tuple[str, str | None]]) -> None:
        self.world.witness.answered(self, order, results)
        failed = {output: reason for output, reason in tried if reason is not None}
        self.loop.after(1000 * ANSWER_S_MAX if failed else 0, self._reply, order, results, failed)

    def _reply(self, order: str, results: Sequence[Result], failed: dict[str, str]) -> None:
        if self.alive:
            self.inside.effects.reply(order, results, failed)

    def _sent(self, lane: Lane, batch: Batch) -> None:
        self.world.witness.hearing.sent(self, lane, batch)

    def _hears(self, lane: Lane, message: Incoming) -> None:
        self.world.witness.hearing.hears(self, lane, message.topic, message.data)

    def _lane(self, lane: Lane) -> LaneBox:
        store = CardStore(self.machine.card, lane, lambda: self.loop.now_ms)
        return lane_of(lane, store, self.inbox, partial(_SeenLane, self))

    def _identity(self, kept: list[Loaded], instance: str) -> Identity:
        site, boot = self.machine.site, boot_after(kept, self.clock.now().wall_ms)
        times = (self.world.village.heartbeat_ms, self.world.village.profile_ms)
        return Identity(site.area, site.gateway, instance, boot, self.machine.kboot, "world", site.digest, *times)


class _SeenInbox(Inbox):
    """The real inbox; the witness sees what the disk and the hub say. A dead process takes nothing."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    def put(self, item: Input) -> None:
        """See, then put."""
        if not self._process.alive:
            return
        witness = self._process.world.witness
        if isinstance(item, Stored):
            witness.stored(self._process, item.seqs)
        elif isinstance(item, Ordered):
            witness.ordered(self._process, item.order)
        super().put(item)


class _SeenLane(LaneBox):
    """The real lane; the witness sees every record as it is made."""

    def __init__(self, process: Process, *rest: Any, **words: Any) -> None:
        super().__init__(*rest, **words)
        self._process = process

    def emit(self, events: Sequence[Event], values: dict[str, bytes] | None = None) -> None:
        """See, then emit."""
        for event in events:
            self._process.world.witness.emitted(self._process, event, self._process.true_ms(event.at.mono_ns))
        super().emit(events, values)

    def report(self, reading: Reading) -> None:
        """See, then report."""
        true_ms = self._process.true_ms(reading.at.mono_ns)
        self._process.world.witness.reported(self._process.me, reading.seq, reading.point, true_ms)
        super().report(reading)


def _loaded(box: LaneBox) -> Loaded:
    loaded = box.outbox.open()
    box.take_up(loaded)
    return loaded
