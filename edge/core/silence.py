"""Unknown is never normal: devices and points that nobody has seen in time, told once and told when they are back."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.deadlines import Deadlines, Timer
from edge.core.devices import Watched
from edge.core.events import NS_PER_MS, TEXT_MAX, Detail, Scribe, Where
from edge.core.site import NATURES
from edge.core.zone import Wire
from edge.core.zones import Zones
from edge.port import Reading
from protocol.kinds import CODES, Kind, Priority

FRESH = "fresh"
SETTLE_MS = 5_000
"""A device has this long after start to answer before it counts as silent; its zones are unknown until it does."""


class Silence:
    """One record for a silent device, one for a point that fails while its device answers."""

    def __init__(self, devices: dict[str, Watched], scribe: Scribe, deadlines: Deadlines, zones: Zones) -> None:
        self._devices, self._scribe, self._deadlines, self._zones = devices, scribe, deadlines, zones
        self._settling = set(devices)

    def resume(self) -> None:
        """At start: wait for every device; one that was silent before is silent until it answers."""
        for device in self._devices.values():
            device.silent = _facet(device) in self._scribe.open
            zones = [wire.zone.id for wires in device.wires.values() for wire in wires]
            device.partial = {zone for zone in zones if _point(zone) in self._scribe.open}
            wait_ms = max(SETTLE_MS, device.fresh_ms)
            self._deadlines.set(Timer(FRESH, device.id), self._scribe.now.mono_ns + wait_ms * NS_PER_MS)

    def looked(self, device: Watched, reading: Reading) -> None:
        """A reading was taken in: what is seen again is told."""
        if reading.values and device.silent:
            device.silent = False
            self._scribe.end(_facet(device), Kind.DEVICE_LOST, reading.at_ns, Where(detail={"device": device.id}))
        if device.partial:
            for point in reading.values:
                self._seen(device, device.wires.get(point, ()), reading.at_ns)
        settling = bool(reading.values) and device.id in self._settling
        if settling or Timer(FRESH, device.id) not in self._deadlines:
            self._settling.discard(device.id)
            self._wait(device, reading.at_ns)

    def due(self, device_id: str, now_ns: int) -> None:
        """A point of a device, or all of it, has not been seen in time."""
        device = self._devices[device_id]
        self._settling.discard(device_id)
        lost = []
        for wire in device.stale(now_ns):
            device.forget(wire)
            change = wire.lose(now_ns)
            self._deadlines.clear(Timer("debounce", wire.zone.id))
            if change is not None:
                self._zones.tell(wire.zone, change)
            lost.append(wire)
        if device.is_silent(now_ns):
            if not device.silent:
                device.silent = True
                self._scribe.begin(_facet(device), Kind.DEVICE_LOST, now_ns, Where(detail=_lost(device)))
        else:
            for wire in lost:
                self._point_lost(device, wire, now_ns)
        self._wait(device, now_ns)

    def _point_lost(self, device: Watched, wire: Wire, now_ns: int) -> None:
        zone = wire.zone
        reason = device.reasons.get(zone.source.partition("/")[2], "not seen in time")
        detail: Detail = {"device": device.id, "unknown": True, "reason": reason[:TEXT_MAX]}
        self._scribe.begin(_point(zone.id), Kind.ZONE_FAULT, now_ns, Where(zone.premises, zone.id, detail))
        device.partial.add(zone.id)

    def _seen(self, device: Watched, wires: Iterable[Wire], at_ns: int) -> None:
        for wire in wires:
            zone = wire.zone
            if zone.id in device.partial:
                device.partial.remove(zone.id)
                detail: Detail = {"device": device.id, "unknown": False}
                self._scribe.end(_point(zone.id), Kind.ZONE_FAULT, at_ns, Where(zone.premises, zone.id, detail))

    def _wait(self, device: Watched, now_ns: int) -> None:
        due_ns = device.next_ns(now_ns)
        if due_ns is not None:
            self._deadlines.set(Timer(FRESH, device.id), due_ns)


def _facet(device: Watched) -> str:
    return f"device/{device.id}"


def _point(zone: str) -> str:
    return f"{zone}/unknown"


def _lost(device: Watched) -> dict[str, str | int | float | bool]:
    """Which zones are blind with it, those that a life may hang on by themselves."""
    zones = [wire.zone for wires in device.wires.values() for wire in wires]
    urgent = [z.id for z in zones if (kind := NATURES[z.kind].raises) and CODES[kind].priority is Priority.P1]
    reason = next(iter(device.reasons.values()), "no answer")
    return {
        "device": device.id,
        "reason": reason[:TEXT_MAX],
        "zones": ",".join(zone.id for zone in zones),
        "p1_zones": ",".join(urgent),
    }
