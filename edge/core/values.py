"""Measured values of zones that report everything: when they change, not more than once a second, and now and then.

Those of a household's sensors never: a loop's value tells who goes in and out.
"""

from __future__ import annotations

from edge.core.bounds import NS_PER_MS, fits
from edge.core.events import Scribe
from edge.core.site import Contact, Site, ZoneKind
from edge.port import Reading

LEAST_MS = 1_000
MOST_MS = 60_000
BAND = 0.01
"""A change counts from this share of the last value told."""


class Values:
    """What was told last of each point."""

    def __init__(self, site: Site, scribe: Scribe) -> None:
        self._scribe = scribe
        self._zones: dict[str, dict[str, list[str]]] = {}
        self._told: dict[str, tuple[float, int]] = {}
        homes = {premises.id for premises in site.premises if premises.household}
        for zone in site.zones:
            private = zone.premises in homes and zone.kind is not ZoneKind.METER
            if zone.report == "every" and not isinstance(zone.judge, Contact) and not private:
                device, _, point = zone.source.partition("/")
                self._zones.setdefault(device, {}).setdefault(point, []).append(zone.id)

    def look(self, reading: Reading) -> None:
        """See a device's values."""
        for point, zones in self._zones.get(reading.device, {}).items():
            value = reading.values.get(point)
            if value is None or not fits(value):
                continue
            for zone in zones:
                if self._worth(zone, float(value), reading.at_ns):
                    self._told[zone] = (float(value), reading.at_ns)
                    self._scribe.report(f"zone/{zone}/value", value, reading.at_ns)

    def _worth(self, zone: str, value: float, at_ns: int) -> bool:
        told = self._told.get(zone)
        if told is None:
            return True
        waited_ms = (at_ns - told[1]) // NS_PER_MS
        moved = abs(value - told[0]) > BAND * max(abs(told[0]), abs(value))
        return waited_ms >= MOST_MS or (moved and waited_ms >= LEAST_MS)
