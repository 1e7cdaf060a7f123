"""The gateway's own health, read from the kernel: what this machine does not have is absent, never invented."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = bool | int | float
PERIOD_MS = 60_000
UNDERVOLTAGE_BIT = 0x1
"""Of the Raspberry Pi firmware's get_throttled: undervoltage at this moment."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A limit on a point: trouble begins at `begin` and ends only at `end`, so that it does not flutter between."""

    point: str
    fault: str
    begin: float
    end: float

    @property
    def above(self) -> bool:
        """Whether trouble is above the limit rather than below."""
        return self.begin > self.end


WATCHES = (
    Watch("health/temperature_c", "temperature", 80.0, 72.0),
    Watch("health/undervoltage", "undervoltage", 1.0, 0.0),
    Watch("health/disk_free_percent", "disk_space", 5.0, 10.0),
    Watch("health/memory_free_percent", "memory", 5.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the kernel shows what; other roots serve tests."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")


def look(data_dir: Path, machine: Machine = Machine()) -> dict[str, Value]:
    """Every health point this machine has. Units are last in the names."""
    readers: Mapping[str, Callable[[], Value | None]] = {
        "health/temperature_c": lambda: _temperature(machine),
        "health/undervoltage": lambda: _undervoltage(machine),
        "health/disk_free_percent": lambda: _disk(data_dir),
        "health/memory_free_percent": lambda: _memory(machine),
        "health/load_1min": lambda: round(os.getloadavg()[0], 2),
        "health/sd_wear_percent": lambda: _wear(machine),
        "health/process_rss_kb": lambda: _rss(machine),
    }
    found: dict[str, Value] = {}
    for point, read in readers.items():
        try:
            value = read()
        except (OSError, ValueError, LookupError, ZeroDivisionError):
            continue
        if value is not None:
            found[point] = value
    return found


class Watcher:
    """Which limits are crossed now. A point that is no more to be read leaves its trouble as it was."""

    def __init__(self, watches: tuple[Watch, ...] = WATCHES) -> None:
        self._watches = watches
        self._active: set[str] = set()

    def judge(self, found: Mapping[str, Value]) -> list[tuple[str, bool, Value]]:
        """Changes since the last look: fault, whether it began, and the value that did it."""
        changes: list[tuple[str, bool, Value]] = []
        for watch in self._watches:
            value = found.get(watch.point)
            if value is None:
                continue
            active = watch.fault in self._active
            bad = value >= watch.begin if watch.above else value <= watch.begin
            good = value <= watch.end if watch.above else value >= watch.end
            if bad and not active:
                self._active.add(watch.fault)
                changes.append((watch.fault, True, value))
            elif good and active:
                self._active.discard(watch.fault)
                changes.append((watch.fault, False, value))
        return changes


def _temperature(machine: Machine) -> float | None:
    """The hottest thermal zone."""
    zones = sorted((machine.sys / "class/thermal").glob("thermal_zone*/temp"))
    return max((int(zone.read_text()) / 1000 for zone in zones), default=None)


def _undervoltage(machine: Machine) -> bool | None:
    throttled = machine.sys / "devices/platform/soc/soc:firmware/get_throttled"
    if throttled.exists():
        return bool(int(throttled.read_text(), 16) & UNDERVOLTAGE_BIT)
    for hwmon in sorted((machine.sys / "class/hwmon").glob("hwmon*")):
        if (hwmon / "name").read_text().strip() == "rpi_volt":
            return bool(int((hwmon / "in0_lcrit_alarm").read_text()))
    return None


def _disk(folder: Path) -> float:
    usage = shutil.disk_usage(folder)
    return round(100 * usage.free / usage.total, 1)


def _memory(machine: Machine) -> float:
    rows = (line.split() for line in (machine.proc / "meminfo").read_text().splitlines())
    sizes = {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) >= 2}
    return round(100 * sizes["MemAvailable"] / sizes["MemTotal"], 1)


def _wear(machine: Machine) -> int | None:
    """eMMC and better SD cards estimate their wear in tenths of their life (JEDEC life_time, the worse of two)."""
    for path in sorted((machine.sys / "block").glob("mmcblk*/device/life_time")):
        tenths = [int(word, 16) for word in path.read_text().split()]
        if any(tenths):
            return min(100, 10 * max(tenths))
    return None


def _rss(machine: Machine) -> int:
    pages = int((machine.proc / "self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
