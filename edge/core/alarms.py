"""What a zone's change means: records, latches, sirens and lamps. Times are monotonic ns."""

from __future__ import annotations

from edge.core.awaited import Awaited
from edge.core.bounds import NS_PER_MS, Detail
from edge.core.bypasses import Bypasses, Why
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.lamps import Lamps
from edge.core.premises import ENTRY, Partition, Trip
from edge.core.ringing import Ringing
from edge.core.site import NATURES, Arming, Limits, Zone, ZoneKind
from edge.core.zone import Change, Wire
from edge.core.zones import Zones
from protocol.kinds import Kind, Qualifier
from protocol.records import Condition

PRESSES = frozenset({ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.SILENT_HOLDUP})
"""Pressed by a person: each press is a record, letting go is none."""
RINGS_OWN = frozenset({ZoneKind.SMOKE, ZoneKind.GAS})
"""The danger is in the house itself, so it is rung like its neighbours."""


class Alarms:
    """What alarms, tampering and faults of the zones set off here, before anybody outside knows."""

    def __init__(
        self,
        limits: Limits,
        partitions: dict[str, Partition],
        scribe: Scribe,
        deadlines: Deadlines,
        zones: Zones,
        ringing: Ringing,
        lamps: Lamps,
        bypasses: Bypasses,
        awaited: Awaited,
    ) -> None:
        self._limits, self._partitions = limits, partitions
        self._scribe, self._deadlines, self._zones = scribe, deadlines, zones
        self._ringing, self._lamps, self._bypasses = ringing, lamps, bypasses
        self._awaited = awaited
        self.unseen: set[str] = set()
        """Premises whose keyswitch nobody has seen since the start: it may have been turned, so nothing is judged."""

    def recall(self) -> None:
        """At start: a press that joins one of the process before is the same cause, as far as clocks can tell."""
        now, wires, over = self._scribe.now, self._zones.wires, self._zones.over()
        for zone, key in [*self._zones.latched.items(), *self._scribe.open.items()]:
            kind = NATURES[wires[zone].zone.kind].raises if zone in wires else None
            if kind is not None and key not in over:
                walls = [wall for cause, wall in self._ringing.rung.items() if cause.startswith(f"{key}@")]
                age_ms = max(0, now.wall_ms - min(walls, default=now.wall_ms))
                self._scribe.recall(wires[zone].zone.premises, kind, key, now.mono_ns - age_ms * NS_PER_MS)

    def changed(self, wire: Wire, change: Change) -> None:
        """A zone's condition settled: telemetry first, then faults and tampering, then what it is there for."""
        self._zones.tell(wire.zone, change)
        if change.now is Condition.UNKNOWN:
            return
        self._facets(wire, change)
        live = self._partitions[wire.zone.premises].live(wire)
        if change.was is not None and change.was is not change.now and live:
            self._bypasses.moved(wire.zone, change.at_ns)
        if change.now is Condition.ALARM and (change.was is not change.now or wire.zone.id not in self._scribe.open):
            self._alarm(wire, change.at_ns, known=self._known(wire.zone) if change.was is None else None)
        elif change.now is Condition.NORMAL:
            self._well(wire, change.at_ns)

    def _known(self, zone: Zone) -> str | None:
        """The cause it stood in alarm for when the last process ended. A button that had been let go by then, however
        its call still stands, was pressed anew while nobody looked."""
        held = self._scribe.open.get(zone.id)
        return held if zone.kind in PRESSES else held or self._zones.latched.get(zone.id)

    def _facets(self, wire: Wire, change: Change) -> None:
        """Tampering and faults of a loop are recorded armed or not; each ends when the loop is otherwise."""
        where = _where(wire.zone)
        for condition, kind in ((Condition.TAMPER, Kind.TAMPER), (Condition.FAULT, Kind.ZONE_FAULT)):
            facet = f"{wire.zone.id}/{condition}"
            if change.now is not condition:
                self._scribe.end(facet, kind, change.at_ns, where)
            elif self._bypasses.why.get(wire.zone.id) is not Why.CHATTER:
                said: Detail = {"loop": wire.band.says} if wire.band is not None and wire.band.says else {}
                self._scribe.begin(facet, kind, change.at_ns, _where(wire.zone, said))

    def _alarm(self, wire: Wire, at_ns: int, known: str | None = None) -> None:
        zone, kind = wire.zone, NATURES[wire.zone.kind].raises
        live = self._partitions[zone.premises].live(wire)
        if kind is None or zone.id in self._bypasses or not live:
            return
        if zone.arming is not Arming.ALWAYS and zone.premises in self.unseen:
            return
        if zone.id in self._partitions[zone.premises].passed:
            return
        if known is not None:
            self._scribe.hold(zone.id, known)
            self._scribe.emit(kind, Qualifier.PRESENT, known, at_ns, _where(zone))
        elif zone.arming is Arming.ALWAYS:
            self._raise(zone, kind, at_ns)
        else:
            self.tripped(wire, at_ns)

    def tripped(self, wire: Wire, at_ns: int) -> None:
        """An armed zone went into alarm at `at_ns`: an intrusion, or somebody on the way in."""
        partition = self._partitions[wire.zone.premises]
        trip = partition.trip(wire, at_ns)
        if trip is Trip.INTRUSION:
            self.intrusion(wire.zone, at_ns)
        elif trip is Trip.ENTRY and partition.entry_due_ns is not None:
            partition.at, self._scribe.changed = self._scribe.now, True
            self._deadlines.set(Timer(ENTRY, partition.premises.id), partition.entry_due_ns)

    def intrusion(self, zone: Zone, at_ns: int, detail: Detail | None = None) -> None:
        """Raise an intrusion, and count it as a trip of this armed period."""
        partition = self._partitions[zone.premises]
        if zone.id in partition.left_open:
            partition.left_open.discard(zone.id)
            detail = {**(detail or {}), "exit_error": True}
        key = self._raise(zone, NATURES[zone.kind].raises or Kind.INTRUSION, at_ns, detail)
        partition.intruded.setdefault(key, self._scribe.now.mono_ns)
        partition.at, self._scribe.changed = self._scribe.now, True
        self._bypasses.tripped(zone, partition, at_ns)

    def seen(self, premises: str) -> None:
        """The keyswitch has been seen, or is not to be waited for: what stands open is judged now."""
        if premises not in self.unseen:
            return
        self.unseen.discard(premises)
        for wire in self._zones.of(premises):
            if wire.zone.arming is not Arming.ALWAYS and wire.condition is Condition.ALARM:
                self._alarm(wire, self._scribe.now.mono_ns, known=self._known(wire.zone))

    def end_intrusion(self, zone: Zone, cancelled: set[str]) -> set[str]:
        """Its partition was disarmed: the alarm ends, untold where it is `cancelled`; gives the causes it stood for."""
        over = set()
        key = self._scribe.open.get(zone.id)
        if key is not None:
            over.add(key)
            if key in cancelled:
                self._scribe.drop(zone.id)
            else:
                kind = NATURES[zone.kind].raises or Kind.INTRUSION
                self._scribe.end(zone.id, kind, self._scribe.now.mono_ns, _where(zone))
        if zone.id in self._zones.latched:
            over.add(self._zones.unlatch(zone.id))
        return over

    def _raise(self, zone: Zone, kind: Kind, at_ns: int, detail: Detail | None = None) -> str:
        """Record an alarm and do what goes with it at once, before anybody outside knows."""
        if zone.id in self._zones.latched and zone.kind not in PRESSES:
            standing = self._scribe.joined_key(zone.premises, kind, at_ns)
            if standing == self._zones.latched[zone.id]:  # it has not been reset: the alarm stands, this is no other
                return self._scribe.hold(zone.id, standing)
        shared = zone.kind in PRESSES or NATURES[zone.kind].rings_group or zone.arming is not Arming.ALWAYS
        key = self._scribe.joined_key(zone.premises, kind, at_ns) if shared else self._scribe.new_key()
        event = self._scribe.emit(kind, Qualifier.NEW, key, at_ns, _where(zone, detail))
        self._scribe.hold(zone.id, key)
        self._awaited.made(zone.id, event.seq, again=key in self._zones.latched.values())
        if zone.latches:
            self._zones.latch(zone, key, at_ns)
        if NATURES[zone.kind].silent:
            self._ringing.hush([key])
        else:
            self._ring(zone, key)
            self._lamps.pressed(zone.id)
        return key

    def _ring(self, zone: Zone, key: str) -> None:
        house = zone.kind in RINGS_OWN or zone.arming is not Arming.ALWAYS
        if house:
            self._ringing.ring((key,), zone.premises, self._limits.siren_house_ms)
        if NATURES[zone.kind].rings_group:
            for neighbour in self._ringing.neighbours[zone.premises]:
                self._ringing.call((key,), neighbour, self._limits.siren_group_ms, zone.premises)

    def _well(self, wire: Wire, at_ns: int) -> None:
        zone, passed = wire.zone, self._partitions[wire.zone.premises].passed
        if zone.id in passed:
            passed.discard(zone.id)
            self._scribe.changed = True
        if zone.id in self._zones.latched:
            if zone.id in self._zones.unlatching:
                self.unlatch(zone.id)
            elif zone.kind in PRESSES:
                self._scribe.drop(zone.id)
            return
        kind = NATURES[zone.kind].raises
        if zone.kind in PRESSES or kind is None:
            self._scribe.drop(zone.id)
        else:
            self._scribe.end(zone.id, kind, at_ns, _where(zone))

    def unlatch(self, zone: str) -> None:
        """End a latched alarm and say so. The zone is latched and its wire not in alarm; else AssertionError."""
        wire, now_ns = self._zones.wires[zone], self._scribe.now.mono_ns
        assert wire.condition is not Condition.ALARM, "a zone in alarm is not reset"
        key = self._zones.unlatch(zone)
        self._scribe.drop(zone)
        self._scribe.part([key], wire.zone.premises)
        self._lamps.dark(zone)
        kind = NATURES[wire.zone.kind].raises
        if kind is not None:
            self._scribe.emit(kind, Qualifier.RESTORE, key, now_ns, _where(wire.zone))
        if wire.zone.report == "every":
            self._scribe.report(f"zone/{zone}", self._zones.shown(wire).value, now_ns)

    def quiet_over(self, zone: str, now_ns: int) -> None:
        """A zone left out for swinging or chattering has been quiet; if it is in alarm now, that counts."""
        self._bypasses.remove(zone)
        wire = self._zones.wires[zone]
        self._partitions[wire.zone.premises].trips.pop(zone, None)
        self._scribe.changed = True
        if wire.condition is Condition.ALARM and zone not in self._scribe.open:
            self._alarm(wire, now_ns)


def _where(zone: Zone, detail: Detail | None = None) -> Where:
    device = zone.source.partition("/")[0]
    return Where(zone.premises, zone.id, {"device": device, **(detail or {})})
