"""Supervised loops: one statistic a day of what they measure while all is well."""

from __future__ import annotations

from edge.core.bounds import NS_PER_MS, fits
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe
from edge.core.io import Memory, Tally
from edge.core.ohms import ohms
from edge.core.site import Loop, Site
from edge.core.zones import Zones
from edge.port import Reading
from protocol.records import Condition

LOOPS = "loops"
HOUR_MS = 3_600_000
DAY_H = 24


class Loops:
    """Minimum, mean and maximum of each loop in its normal state, told once in 24 hours of running: slow drift shows,
    and no opening does. It is the only thing of loop values that leaves a household."""

    def __init__(self, site: Site, memory: Memory, scribe: Scribe, deadlines: Deadlines, zones: Zones) -> None:
        self._scribe, self._deadlines, self._zones = scribe, deadlines, zones
        self._loops: dict[str, list[tuple[str, str, Loop]]] = {}
        for zone in site.zones:
            if isinstance(zone.judge, Loop):
                device, _, point = zone.source.partition("/")
                self._loops.setdefault(device, []).append((point, zone.id, zone.judge))
        known = {zone for loops in self._loops.values() for _, zone, _ in loops}
        self.tallies = {zone: tally for zone, tally in memory.loops.items() if zone in known}
        self.hours = memory.loop_hours

    def resume(self) -> None:
        """At start: count hours, if there is anything to count them for."""
        if self._loops:
            self._deadlines.set(Timer(LOOPS, ""), self._scribe.now.mono_ns + HOUR_MS * NS_PER_MS)

    def look(self, reading: Reading) -> None:
        """See a device's values."""
        for point, zone, loop in self._loops.get(reading.device, ()):
            value, wire = reading.values.get(point), self._zones.wires[zone]
            if value is None or not fits(value) or wire.condition is not Condition.NORMAL or wire.pending is not None:
                continue
            ohm, known = ohms(loop, value), self.tallies.get(zone)
            if known is None:
                self.tallies[zone] = Tally(1, ohm, ohm, ohm)
            else:
                low, high = min(known.low, ohm), max(known.high, ohm)
                self.tallies[zone] = Tally(known.count + 1, low, known.total + ohm, high)

    def hour(self, _: str, due_ns: int) -> None:
        """An hour is over: what was counted is remembered, and told once a day."""
        self.hours += 1
        self._scribe.changed = True
        self._deadlines.set(Timer(LOOPS, ""), due_ns + HOUR_MS * NS_PER_MS)
        if self.hours < DAY_H:
            return
        for zone, tally in self.tallies.items():
            for name, ohm in (("min", tally.low), ("mean", tally.total / tally.count), ("max", tally.high)):
                self._scribe.report(f"zone/{zone}/loop_{name}", round(ohm, 1), due_ns)
        self.tallies, self.hours = {}, 0
