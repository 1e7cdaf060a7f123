"""Arming and disarming: by order, by keyswitch, and what the end of an entry or exit delay means.

Times are monotonic ns. A premises or zone that the site does not have is a KeyError: the caller has checked.
"""

from __future__ import annotations

from edge.core.alarms import Alarms
from edge.core.bounds import NS_PER_MS, Detail
from edge.core.bypasses import Bypasses, Why
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.premises import ENTRY, EXIT, Partition
from edge.core.ringing import Ringing
from edge.core.site import Arming, Limits, Mode, ZoneKind
from edge.core.zone import Change, Wire
from edge.core.zones import Zones
from protocol.kinds import Kind, Qualifier
from protocol.records import Condition


class Keypad:
    """Every way in which a partition is armed or disarmed comes to `arm` or `disarm`."""

    def __init__(
        self,
        limits: Limits,
        partitions: dict[str, Partition],
        scribe: Scribe,
        deadlines: Deadlines,
        zones: Zones,
        ringing: Ringing,
        bypasses: Bypasses,
        alarms: Alarms,
    ) -> None:
        self._limits, self._partitions = limits, partitions
        self._scribe, self._deadlines, self._zones = scribe, deadlines, zones
        self._ringing, self._bypasses, self._alarms = ringing, bypasses, alarms

    def arm(self, premises: str, mode: Mode, how: str) -> list[str]:
        """Arm a partition; gives what hinders it, and then nothing has changed."""
        partition = self._partitions[premises]
        if partition.mode is mode:
            return []
        hindrances = partition.hindrances(mode, self._zones.of(premises), self._bypasses.why)
        if hindrances:
            return hindrances
        self._take_in(partition, Why.SWINGER)
        self._stop_waiting(premises)
        partition.arm(mode, self._scribe.now.mono_ns)
        if partition.exit_due_ns is not None:
            self._deadlines.set(Timer(EXIT, premises), partition.exit_due_ns)
        self._told(partition, Kind.ARMED, {"mode": mode.value, "by": how})
        return []

    def disarm(self, premises: str, how: str) -> None:
        """Disarm and fall silent; an intrusion inside the abort window is marked cancelled, an older one ends."""
        partition = self._partitions[premises]
        if partition.mode is Mode.DISARMED:
            return
        intruded, now_ns = partition.intruded, self._scribe.now.mono_ns
        abort_ns = self._limits.abort_ms * NS_PER_MS
        cancelled = {key for key, at_ns in intruded.items() if now_ns - at_ns <= abort_ns}
        self._stop_waiting(premises)
        partition.disarm()
        self._told(partition, Kind.DISARMED, {"by": how})
        for key in sorted(cancelled):
            self._scribe.emit(Kind.CANCEL, Qualifier.NEW, key, now_ns, Where(premises))
        over = set(intruded)
        for wire in self._zones.of(premises):
            if wire.zone.arming is not Arming.ALWAYS:
                over |= self._alarms.end_intrusion(wire.zone, cancelled)
        self._take_in(partition, *Why)
        if over:
            self._ringing.silence(over, premises)
            self._scribe.part(over, premises)

    def turned(self, wire: Wire, change: Change) -> None:
        """A keyswitch acts when it is turned; where it stands at start, or unseen, is where it stands."""
        premises = wire.zone.premises
        if wire.zone.kind is not ZoneKind.KEYSWITCH or change.was is None or change.was is change.now:
            return
        if change.now is Condition.NORMAL:
            self.disarm(premises, "keyswitch")
        elif change.now is Condition.ALARM and (hindrances := self.arm(premises, Mode.ARMED_AWAY, "keyswitch")):
            self._ringing.ring((self._scribe.new_key(),), premises, self._limits.chirp_ms)
            if self._partitions[premises].premises.report_arming:
                said = f"refused: {'; '.join(hindrances)}"
                self._scribe.report(f"premises/{premises}/arming", said, change.at_ns)

    def entry_over(self, premises: str, now_ns: int) -> None:
        """The entry delay ended at `now_ns` and nobody disarmed."""
        for zone, tripped_ns in self._partitions[premises].expire_entry().items():
            if zone not in self._bypasses:
                detail = {"entry_ms": (now_ns - tripped_ns) // NS_PER_MS}
                self._alarms.intrusion(self._zones.wires[zone].zone, now_ns, detail)

    def exit_over(self, premises: str, now_ns: int) -> None:
        """The exit delay ended at `now_ns`: a way out that was left open counts as somebody coming in (exit error)."""
        self._partitions[premises].exit_due_ns = None
        for wire in self._zones.of(premises):
            left_open = wire.condition is Condition.ALARM and wire.zone.entry_route
            if left_open and wire.zone.id not in self._bypasses and wire.zone.arming is not Arming.ALWAYS:
                self._alarms.tripped(wire, now_ns)

    def _told(self, partition: Partition, kind: Kind, detail: Detail) -> None:
        premises, now_ns = partition.premises, self._scribe.now.mono_ns
        self._scribe.changed = True
        if premises.report_arming:
            key = self._scribe.new_key()
            self._scribe.emit(kind, Qualifier.NEW, key, now_ns, Where(premises.id, detail=detail))
            self._scribe.report(f"premises/{premises.id}/arming", partition.mode.value, now_ns)

    def _take_in(self, partition: Partition, *whys: Why) -> None:
        """An armed period began or ended: what was left out for it is in again. When that was is the household's."""
        for wire in self._zones.of(partition.premises.id):
            if wire.zone.arming is not Arming.ALWAYS and self._bypasses.why.get(wire.zone.id) in whys:
                self._bypasses.remove(wire.zone.id, told=partition.premises.report_arming)

    def _stop_waiting(self, premises: str) -> None:
        self._deadlines.clear(Timer(ENTRY, premises))
        self._deadlines.clear(Timer(EXIT, premises))
