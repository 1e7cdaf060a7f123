"""GPIO lines of the gateway itself, through libgpiod 2. It has not met hardware yet: only its contract is tested."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from edge.gpio.chip import Chip
from edge.gpio.kernel import KernelLines
from edge.gpio.lines import LineSettings, points
from edge.port import Device, Driver

__all__ = ["Settings", "build", "points"]


class Settings(LineSettings):
    """Keys of the bus. `chip` is a character device such as /dev/gpiochip0."""

    chip: str = Field("/dev/gpiochip0", min_length=1)


def build(bus: str, settings: Settings, devices: Sequence[Device]) -> Driver:
    """Make the driver; it requests the lines when it runs."""
    return Chip(bus, settings, KernelLines(settings.chip, settings))
