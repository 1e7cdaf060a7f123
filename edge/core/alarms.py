"""What a zone's change means: records, sirens, lamps, telemetry; and what may leave a home at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from edge.core.bypasses import Bypasses, Why
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import NS_PER_MS, Detail, Scribe, Where
from edge.core.io import Memory
from edge.core.lamps import Lamps
from edge.core.premises import Partition, Trip
from edge.core.ringing import Ringing
from edge.core.site import NATURES, Arming, Mode, Premises, Site, Zone, ZoneKind
from edge.core.zone import Change, Wire
from protocol.kinds import Kind, Qualifier
from protocol.records import Condition

ENTRY, EXIT = "entry", "exit"
TEXT_MAX = 512
PRESSES = frozenset({ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.SILENT_HOLDUP})
"""Pressed by a person: each press is a record, letting go is none."""
RINGS_OWN = frozenset({ZoneKind.SMOKE, ZoneKind.GAS})
"""The danger is in the house itself, so it is rung like its neighbours."""
HEALTH: dict[Condition, Literal["online", "fault", "unknown"]] = {
    Condition.NORMAL: "online",
    Condition.ALARM: "online",
    Condition.TAMPER: "fault",
    Condition.FAULT: "fault",
    Condition.UNKNOWN: "unknown",
}


class Alarms:
    """The zones with their wires, the partitions, and the latches. Changes come in, effects go to the scribe."""

    def __init__(
        self,
        site: Site,
        memory: Memory,
        scribe: Scribe,
        deadlines: Deadlines,
        ringing: Ringing,
        lamps: Lamps,
        bypasses: Bypasses,
    ) -> None:
        self.wires = {zone.id: Wire(zone) for zone in site.zones}
        self.partitions = {p.id: Partition(p, Mode(memory.modes.get(p.id, p.mode))) for p in site.premises}
        self.latched = {zone: key for zone, key in memory.latched.items() if zone in self.wires}
        self.unlatching: set[str] = set()
        self._health: dict[str, str] = {}
        self._limits = site.limits
        self._scribe, self._deadlines = scribe, deadlines
        self._ringing, self._lamps, self._bypasses = ringing, lamps, bypasses
        self._neighbours = {p.id: _neighbours(p, site) for p in site.premises}

    def wires_of(self, premises: str) -> list[Wire]:
        """The zones of one premises."""
        return [wire for wire in self.wires.values() if wire.zone.premises == premises]

    def shown(self, wire: Wire) -> Condition:
        """The condition to tell: a latched zone stays in alarm while its wire is well."""
        latched = wire.zone.id in self.latched and wire.condition is Condition.NORMAL
        return Condition.ALARM if latched else wire.condition

    def recall(self) -> None:
        """At start: a press that joins one of the process before is the same cause, as far as clocks can tell."""
        now = self._scribe.now
        for zone, key in [*self.latched.items(), *self._scribe.open.items()]:
            kind = NATURES[self.wires[zone].zone.kind].raises if zone in self.wires else None
            if kind is not None:
                walls = [wall for cause, wall in self._ringing.rung.items() if cause.startswith(f"{key}@")]
                age_ms = max(0, now.wall_ms - min(walls, default=now.wall_ms))
                self._scribe.recall(self.wires[zone].zone.premises, kind, key, now.mono_ns - age_ms * NS_PER_MS)

    def changed(self, wire: Wire, change: Change) -> None:
        """A zone's condition settled: telemetry first, then faults and tampering, then what it is there for."""
        self._tell(wire, change)
        if change.now is Condition.UNKNOWN:
            return
        self._facets(wire, change)
        partition = self.partitions[wire.zone.premises]
        if change.was is not None and change.was is not change.now and partition.live(wire):
            self._bypasses.moved(wire.zone, change.at_ns)
        if wire.zone.kind is ZoneKind.KEYSWITCH:
            self._key_turned(wire, change)
        elif change.now is Condition.ALARM and (change.was is not change.now or wire.zone.id not in self._scribe.open):
            self._alarm(wire, change.at_ns, known=self._known(wire.zone) if change.was is None else None)
        elif change.now is Condition.NORMAL:
            self._well(wire, change.at_ns)

    def _known(self, zone: Zone) -> str | None:
        return self._scribe.open.get(zone.id) or self.latched.get(zone.id)

    def _tell(self, wire: Wire, change: Change) -> None:
        zone = wire.zone
        if zone.report == "every":
            self._scribe.report(f"zone/{zone.id}", change.now.value, change.at_ns)
        health = HEALTH[change.now]
        if self._health.get(zone.id, "unknown") != health:
            self._health[zone.id] = health
            self._scribe.report(f"zone/{zone.id}/health", health, change.at_ns)

    def _facets(self, wire: Wire, change: Change) -> None:
        """Tampering and faults of a loop are recorded armed or not; each ends when the loop is otherwise."""
        where = self._where(wire.zone)
        for condition, kind in ((Condition.TAMPER, Kind.TAMPER), (Condition.FAULT, Kind.ZONE_FAULT)):
            facet = f"{wire.zone.id}/{condition}"
            if change.now is not condition:
                self._scribe.end(facet, kind, change.at_ns, where)
            elif self._bypasses.why.get(wire.zone.id) is not Why.CHATTER:
                self._scribe.begin(facet, kind, change.at_ns, where)

    def _alarm(self, wire: Wire, at_ns: int, known: str | None = None) -> None:
        zone, kind = wire.zone, NATURES[wire.zone.kind].raises
        partition = self.partitions[zone.premises]
        if kind is None or zone.id in self._bypasses or not partition.live(wire):
            return
        if known is not None:
            self._scribe.hold(zone.id, known)
            self._scribe.emit(kind, Qualifier.PRESENT, known, at_ns, self._where(zone))
        elif zone.arming is Arming.ALWAYS:
            self._raise(zone, kind, at_ns)
        else:
            self._tripped(wire, partition, at_ns)

    def _tripped(self, wire: Wire, partition: Partition, at_ns: int) -> None:
        trip = partition.trip(wire, at_ns)
        if trip is Trip.INTRUSION:
            self._intrusion(wire.zone, partition, at_ns)
        elif trip is Trip.ENTRY and partition.entry_due_ns is not None:
            self._deadlines.set(Timer(ENTRY, partition.premises.id), partition.entry_due_ns)

    def _intrusion(self, zone: Zone, partition: Partition, at_ns: int, detail: Detail | None = None) -> None:
        kind = NATURES[zone.kind].raises or Kind.INTRUSION
        key = self._raise(zone, kind, at_ns, detail)
        partition.intruded.setdefault(key, self._scribe.now.mono_ns)
        self._bypasses.tripped(zone, partition, at_ns)

    def _raise(self, zone: Zone, kind: Kind, at_ns: int, detail: Detail | None = None) -> str:
        """Record an alarm and do what goes with it at once, before anybody outside knows."""
        if zone.id in self.latched and zone.kind not in PRESSES:
            standing = self._scribe.joined_key(zone.premises, kind, at_ns)
            if standing == self.latched[zone.id]:  # it has not been reset: the alarm stands, this is no other
                return self._scribe.hold(zone.id, standing)
        shared = zone.kind in PRESSES or NATURES[zone.kind].rings_group or zone.arming is not Arming.ALWAYS
        key = self._scribe.joined_key(zone.premises, kind, at_ns) if shared else self._scribe.new_key()
        event = self._scribe.emit(kind, Qualifier.NEW, key, at_ns, self._where(zone, detail))
        self._scribe.hold(zone.id, key)
        if zone.latches:
            self.latched[zone.id] = key
            self.unlatching.discard(zone.id)
            self._scribe.changed = True
        if not NATURES[zone.kind].silent:
            self._ring(zone, key)
            self._lamps.pressed(zone.id, event.seq)
        return key

    def _ring(self, zone: Zone, key: str) -> None:
        house = zone.kind in RINGS_OWN or zone.arming is not Arming.ALWAYS
        if house:
            self._ringing.ring((key,), zone.premises, self._limits.siren_house_ms)
        if NATURES[zone.kind].rings_group:
            for neighbour in self._neighbours[zone.premises]:
                self._ringing.ring((key,), neighbour, self._limits.siren_group_ms)

    def _well(self, wire: Wire, at_ns: int) -> None:
        zone = wire.zone
        if zone.id in self.latched:
            if zone.id in self.unlatching:
                self.unlatch(zone.id)
            elif zone.kind in PRESSES:
                self._scribe.drop(zone.id)
            return
        kind = NATURES[zone.kind].raises
        if zone.kind in PRESSES or kind is None:
            self._scribe.drop(zone.id)
        else:
            self._scribe.end(zone.id, kind, at_ns, self._where(zone))

    def unlatch(self, zone: str) -> None:
        """End a latched alarm whose wire is well, and say so."""
        wire, now_ns = self.wires[zone], self._scribe.now.mono_ns
        assert wire.condition is not Condition.ALARM, "a zone in alarm is not reset"
        key = self.latched.pop(zone)
        self.unlatching.discard(zone)
        self._scribe.drop(zone)
        self._scribe.part([key], wire.zone.premises)
        self._scribe.changed = True
        self._lamps.dark(zone)
        kind = NATURES[wire.zone.kind].raises
        if kind is not None:
            self._scribe.emit(kind, Qualifier.RESTORE, key, now_ns, self._where(wire.zone))
        if wire.zone.report == "every":
            self._scribe.report(f"zone/{zone}", self.shown(wire).value, now_ns)

    def arm(self, premises: str, mode: Mode, how: str) -> list[str]:
        """Arm a partition; gives what hinders it, and then nothing has changed."""
        partition = self.partitions[premises]
        if partition.mode is mode:
            return []
        hindrances = partition.hindrances(mode, self.wires_of(premises), self._bypasses.why)
        if hindrances:
            return hindrances
        self._take_in(partition, Why.SWINGER)
        self._stop_waiting(premises)
        partition.arm(mode, self._scribe.now.mono_ns)
        if partition.exit_due_ns is not None:
            self._deadlines.set(Timer(EXIT, premises), partition.exit_due_ns)
        self._arming_told(partition, Kind.ARMED, {"mode": mode.value, "by": how})
        return []

    def disarm(self, premises: str, how: str) -> None:
        """Disarm and fall silent; an intrusion inside the abort window is marked cancelled, an older one ends."""
        partition = self.partitions[premises]
        if partition.mode is Mode.DISARMED:
            return
        intruded, now_ns = partition.intruded, self._scribe.now.mono_ns
        abort_ns = self._limits.abort_ms * NS_PER_MS
        cancelled = {key for key, at_ns in intruded.items() if now_ns - at_ns <= abort_ns}
        self._stop_waiting(premises)
        partition.disarm()
        self._arming_told(partition, Kind.DISARMED, {"by": how})
        for key in sorted(cancelled):
            self._scribe.emit(Kind.CANCEL, Qualifier.NEW, key, now_ns, Where(premises))
        for wire in self.wires_of(premises):
            if wire.zone.arming is not Arming.ALWAYS:
                self._end_intrusion(wire.zone, cancelled, intruded)
        self._take_in(partition, *Why)
        if intruded:
            self._ringing.silence(intruded, premises)
            self._scribe.part(intruded, premises)

    def _end_intrusion(self, zone: Zone, cancelled: set[str], intruded: dict[str, int]) -> None:
        key = self._scribe.open.get(zone.id)
        if key is not None:
            intruded.setdefault(key, 0)  # one of the process before: its siren falls silent too
            kind = NATURES[zone.kind].raises or Kind.INTRUSION
            if key in cancelled:
                self._scribe.drop(zone.id)
            else:
                self._scribe.end(zone.id, kind, self._scribe.now.mono_ns, self._where(zone))
        if zone.id in self.latched:
            intruded.setdefault(self.latched.pop(zone.id), 0)
            self._scribe.changed = True

    def entry_over(self, premises: str, now_ns: int) -> None:
        """The entry delay ended and nobody disarmed."""
        partition = self.partitions[premises]
        for zone, tripped_ns in partition.expire_entry().items():
            detail = {"entry_ms": (now_ns - tripped_ns) // NS_PER_MS}
            if zone not in self._bypasses:
                self._intrusion(self.wires[zone].zone, partition, now_ns, detail)

    def exit_over(self, premises: str, now_ns: int) -> None:
        """The exit delay ended: a way out that was left open counts as somebody coming in (exit error)."""
        partition = self.partitions[premises]
        partition.exit_due_ns = None
        for wire in self.wires_of(premises):
            left_open = wire.condition is Condition.ALARM and wire.zone.entry_route
            if left_open and wire.zone.id not in self._bypasses and wire.zone.arming is not Arming.ALWAYS:
                self._tripped(wire, partition, now_ns)

    def quiet_over(self, zone: str, now_ns: int) -> None:
        """A zone left out for swinging or chattering has been quiet; if it is in alarm now, that counts."""
        self._bypasses.remove(zone)
        wire = self.wires[zone]
        self.partitions[wire.zone.premises].trips.pop(zone, None)
        if wire.condition is Condition.ALARM and zone not in self._scribe.open:
            self._alarm(wire, now_ns)

    def tell_all(self) -> None:
        """Say every zone's health again, and its condition where that may leave."""
        now_ns = self._scribe.now.mono_ns
        for zone, wire in self.wires.items():
            self._scribe.report(f"zone/{zone}/health", HEALTH[wire.condition], now_ns)
            if wire.zone.report == "every":
                self._scribe.report(f"zone/{zone}", self.shown(wire).value, now_ns)

    def _key_turned(self, wire: Wire, change: Change) -> None:
        """A keyswitch acts when it is turned; where it stands at start is where it stands."""
        premises = wire.zone.premises
        if change.was is None or change.was is change.now:
            return
        if change.now is Condition.NORMAL:
            self.disarm(premises, "keyswitch")
        elif change.now is Condition.ALARM and (hindrances := self.arm(premises, Mode.ARMED_AWAY, "keyswitch")):
            self._ringing.ring((self._scribe.new_key(),), premises, self._limits.chirp_ms)
            if self.partitions[premises].premises.report_arming:
                said = f"refused: {'; '.join(hindrances)}"
                self._scribe.report(f"premises/{premises}/arming", said[:TEXT_MAX], change.at_ns)

    def _arming_told(self, partition: Partition, kind: Kind, detail: Detail) -> None:
        premises, now_ns = partition.premises, self._scribe.now.mono_ns
        self._scribe.changed = True
        if premises.report_arming:
            key = self._scribe.new_key()
            self._scribe.emit(kind, Qualifier.NEW, key, now_ns, Where(premises.id, detail=detail))
            self._scribe.report(f"premises/{premises.id}/arming", partition.mode.value, now_ns)

    def _take_in(self, partition: Partition, *whys: Why) -> None:
        """An armed period began or ended: what was left out for it is in again. When that was is the household's."""
        for wire in self.wires_of(partition.premises.id):
            if wire.zone.arming is not Arming.ALWAYS and self._bypasses.why.get(wire.zone.id) in whys:
                self._bypasses.remove(wire.zone.id, told=partition.premises.report_arming)

    def _stop_waiting(self, premises: str) -> None:
        self._deadlines.clear(Timer(ENTRY, premises))
        self._deadlines.clear(Timer(EXIT, premises))

    def _where(self, zone: Zone, detail: Detail | None = None) -> Where:
        device = zone.source.partition("/")[0]
        return Where(zone.premises, zone.id, {"device": device, **(detail or {})})


def _neighbours(premises: Premises, site: Site) -> tuple[str, ...]:
    """The other premises of this gateway that share a group with `premises`."""
    others: Iterable[Premises] = (other for other in site.premises if other.id != premises.id)
    shared = set(premises.groups) | {group for group, members in site.groups.items() if premises.id in members}
    return tuple(o.id for o in others if shared & set(o.groups) or any(o.id in site.groups.get(g, ()) for g in shared))
