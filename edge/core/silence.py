"""Unknown is never normal: devices and points that nobody has seen in time, told once and told when they are back.

Times are monotonic ns.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.core.bounds import NS_PER_MS, Detail, listed
from edge.core.deadlines import Deadlines, Timer
from edge.core.devices import Watched
from edge.core.events import Scribe, Where
from edge.core.site import NATURES
from edge.core.zone import Wire
from edge.core.zones import Zones
from edge.port import Reading
from protocol.kinds import CODES, Kind, Priority

FRESH = "fresh"
SETTLE_MS = 5_000
"""A device has this long after start to answer before it counts as silent, if it is not slower than that; its zones
are unknown until it does."""


class Silence:
    """Zones are unknown at once; a silence that lasts `lost_ms` is one record for the device, or for each point of it
    that fails while the rest answers. Its time is the last good look. What is told is kept open by the scribe."""

    def __init__(
        self, devices: dict[str, Watched], lost_ms: int, scribe: Scribe, deadlines: Deadlines, zones: Zones
    ) -> None:
        self._devices, self._scribe, self._deadlines, self._zones = devices, scribe, deadlines, zones
        self._lost_ns = lost_ms * NS_PER_MS
        self._began_ns = scribe.now.mono_ns
        self._settling = set(devices)

    def resume(self) -> None:
        """At start: wait for every device; one that was lost before is silent until it answers."""
        self._began_ns = self._scribe.now.mono_ns
        for device in self._devices.values():
            device.silent = _facet(device) in self._scribe.open
            zones = [wire.zone.id for wires in device.wires.values() for wire in wires]
            device.partial = {zone for zone in zones if _point(zone) in self._scribe.open}
            wait_ms = max(SETTLE_MS, device.fresh_ms)
            self._deadlines.set(Timer(FRESH, device.id), self._began_ns + wait_ms * NS_PER_MS)

    def looked(self, device: Watched, reading: Reading) -> bool:
        """A reading was taken in: what is seen again is told. Says whether the device is there for the first time, or
        again after a silence."""
        appeared = bool(reading.values) and device.id in self._settling
        back = device.silent and not device.is_silent(reading.at_ns)
        if back:
            device.silent = False
            self._scribe.end(_facet(device), Kind.DEVICE_LOST, reading.at_ns, Where(detail={"device": device.id}))
        seen = list(self._seen(device, reading)) if device.partial else []
        if appeared or back or seen or Timer(FRESH, device.id) not in self._deadlines:
            self._settling.discard(device.id)
            self._wait(device, reading.at_ns)
        return appeared or back

    def due(self, device_id: str, now_ns: int) -> None:
        """A point of a device, or all of it, has not been seen in time, or not for so long that it is told."""
        device = self._devices[device_id]
        self._settling.discard(device_id)
        stale = device.stale(now_ns)
        for wire in stale:
            device.forget(wire)
            change = wire.lose(now_ns)
            self._deadlines.clear(Timer("debounce", wire.zone.id))
            if change is not None:
                self._zones.tell(wire.zone, change)
        device.silent = device.is_silent(now_ns)
        if not device.silent:
            device.partial |= {wire.zone.id for wire in stale}
        for tell_ns, lost in self._untold(device):
            if tell_ns <= now_ns:
                self._tell(device, lost)
        self._wait(device, now_ns)

    def _untold(self, device: Watched) -> Iterator[tuple[int, Wire | None]]:
        """What is not fresh and not told yet, with when it is to be told: the whole device, or wires of it."""
        if device.silent:
            if _facet(device) not in self._scribe.open:
                yield self._since_ns(device, None) + self._lost_ns, None
            return
        for zone in sorted(device.partial):
            if _point(zone) not in self._scribe.open:
                wire = self._zones.wires[zone]
                yield self._since_ns(device, wire) + self._lost_ns, wire

    def _since_ns(self, device: Watched, wire: Wire | None) -> int:
        good_ns = device.seen_ns() if wire is None else device.good_ns(_name(wire))
        return self._began_ns if good_ns is None else good_ns

    def _tell(self, device: Watched, wire: Wire | None) -> None:
        since_ns = self._since_ns(device, wire)
        if wire is None:
            self._scribe.begin(_facet(device), Kind.DEVICE_LOST, since_ns, Where(detail=_lost(device)))
            return
        reason = device.reasons.get(_name(wire), "not seen in time")
        detail: Detail = {"device": device.id, "unknown": True, "reason": reason}
        where = Where(wire.zone.premises, wire.zone.id, detail)
        self._scribe.begin(_point(wire.zone.id), Kind.ZONE_FAULT, since_ns, where)

    def _seen(self, device: Watched, reading: Reading) -> Iterator[str]:
        for point in reading.values:
            for wire in device.wires.get(point, ()):
                zone = wire.zone
                if zone.id in device.partial:
                    device.partial.remove(zone.id)
                    where = Where(zone.premises, zone.id, {"device": device.id, "unknown": False})
                    self._scribe.end(_point(zone.id), Kind.ZONE_FAULT, reading.at_ns, where)
                    yield zone.id

    def _wait(self, device: Watched, now_ns: int) -> None:
        fresh_ns = device.next_ns(now_ns)
        dues = [tell_ns for tell_ns, _ in self._untold(device) if tell_ns > now_ns]
        if fresh_ns is not None:
            dues.append(fresh_ns)
        if dues:
            self._deadlines.set(Timer(FRESH, device.id), min(dues))


def _facet(device: Watched) -> str:
    return f"device/{device.id}"


def _name(wire: Wire) -> str:
    return wire.zone.source.partition("/")[2]


def _point(zone: str) -> str:
    return f"{zone}/unknown"


def _lost(device: Watched) -> dict[str, str | int | float | bool]:
    """Which zones are blind with it, those that a life may hang on by themselves."""
    zones = [wire.zone for wires in device.wires.values() for wire in wires]
    urgent = [z.id for z in zones if (kind := NATURES[z.kind].raises) and CODES[kind].priority is Priority.P1]
    reason = next(iter(device.reasons.values()), "no answer")
    return {
        "device": device.id,
        "reason": reason,
        "zones": listed([zone.id for zone in zones]),
        "p1_zones": listed(urgent),
    }
