"""The gateway's fold: what a reading, an order, a receipt or a deadline means. Knows no clock, wire or disk.

    gateway = Gateway(site, memory, instance=instance, kboot=kboot, now=now)
    effects = gateway.start(now)              # once: outputs reconciled, sirens resumed or ended
    effects = gateway.step(item, now)         # for every input; `now` never runs backwards
    due_ns = gateway.next_due_ns()            # step with Tick() at or after it; None: nothing is waited for
    zones = gateway.birth_zones()             # for the birth message, as far as privacy lets them leave
    memory = gateway.memory()                 # what `Remember` last carried

The shell takes the inputs in the order in which they came, drains its inbox before it steps with `Tick`, and performs
the effects of a step in their order: `Emit` first, then `Drive`, `Answer` after the drives it speaks of, `Remember`
last and in the same transaction as the step's events. A `Drive` that the driver refuses is told back as
`Troubled("output/<output>", True, {"reason": ...})` (and `False` once it works); the shell turns the order's DONE into
FAILED with that reason. `Troubled("clock_set", True, detail)` makes a `clock` record, `Troubled("records_lost", True,
detail)` a `records_lost` record; every other fault is a `gateway_fault` that begins and ends.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.core.alarms import Alarms
from edge.core.answers import ANSWER, AnswerButtons
from edge.core.arming import Keypad
from edge.core.awaited import Awaited
from edge.core.bypasses import QUIET, Bypasses
from edge.core.deadlines import Deadlines, Timer
from edge.core.devices import Watched
from edge.core.events import Scribe, Where
from edge.core.io import Effect, Input, Looked, Memory, Ordered, Receipted, Remember, Stored, Tick, Troubled
from edge.core.lamps import LAMP, Lamps, Stage
from edge.core.loops import LOOPS, Loops
from edge.core.orders import Orders
from edge.core.premises import ENTRY, EXIT, Partition
from edge.core.proving import PROOF, Proofs
from edge.core.pulses import PULSE
from edge.core.ringing import SIREN, Ringing
from edge.core.schedules import DUE, UNSET, WARN, Schedules
from edge.core.silence import FRESH, Silence
from edge.core.site import Mode, Role, Site
from edge.core.switches import HELD, SETTLED, Switches
from edge.core.values import Values
from edge.core.zone import Change, Wire
from edge.core.zones import Zones
from protocol.kinds import Kind, Qualifier
from protocol.messages import ZoneBorn
from protocol.records import Stamp

DEBOUNCE = "debounce"
RECORDS = {"clock_set": Kind.CLOCK, "records_lost": Kind.RECORDS_LOST}
"""Troubles of the gateway that are each a record of their own and do not last."""


class Gateway:
    """One gateway process, `instance`; `kboot` names the kernel boot its monotonic time counts in."""

    def __init__(self, site: Site, memory: Memory, *, instance: str, kboot: str, now: Stamp) -> None:
        self._site = site
        self._deadlines = Deadlines()
        self._scribe = Scribe(site, memory, instance, now)
        self._ringing = Ringing(site, memory, kboot, self._scribe, self._deadlines)
        self._lamps = Lamps(site, memory, self._scribe, self._deadlines)
        self._zones = Zones(site, memory, self._scribe)
        self._kboot = kboot
        self._partitions = {p.id: Partition(p, Mode(memory.modes.get(p.id, p.mode))) for p in site.premises}
        for premises, period in memory.periods.items():
            if premises in self._partitions:
                self._partitions[premises].recall(period, kboot, now)
        zones = {zone.id: zone for zone in site.zones}
        self._bypasses = Bypasses(site.limits, zones, memory, self._scribe, self._deadlines)
        house = (site.limits, self._partitions, self._scribe, self._deadlines, self._zones, self._ringing)
        self._awaited = Awaited(zones, memory, instance, self._scribe)
        self._alarms = Alarms(*house, self._lamps, self._bypasses, self._awaited)
        self._keypad = Keypad(*house, self._bypasses, self._alarms)
        keeping = (self._scribe, self._deadlines)
        self._schedules = Schedules(site, memory, self._partitions, *keeping, self._keypad)
        self._switches = Switches(self._partitions, memory, *keeping, self._zones, self._keypad, self._schedules)
        self._answers = AnswerButtons(self._zones, self._ringing.called, self._scribe, self._deadlines)
        self._devices = _devices(site, self._zones)
        self._silence = Silence(self._devices, site.limits.device_lost_ms, self._scribe, self._deadlines, self._zones)
        self._values = Values(site, self._scribe)
        self._loops = Loops(site, memory, self._scribe, self._deadlines, self._zones)
        self._proofs = Proofs(site, memory, kboot, *keeping)
        hands = (self._zones, self._alarms, self._keypad, self._ringing, self._lamps, self._bypasses)
        self._orders = Orders(site, memory, self._scribe, *hands, self._awaited, self._is_silent)
        self._on: dict[str, Callable[[str, int], None]] = {
            DEBOUNCE: self._settle,
            FRESH: self._silence.due,
            SIREN: self._ringing.expire,
            ENTRY: self._keypad.entry_over,
            EXIT: self._keypad.exit_over,
            QUIET: self._alarms.quiet_over,
            HELD: self._switches.held,
            SETTLED: self._switches.settled,
            ANSWER: self._answers.held,
            LOOPS: self._loops.hour,
            DUE: self._schedules.due,
            WARN: self._schedules.warn,
            UNSET: self._schedules.unset,
            PROOF: self._proofs.due,
        }

    def start(self, now: Stamp) -> list[Effect]:
        """The first effects: every output to where it belongs. Call once, before the first step."""
        self._scribe.now = now
        self._alarms.recall()
        self._ringing.resume()
        self._lamps.resume()
        self._bypasses.resume()
        self._keypad.resume()
        self._switches.resume()
        self._loops.resume()
        self._schedules.resume()
        self._proofs.resume()
        self._silence.resume()
        return self._effects()

    def step(self, item: Input, now: Stamp) -> list[Effect]:
        """Take one input at `now`; time that runs backwards is an AssertionError. Unknown devices are ignored."""
        assert now.mono_ns >= self._scribe.now.mono_ns, "monotonic time does not run backwards"
        self._scribe.now = now
        self._schedules.clock()
        self._proofs.clock()
        if isinstance(item, Looked):
            # What was due before the look is settled by what was known before it, however late the look arrives.
            self._fire(min(item.reading.at_ns, now.mono_ns))
        match item:
            case Looked(reading):
                device = self._devices.get(reading.device)
                if device is not None:
                    self._look(device, item)
            case Ordered():
                self._orders.take(item)
            case Stored(seqs):
                self._lamps.advance(self._awaited.among(self._awaited.instance, seqs), Stage.STORED)
            case Receipted(seqs, instance):
                self._lamps.advance(self._awaited.receipted(instance or self._awaited.instance, seqs), Stage.RECEIVED)
            case Troubled():
                self._troubled(item)
            case Tick():
                pass
        self._fire(now.mono_ns)
        return self._effects()

    def next_due_ns(self) -> int | None:
        """Monotonic ns of the next deadline."""
        return self._deadlines.next_ns()

    def birth_zones(self) -> list[ZoneBorn]:
        """Every zone as it may be told at birth: its health, and its condition only where it reports every change."""
        return self._zones.born()

    def memory(self) -> Memory:
        """What must survive a restart, as it is now."""
        return Memory(
            modes={premises: partition.mode.value for premises, partition in self._partitions.items()},
            latched=dict(self._zones.latched),
            unlatching=sorted(self._zones.unlatching),
            rings=list(self._ringing.rings.values()),
            acted=dict(self._orders.acted.expiries),
            expired_ms=self._orders.acted.expired_ms,
            rung=dict(self._ringing.rung),
            stood_down=sorted(self._ringing.over),
            bypassed={zone: why.value for zone, why in self._bypasses.why.items()},
            open=dict(self._scribe.open),
            lamps={zone: stage.value for zone, stage in self._lamps.stages.items()},
            awaited=dict(self._awaited.records),
            again=sorted(self._awaited.again & self._zones.latched.keys()),
            periods={p: kept for p, one in self._partitions.items() if (kept := one.remembered(self._kboot))},
            stood=dict(self._switches.stood),
            loops=dict(self._loops.tallies),
            loop_hours=self._loops.hours,
            calls=self._ringing.called.remembered(),
            scheduled=dict(self._schedules.judged),
            hushed=list(self._ringing.hushed),
            proved=self._proofs.last,
        )

    def _effects(self) -> list[Effect]:
        if self._scribe.changed:
            self._scribe.changed = False
            self._scribe.add(Remember(self.memory()))
        return self._scribe.take()

    def _look(self, device: Watched, item: Looked) -> None:
        reading = item.reading
        for wire, value in device.look(reading):
            change = wire.look(value, reading.since_ns, reading.at_ns)
            if change is not None:
                self._changed(wire, change)
            timer = Timer(DEBOUNCE, wire.zone.id)
            if wire.pending is not None:
                self._deadlines.set(timer, wire.due_ns)
            else:
                self._deadlines.clear(timer)
        if reading.values:
            self._values.look(reading)
            self._loops.look(reading)
        if self._silence.looked(device, reading):
            self._restate(device.id)

    def _restate(self, device: str) -> None:
        """A device is there (again): it may have lost what its outputs were told."""
        for output in self._site.outputs:
            if output.target.partition("/")[0] == device:
                (self._ringing if output.role is Role.SIREN else self._lamps).restate(output)

    def _fire(self, until_ns: int) -> None:
        """Let come what is due, each at its own time. A deadline may set another; the beats of lamps and sirens step at
        most once a step."""
        beating = []
        while (came := self._deadlines.pop(until_ns)) is not None:
            timer, due_ns = came
            if timer.what in (LAMP, PULSE):
                beating.append(timer)
            else:
                self._on[timer.what](timer.of, due_ns)
        for timer in beating:
            (self._lamps.blink if timer.what == LAMP else self._ringing.pulses.step)(timer.of)

    def _settle(self, zone: str, due_ns: int) -> None:
        wire = self._zones.wires[zone]
        change = wire.settle(due_ns)
        if change is not None:
            self._changed(wire, change)

    def _changed(self, wire: Wire, change: Change) -> None:
        self._alarms.changed(wire, change)
        self._switches.moved(wire, change)
        self._answers.moved(wire, change)

    def _troubled(self, trouble: Troubled) -> None:
        now_ns = self._scribe.now.mono_ns
        if trouble.fault in RECORDS:
            key = self._scribe.new_key()
            self._scribe.emit(RECORDS[trouble.fault], Qualifier.NEW, key, now_ns, Where(detail=trouble.detail))
            return
        detail = {"fault": trouble.fault, **trouble.detail}
        say = self._scribe.begin if trouble.active else self._scribe.end
        say(f"fault/{trouble.fault}", Kind.GATEWAY_FAULT, now_ns, Where(detail=detail))

    def _is_silent(self, device: str) -> bool:
        known = self._devices.get(device)
        return known is not None and known.silent


def _devices(site: Site, zones: Zones) -> dict[str, Watched]:
    devices = {device: Watched(device, fresh_ms) for device, fresh_ms in site.fresh.items()}
    for wire in zones.wires.values():
        device, _, point = wire.zone.source.partition("/")
        watched = devices.setdefault(device, Watched(device, wire.zone.fresh_ms))
        watched.wires.setdefault(point, []).append(wire)
    return devices
