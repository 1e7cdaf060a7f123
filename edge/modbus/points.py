"""What a site configuration may do with the devices of a Modbus bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.port import Device, Point


def points(devices: Sequence[Device]) -> Mapping[str, Point]:
    """Every point of the bus as "device/point"."""
    return {
        f"{device.id}/{name}": Point(point.writable, "bool" if point.type == "bool" else "number", point.unit)
        for device in devices
        for name, point in device.profile.points.items()
    }
