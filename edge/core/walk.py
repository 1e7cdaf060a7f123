"""A walk past every sensor: which conditions each zone has shown, so none is left unproved. Nothing is recorded."""

from __future__ import annotations

from typing import NamedTuple

from edge.core.bounds import fits
from edge.core.ohms import ohms
from edge.core.site import Band, Loop, Site, Zone, ZoneKind
from edge.core.zone import seen
from edge.port import Reading, Value
from protocol.records import Condition


class Moved(NamedTuple):
    """A zone shows another condition than before; `reason` where it cannot be seen."""

    zone: Zone
    now: Condition
    reason: str = ""


class Walk:
    """Conditions as they are looked at, without delay, arming or latch: what the wire says."""

    def __init__(self, site: Site) -> None:
        self._zones: dict[str, list[Zone]] = {}
        for zone in site.zones:
            self._zones.setdefault(zone.source, []).append(zone)
        self._now: dict[str, Condition] = {}
        self._shown: dict[str, set[Condition]] = {zone.id: set() for zone in site.zones}
        self._bands: dict[str, Band | None] = {}
        self._rests: dict[str, list[float]] = {}
        self._site = site

    def look(self, reading: Reading) -> list[Moved]:
        """Take a reading; gives the zones that moved by it."""
        moved = []
        for point, value in reading.values.items():
            for zone in self._zones.get(f"{reading.device}/{point}", ()):
                now, self._bands[zone.id] = seen(zone.judge, value, self._bands.get(zone.id))
                moved += self._see(Moved(zone, now))
                if isinstance(zone.judge, Loop) and fits(value):
                    self._rest(zone, zone.judge, now, value)
        for point, reason in reading.failed.items():
            for zone in self._zones.get(f"{reading.device}/{point}", ()):
                moved += self._see(Moved(zone, Condition.UNKNOWN, reason))
        return moved

    def unproved(self) -> dict[str, str]:
        """The zones that have not shown both normal and alarm, with what is missing; a meter need only be seen."""
        missing = {}
        for zone in self._site.zones:
            shown = self._shown[zone.id]
            wanted = (Condition.NORMAL,) if zone.kind is ZoneKind.METER else (Condition.NORMAL, Condition.ALARM)
            lacks = [condition.value for condition in wanted if condition not in shown]
            if lacks:
                now = self._now.get(zone.id, Condition.UNKNOWN)
                missing[zone.id] = f"never {' nor '.join(lacks)}; now {now} ({zone.source})"
        return missing

    def at_rest(self) -> dict[str, str]:
        """What each loop measured in its normal state: what its calibration should say, or why there is none."""
        said = {}
        for zone in self._site.zones:
            if isinstance(zone.judge, Loop):
                rest = self._rests.get(zone.id)
                if not rest:
                    said[zone.id] = "never in its normal band: check the resistors before calibrating"
                else:
                    count, low, total, high = rest
                    spread = f"{low:.0f} to {high:.0f} ohm in {count:.0f} looks"
                    said[zone.id] = (
                        f"at rest {total / count:.0f} ohm ({spread}): loop.measured_ohm = {total / count:.0f}"
                    )
        return said

    def _rest(self, zone: Zone, loop: Loop, now: Condition, value: Value) -> None:
        if now is Condition.NORMAL:
            ohm = ohms(loop, value)
            count, low, total, high = self._rests.get(zone.id, (0, ohm, 0.0, ohm))
            self._rests[zone.id] = [count + 1, min(low, ohm), total + ohm, max(high, ohm)]

    def _see(self, moved: Moved) -> list[Moved]:
        if self._now.get(moved.zone.id) is moved.now:
            return []
        self._now[moved.zone.id] = moved.now
        self._shown[moved.zone.id].add(moved.now)
        return [moved]
