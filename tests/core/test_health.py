"""Health as the kernel shows it: what is absent stays absent, and a limit does not flutter."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.health import Machine, Watcher, look


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty machine."""
    (tmp_path / "sys").mkdir()
    (tmp_path / "proc").mkdir()
    return Machine(tmp_path / "sys", tmp_path / "proc")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_absent_parts_are_absent_not_invented(machine: Machine, tmp_path: Path) -> None:
    """A machine that shows nothing has only its disk and load."""
    assert sorted(look(tmp_path, machine)) == ["health/disk_free_percent", "health/load_1min"]


def test_hottest_zone_is_the_temperature(machine: Machine, tmp_path: Path) -> None:
    """Millidegrees of the hottest thermal zone."""
    write(machine.sys / "class/thermal/thermal_zone0/temp", "48312\n")
    write(machine.sys / "class/thermal/thermal_zone1/temp", "61000\n")
    assert look(tmp_path, machine)["health/temperature_c"] == 61.0


@pytest.mark.parametrize(("word", "low"), [("0x50005\n", True), ("0x50000\n", False)])
def test_undervoltage_is_the_firmwares_present_bit(machine: Machine, tmp_path: Path, word: str, low: bool) -> None:
    """Bit 0 is now; the sticky bits above are the past."""
    write(machine.sys / "devices/platform/soc/soc:firmware/get_throttled", word)
    assert look(tmp_path, machine)["health/undervoltage"] is low


def test_undervoltage_from_hwmon(machine: Machine, tmp_path: Path) -> None:
    """Newer kernels show rpi_volt."""
    write(machine.sys / "class/hwmon/hwmon3/name", "rpi_volt\n")
    write(machine.sys / "class/hwmon/hwmon3/in0_lcrit_alarm", "1\n")
    assert look(tmp_path, machine)["health/undervoltage"] is True


def test_memory_and_wear_are_percent(machine: Machine, tmp_path: Path) -> None:
    """Available of total, and the worse of two wear estimates."""
    write(machine.proc / "meminfo", "MemTotal: 400000 kB\nMemFree: 1 kB\nMemAvailable: 100000 kB\n")
    write(machine.sys / "block/mmcblk0/device/life_time", "0x01 0x03\n")
    found = look(tmp_path, machine)
    assert (found["health/memory_free_percent"], found["health/sd_wear_percent"]) == (25.0, 30)


def test_rubbish_in_a_file_is_absence(machine: Machine, tmp_path: Path) -> None:
    """A file that cannot be read as a number yields no point."""
    write(machine.sys / "class/thermal/thermal_zone0/temp", "hot")
    write(machine.proc / "meminfo", "")
    assert not {"health/temperature_c", "health/memory_free_percent"} & look(tmp_path, machine).keys()


def test_limit_is_told_once_and_ends_only_below_its_end() -> None:
    """80 begins, 75 changes nothing, 72 ends; below again says nothing more."""
    watcher = Watcher()
    told = [watcher.judge({"health/temperature_c": value}) for value in (79.9, 80.0, 85.0, 75.0, 72.0, 60.0)]
    assert told == [[], [("temperature", True, 80.0)], [], [], [("temperature", False, 72.0)], []]


def test_disk_falls_below_its_limit() -> None:
    """5 % free begins, 9 % goes on, 10 % ends."""
    watcher = Watcher()
    told = [watcher.judge({"health/disk_free_percent": value}) for value in (6.0, 5.0, 9.0, 10.0)]
    assert [[change[:2] for change in one] for one in told] == [[], [("disk_space", True)], [], [("disk_space", False)]]


def test_point_that_vanishes_leaves_its_trouble() -> None:
    """A thermometer that is gone has not cooled down."""
    watcher = Watcher()
    watcher.judge({"health/temperature_c": 90.0})
    assert (watcher.judge({}), watcher.judge({"health/temperature_c": 90.0})) == ([], [])
