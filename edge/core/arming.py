"""Arming and disarming, whoever asks for it, and what the end of an entry or exit delay means.

Times are monotonic ns. A premises or zone that the site does not have is a KeyError: the caller has checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge.core.alarms import Alarms
from edge.core.bounds import NS_PER_MS, Detail, listed
from edge.core.bypasses import STAYS, Bypasses, Why
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.premises import ENTRY, EXIT, Partition
from edge.core.ringing import Ringing
from edge.core.silence import SETTLE_MS
from edge.core.site import Arming, Limits, Mode
from edge.core.zones import Zones
from protocol.kinds import Kind, Qualifier
from protocol.records import Condition

TOLD = ((Kind.ARMED, Kind.DISARMED), (Kind.AUTO_ARMED, Kind.AUTO_DISARMED))
"""Records of arming and disarming, by somebody and by a schedule."""
SCHEDULE = "schedule"
"""Who armed or disarmed, where nobody did."""


class Armed(NamedTuple):
    """What became of arming: the reasons against it, or of the zones that were left out for it."""

    refused: Sequence[str] = ()
    left_out: Sequence[str] = ()


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
        self.by_hand: dict[str, int] = {}
        """When somebody last armed or disarmed a premises, and no schedule."""

    def resume(self) -> None:
        """At start: delays go on for what is left of them. An entry that was to end while nobody watched, or is to end
        before the wires can have been read, waits for that."""
        now_ns = self._scribe.now.mono_ns
        for premises, partition in self._partitions.items():
            if partition.exit_due_ns is not None:
                self._deadlines.set(Timer(EXIT, premises), partition.exit_due_ns)
            if partition.entry_due_ns is not None:
                partition.entry_due_ns = max(partition.entry_due_ns, now_ns + SETTLE_MS * NS_PER_MS)
                self._deadlines.set(Timer(ENTRY, premises), partition.entry_due_ns)

    def arm(self, premises: str, mode: Mode, how: str, force: bool = False) -> Armed:
        """Arm a partition; where something hinders that, nothing has changed, unless `force` is to leave it out."""
        partition = self._partitions[premises]
        if partition.mode is mode:
            return Armed()
        stays = {zone for zone, why in self._bypasses.why.items() if why in STAYS}
        hindrances = partition.hindrances(mode, self._zones.of(premises), stays)
        if hindrances and not force:
            return Armed(refused=list(hindrances.values()))
        self._take_in(partition, Why.SWINGER, Why.FORCED)
        self._stop_waiting(premises)
        partition.arm(mode, self._scribe.now)
        if partition.exit_due_ns is not None:
            self._deadlines.set(Timer(EXIT, premises), partition.exit_due_ns)
        out: Detail = {"left_out": listed(list(hindrances))} if hindrances else {}
        self._told(partition, how, {"mode": mode.value, **out})
        for zone in hindrances:
            told, now_ns = partition.premises.report_arming, self._scribe.now.mono_ns
            self._bypasses.add(self._zones.wires[zone].zone, Why.FORCED, now_ns, told)
        return Armed(left_out=list(hindrances.values()))

    def disarm(self, premises: str, how: str, forced: bool = False) -> None:
        """Disarm and fall silent; an intrusion inside the abort window is marked cancelled, an older one ends.

        Somebody who was `forced` to does not withdraw what they raised: all else is the same.
        """
        partition = self._partitions[premises]
        if partition.mode is Mode.DISARMED:
            return
        intruded, now_ns = partition.intruded, self._scribe.now.mono_ns
        abort_ns = self._limits.abort_ms * NS_PER_MS
        cancelled = {key for key, at_ns in intruded.items() if now_ns - at_ns <= abort_ns and not forced}
        self._stop_waiting(premises)
        partition.disarm()
        self._told(partition, how)
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

    def arm_heard(self, premises: str, mode: Mode, how: str, force: bool = False) -> Armed:
        """Arm at the premises: a refusal is heard, for somebody thinks that they armed."""
        armed = self.arm(premises, mode, how, force)
        if armed.refused:
            self.chirp(premises)
            if self._partitions[premises].premises.report_arming:
                said = f"refused: {'; '.join(armed.refused)}"
                self._scribe.report(f"premises/{premises}/arming", said, self._scribe.now.mono_ns)
        return armed

    def wait_for_key(self, premises: str) -> None:
        """Judge no armed zone of a premises until `key_seen`."""
        self._alarms.unseen.add(premises)

    def key_seen(self, premises: str) -> None:
        """Judge what stands open, as the premises is armed now."""
        self._alarms.seen(premises)

    def chirp(self, premises: str) -> None:
        """Sound the house siren shortly."""
        self._ringing.ring((self._scribe.new_key(),), premises, self._limits.chirp_ms)

    def entry_over(self, premises: str, now_ns: int) -> None:
        """The entry delay ended at `now_ns` and nobody disarmed."""
        self._scribe.changed = True
        for zone, tripped_ns in self._partitions[premises].expire_entry().items():
            if zone in self._zones.wires and zone not in self._bypasses:
                detail = {"entry_ms": (now_ns - tripped_ns) // NS_PER_MS}
                self._alarms.intrusion(self._zones.wires[zone].zone, now_ns, detail)

    def exit_over(self, premises: str, now_ns: int) -> None:
        """The exit delay ended at `now_ns`: a way out that was left open counts as somebody coming in (exit error). A
        room that still sees those who left does not, until it has been well."""
        partition = self._partitions[premises]
        partition.exit_due_ns = None
        self._scribe.changed = True
        for wire in self._zones.of(premises):
            zone = wire.zone
            if wire.condition is not Condition.ALARM or zone.id in self._bypasses or zone.arming is Arming.ALWAYS:
                continue
            if zone.entry_route:
                partition.left_open.add(zone.id)
                self._alarms.tripped(wire, now_ns)
            elif zone.arming is Arming.INTERIOR and zone.id not in self._scribe.open:
                partition.passed.add(zone.id)

    def _told(self, partition: Partition, how: str, detail: Detail | None = None) -> None:
        premises, now_ns = partition.premises, self._scribe.now.mono_ns
        self._scribe.changed = True
        if how != SCHEDULE:
            self.by_hand[premises.id] = now_ns
        self._scribe.end(f"{premises.id}/schedule", Kind.GATEWAY_FAULT, now_ns, Where(premises.id))
        if premises.report_arming:
            key, kinds = self._scribe.new_key(), TOLD[how == SCHEDULE]
            where = Where(premises.id, detail={"by": how, **(detail or {})})
            self._scribe.emit(kinds[partition.mode is Mode.DISARMED], Qualifier.NEW, key, now_ns, where)
            self._scribe.report(f"premises/{premises.id}/arming", partition.mode.value, now_ns)

    def _take_in(self, partition: Partition, *whys: Why) -> None:
        """An armed period began or ended: what was left out for it is in again. When that was is the household's."""
        for wire in self._zones.of(partition.premises.id):
            if wire.zone.arming is not Arming.ALWAYS and self._bypasses.why.get(wire.zone.id) in whys:
                self._bypasses.remove(wire.zone.id, told=partition.premises.report_arming)

    def _stop_waiting(self, premises: str) -> None:
        self._deadlines.clear(Timer(ENTRY, premises))
        self._deadlines.clear(Timer(EXIT, premises))
