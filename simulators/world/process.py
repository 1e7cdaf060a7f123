"""A gateway's process: the real fold, lanes, uplink and inward, put together in the order of edge.app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from edge import beginning
from edge.beginning import chained, kboot_before
from edge.clock import CHECK_MS, Clock
from edge.core.bounds import stamp_at
from edge.core.delivery import Delivery
from edge.core.entries import ALARM, TELEMETRY, Batch
from edge.core.gateway import Gateway
from edge.core.io import (
    Answer,
    Drive,
    Effect,
    Emit,
    Input,
    Looked,
    Memory,
    Ordered,
    Receipted,
    Remember,
    Report,
    Stored,
    Tick,
    Troubled,
)
from edge.inbox import Inbox
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from edge.self_watch import SelfWatch
from edge.store import Loaded
from edge.uplink import Uplink
from protocol.link import Incoming
from protocol.messages import VERSION, Outcome, Reply, Result
from protocol.records import Event, Lane, Reading
from simulators.world.disk import CardStore, SimCommitter
from simulators.world.loop import NS_PER_MS
from simulators.world.loop import Event as Coming
from simulators.world.uplink import Ways
from simulators.world.village import LOOK_MS

if TYPE_CHECKING:
    from edge.app import App
    from simulators.world.machine import Machine

STARTS_MS = 400
TELEMETRY_EVERY_LOOKS = 12
FAILED_MS = 5_000
SYNCED_ERROR_MS = 20
MADE_MS = 1_990_000_000_000
"""When the software was made in the world's time, some months before it begins; never a file's time of ours."""


class Process:
    """From its start until it is killed. `looks` once its drivers read."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.loop, self.world = machine, machine.loop, machine.world
        self.alive, self.looks = True, False
        self.began_ms = machine.loop.now_ms
        self.inbox, self.effects = Inbox(), self
        self.drivers: dict[str, Any] = {}
        self._pumping = False
        self._seq = 0
        self._led = 0
        self._tick: Coming | None = None
        self._edges: set[str] = set()
        self._looked_ns: dict[str, int] = {}
        rng = machine.rng
        self.alarm = self._lane(Lane.ALARM)
        self.telemetry = self._lane(Lane.TELEMETRY)
        self._committers = [self._committer(box) for box in (self.alarm, self.telemetry)]
        kept = [self._loaded(box) for box in (self.alarm, self.telemetry)]
        self.clock = Clock(
            _saved(kept, "wall_ms"),
            mono_ns=machine.mono_ns,
            wall_ns=machine.wall_ns,
            error_ms=lambda: SYNCED_ERROR_MS if machine.synced else None,
            made_ms=MADE_MS,
        )
        self.me = self._identity(kept, f"{rng.getrandbits(128):032x}")
        self.kboot_before = kboot_before(kept, self.me.kboot)
        for box in (self.alarm, self.telemetry):
            box.me = self.me
            box.outbox.put([], chained(self.me, self.kboot_before))
        now, memory = self.clock.now(), self._memory(kept[0])
        self.gateway = Gateway(machine.site, memory, instance=self.me.instance, kboot=self.me.kboot, now=now)
        self.inward = Inward(
            self.me,
            self.clock,
            self.world.keys,
            on_order=self._ordered,
            on_config=lambda text: [],
            on_alarm_receipt=self._alarm_receipted,
            on_behind=self._behind,
        )
        rest = (self.inward, self.clock, self.gateway.birth_zones)
        self.uplink = Uplink(self.me, self.alarm, self.telemetry, *rest)
        self.ways = Ways(self.loop, self.world.net, self.uplink, rng, sent=self._sent, hears=self._hears)
        self.world.witness.began(self)
        self._perform(self.gateway.start(self.clock.now()))
        for receipted in beginning.receipted(self.gateway, self.alarm):
            self.put(receipted)
        self.ways.connect()
        self._watch = _Watch(cast("App", self))
        self._watch.begin()
        self.loop.after(STARTS_MS, self._first_looks)
        self._set_tick()

    def die(self) -> None:
        """Killed: nothing is said, nothing is finished."""
        self.alive = self.looks = False
        self.world.witness.ended(self)
        self.ways.die()
        for committer in self._committers:
            committer.die()

    def put(self, item: Input) -> None:
        """Give the fold an input."""
        if not self.alive:
            return
        self.inbox.put(item)
        if not self._pumping:
            self._pumping = True
            self.loop.at(self.loop.now_ns, self._pump)

    def edge(self, device: str) -> None:
        """A line changed: the kernel stamps it, the driver reads it a moment later."""
        if self.looks and device not in self._edges:
            self._edges.add(device)
            self.loop.at(self.loop.now_ns + NS_PER_MS // 5, self._look, device, True)

    def report(self, point: str, value: bool | int | float | str, at_ns: int | None = None) -> None:
        """Number and stamp a telemetry record."""
        now = self.clock.now()
        self._seq += 1
        at = stamp_at(now, now.mono_ns if at_ns is None else at_ns)
        self.world.witness.reported(self.me, self._seq, point, self._true_ms(at.mono_ns))
        self.telemetry.report(Reading(self._seq, point, value, at))

    def save_time(self) -> None:
        """As edge.app does."""
        for box in (self.alarm, self.telemetry):
            box.emit([], {"wall_ms": b"%d" % self.clock.past_ms()})

    def free_since_ms(self) -> int:
        """Since when the alarm lane has a connection it may send on."""
        return self.ways.of[Lane.ALARM].serving_ms

    def _true_ms(self, mono_ns: int) -> int:
        return self.loop.now_ms - (self.clock.mono_ns() - mono_ns) // NS_PER_MS

    def _first_looks(self) -> None:
        if not self.alive:
            return
        self.looks = True
        for at, device in enumerate(self.machine.values):
            self._look(device, False)
            self.loop.after(LOOK_MS * (at + 1) / len(self.machine.values), self._look_on, device)
        self.loop.after(CHECK_MS, self._watch_on)

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
        self.put(Looked(self.machine.reading(device, at_ns, since_ns)))

    def _watch_on(self) -> None:
        if self.alive:
            self._watch.look()
            self.world.witness.probed(self)
            self.loop.after(CHECK_MS, self._watch_on)

    def _pump(self) -> None:
        self._pumping = False
        while self.alive and len(self.inbox):
            self._perform(self.gateway.step(self.inbox.take(), self.clock.now()))
        self._set_tick()

    def _set_tick(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        due_ns = self.gateway.next_due_ns()
        if due_ns is not None and self.alive:
            self._tick = self.loop.at(self.loop.now_ns + max(0, due_ns - self.clock.mono_ns()), self._due)

    def _due(self) -> None:
        self._tick = None
        if self.alive and not self._pumping:
            self._perform(self.gateway.step(Tick(), self.clock.now()))
            self._set_tick()

    def _perform(self, effects: list[Effect]) -> None:
        """Outbox and uplink take the records of a step side by side; outputs and answers go their own ways."""
        events = [effect.event for effect in effects if isinstance(effect, Emit)]
        memories = [effect.memory for effect in effects if isinstance(effect, Remember)]
        if events or memories:
            self._emit(events, memories)
        failed: dict[str, str] = {}
        premises = {output.id: output.premises for output in self.machine.site.outputs}
        for effect in effects:
            match effect:
                case Drive(output, target, on):
                    if not self.machine.drive(output, target, on):
                        failed[premises[output]] = f"{output}: still being tried"
                case Report(point, value, at_ns):
                    self.report(point, value, at_ns)
                case Answer(order, results):
                    self.world.witness.answered(self, order, results)
                    told = [_told(result, failed) for result in results]
                    self.loop.after(FAILED_MS if failed else 0, self._reply, order, told)
                case _:
                    pass

    def _emit(self, events: list[Event], memories: list[Memory]) -> None:
        values = {"memory": msgspec.json.encode(memories[-1])} if memories else None
        for event in events:
            self.world.witness.emitted(self, event, self._true_ms(event.at.mono_ns))
        self.alarm.emit(events, values)
        if events:
            self.uplink.alarm_made()

    def _reply(self, order: str, results: list[Result]) -> None:
        if self.alive:
            self.uplink.replies.put(Reply(VERSION, self.me.instance, self.me.boot, order, results, at=self.clock.now()))

    def _ordered(self, ordered: Ordered) -> None:
        self.world.witness.ordered(self, ordered.order)
        self.put(ordered)

    def _sent(self, lane: Lane, batch: Batch) -> None:
        self.world.witness.sent(self, lane, batch)

    def _hears(self, lane: Lane, message: Incoming) -> None:
        self.world.witness.hears(self, lane, message.topic, message.data)

    def _alarm_receipted(self) -> None:
        self.uplink.alarm_receipted()

    def _behind(self, boot: int) -> None:
        """As edge.app does."""
        if boot > self._led:
            self._led = boot
            self.uplink.lead(boot)
            for box in (self.alarm, self.telemetry):
                box.outbox.put([], {"boot": b"%d" % boot})

    def _receipted(self, instance: str, seqs: tuple[int, ...]) -> None:
        self.put(Receipted(seqs, instance))

    def _stored(self, seqs: tuple[int, ...]) -> None:
        self.world.witness.stored(self, seqs)
        self.put(Stored(seqs))

    def _troubled(self, name: str, active: bool, detail: dict[str, str | int | float | bool]) -> None:
        self.put(Troubled(name, active, detail))

    def _lane(self, lane: Lane) -> LaneBox:
        alarm = lane is Lane.ALARM
        stored, receipted = (self._stored, self._receipted) if alarm else (_nothing, _nothing)
        store = CardStore(self.machine.card, lane, lambda: self.loop.now_ms)
        limits = Delivery(ALARM if alarm else TELEMETRY)
        return LaneBox(lane, limits, store, on_stored=stored, on_receipted=receipted, on_fault=self._troubled)

    def _committer(self, box: LaneBox) -> SimCommitter:
        return SimCommitter(box.outbox, self.loop, self.machine.card, self.machine.rng)

    def _loaded(self, box: LaneBox) -> Loaded:
        loaded = box.outbox.open()
        box.take_up(loaded)
        return loaded

    def _identity(self, kept: list[Loaded], instance: str) -> Identity:
        """As edge.app does: the boot number rises even past a lost card."""
        site, village = self.machine.site, self.world.village
        boot = max(_saved(kept, "boot") + 1, self.clock.now().wall_ms // 1000)
        return Identity(
            site.area,
            site.gateway,
            instance,
            boot,
            self.machine.kboot,
            "world",
            site.digest,
            village.heartbeat_ms,
            village.profile_ms,
        )

    def _memory(self, kept: Loaded) -> Memory:
        return msgspec.json.decode(kept.values.get("memory", b"{}"), type=Memory)


class _Watch(SelfWatch):
    """The real self-watch, looked at from outside."""

    _look_n = 0

    def begin(self) -> None:
        """As it begins."""
        self._begin()

    def look(self) -> None:
        """One round."""
        self._clock()
        self._link()
        self._inbox()
        if self._look_n % TELEMETRY_EVERY_LOOKS == 0:
            self._report({"health/disk_free_percent": 50.0})
            self._app.save_time()
        self._look_n += 1


def _told(result: Result, failed: dict[str, str]) -> Result:
    if result.premises in failed and result.outcome is Outcome.DONE:
        return msgspec.structs.replace(result, outcome=Outcome.FAILED, reason=failed[result.premises])
    return result


def _saved(kept: list[Loaded], name: str) -> int:
    found = [one.values[name] for one in kept if name in one.values]
    return max((int(value) for value in found if value.isdigit()), default=0)


def _nothing(*words: object) -> None:
    """Telemetry lights no lamp."""
