"""GPIO lines of the simulator, through the same engine as the real ones."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from edge.gpio.chip import Chip
from edge.gpio.lines import LineSettings, points
from edge.gpio.served import ServedLines
from edge.port import Device, Driver

__all__ = ["Settings", "build", "points"]


class Settings(LineSettings):
    """Keys of the bus. `socket` is the path of the line server's Unix socket."""

    socket: str = Field(min_length=1)


def build(bus: str, settings: Settings, devices: Sequence[Device]) -> Driver:
    """Make the driver; it connects when it runs."""
    return Chip(bus, settings, ServedLines(settings.socket, settings))
