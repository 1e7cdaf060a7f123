"""One contract for GPIO lines, over the simulator's line server and over libgpiod (no hardware: see gpio_backings)."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gpiod.line import Bias, Clock

from edge import drivers
from edge.drivers import gpio, gpio_sim
from edge.gpio.chip import Chip
from edge.gpio.lines import Edge
from edge.port import DriverError, Point, Reading
from simulators.gpio import GpioChip
from tests.contract.gpio_backings import BACKINGS, BUFFER, LINES, Backing, Kernel
from tests.support.wait import until


@dataclass
class Bench:
    """A running driver with all it has reported."""

    backing: Backing
    driver: Chip
    readings: list[Reading] = field(default_factory=list)

    def seen(self, line: str) -> list[bool]:
        """The line's values in the order in which they were reported."""
        return [bool(reading.values[line]) for reading in self.readings if line in reading.values]

    def last(self, line: str) -> bool | None:
        return self.seen(line)[-1] if self.seen(line) else None


@asynccontextmanager
async def running(backing: Backing) -> AsyncIterator[Bench]:
    bench = Bench(backing, backing.driver())
    task = asyncio.create_task(bench.driver.run(bench.readings.append))
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(params=list(BACKINGS))
async def backing(request: pytest.FixtureRequest) -> AsyncIterator[Backing]:
    with tempfile.TemporaryDirectory(prefix="lf") as folder:  # a socket's path may not be long
        made = BACKINGS[request.param](Path(folder))
        await made.come_back()
        yield made
        await made.stop()


@pytest.fixture
async def bench(backing: Backing) -> AsyncIterator[Bench]:
    async with running(backing) as made:
        await until(lambda: made.readings)
        yield made


async def test_every_line_is_read_at_first(bench: Bench) -> None:
    """The first reading has every input as it is."""
    assert dict(bench.readings[0].values) == {"panic": False, "door": False}
    assert bench.readings[0].device == "buttons"


async def test_an_edge_carries_the_time_at_which_it_happened(bench: Bench) -> None:
    """The kernel stamps the change itself, so its interval is empty."""
    before_ns = time.monotonic_ns()
    bench.backing.set("panic", True)
    after_ns = time.monotonic_ns()
    await until(lambda: bench.last("panic"))
    edge = bench.readings[-1]
    assert edge.at_ns == edge.since_ns
    assert before_ns <= edge.at_ns <= after_ns


async def test_edges_come_in_their_order(bench: Bench) -> None:
    """Three presses are three presses."""
    for active in (True, False, True, False, True, False):
        bench.backing.set("panic", active)
    await until(lambda: len(bench.seen("panic")) >= 7)
    assert bench.seen("panic") == [False, True, False, True, False, True, False]


async def test_a_press_that_fell_out_of_the_buffer_is_still_a_press(bench: Bench) -> None:
    """Of a press whose first edge fell out of the buffer both values are told, and all is read again."""
    bench.backing.set("panic", True)
    bench.backing.set("panic", False)
    bench.backing.burst("door", BUFFER)
    bench.backing.set("panic", True)
    bench.backing.set("panic", False)
    await until(lambda: sum(len(reading.values) == 2 for reading in bench.readings) >= 2)
    assert bench.seen("panic").count(True) >= 1
    assert (bench.last("panic"), bench.last("door")) == (False, False)
    assert bench.driver.health()[0].failures["edges missed"] >= 1


async def test_an_output_is_off_at_first_and_follows_writes(bench: Bench) -> None:
    """A siren starts silent."""
    assert bench.backing.get("siren") is False
    await bench.driver.write("buttons", "siren", True)
    assert bench.backing.get("siren") is True
    await bench.driver.write("buttons", "siren", False)
    assert bench.backing.get("siren") is False


@pytest.mark.parametrize(
    ("device", "point", "value", "said"),
    [
        ("buttons", "panic", True, "not an output; allowed: buttons/siren"),
        ("other", "siren", True, "not an output; allowed: buttons/siren"),
        ("buttons", "siren", 7, "cannot be 7; allowed: true or false"),
    ],
)
async def test_a_write_that_cannot_be_says_why(bench: Bench, device: str, point: str, value: int, said: str) -> None:
    """Which point, and what is allowed."""
    with pytest.raises(DriverError, match=said):
        await bench.driver.write(device, point, value)


async def test_lines_that_are_gone_fail_and_come_back(bench: Bench) -> None:
    """Every input fails with the reason; when the chip is back the lines are read and the siren sounds on."""
    await bench.driver.write("buttons", "siren", True)
    await bench.backing.vanish()
    await until(lambda: bench.readings[-1].failed)
    assert set(bench.readings[-1].failed) == {"panic", "door"}
    assert all(bench.readings[-1].failed.values())
    assert not bench.driver.health()[0].online
    bench.backing.set("door", True)
    await bench.backing.come_back()
    await until(lambda: bench.last("door"))
    assert bench.backing.get("siren") is True


async def test_a_chip_that_is_not_there_at_start_is_waited_for(backing: Backing) -> None:
    """No error ends the driver: failed readings until it comes."""
    await backing.vanish()
    async with running(backing) as bench:
        await until(lambda: bench.readings and bench.readings[-1].failed)
        with pytest.raises(DriverError, match="buttons is not there"):
            await bench.driver.write("buttons", "siren", True)
        await backing.come_back()
        await until(lambda: bench.last("panic") is False)


async def test_outputs_fall_when_the_driver_ends(backing: Backing) -> None:
    """A gateway that dies leaves no siren on."""
    async with running(backing) as bench:
        await until(lambda: bench.readings)
        await bench.driver.write("buttons", "siren", True)
    await until(lambda: not backing.get("siren"))


async def test_lines_are_requested_with_the_kernels_own_debounce() -> None:
    """Events of both edges by the monotonic clock, bias and polarity as configured."""
    kernel = Kernel(Path())
    await kernel.come_back()
    async with running(kernel) as bench:
        await until(lambda: bench.readings)
        assert kernel.request is not None
        panic = kernel.request.config[4]
        found = (panic.bias, panic.active_low, panic.event_clock, panic.debounce_period.total_seconds())
        assert found == (Bias.PULL_UP, True, Clock.MONOTONIC, 0.005)


@pytest.mark.parametrize("module", [gpio, gpio_sim])
def test_points_are_named_by_bus_and_line(module: object) -> None:
    """A chip is its own single device; outputs are what can be switched."""
    extra = {"socket": "/x"} if module is gpio_sim else {}
    settings = module.Settings.model_validate({"lines": LINES, **extra})  # type: ignore[attr-defined]  # both have it
    assert module.points("buttons", settings, ()) == {  # type: ignore[attr-defined]  # both have it
        "buttons/panic": Point(False, "bool"),
        "buttons/door": Point(False, "bool"),
        "buttons/siren": Point(True, "bool"),
    }


def test_both_drivers_are_found_in_the_folder() -> None:
    """The folder is the registry."""
    assert {"gpio", "gpio_sim"} <= set(drivers.names())


async def test_only_one_gateway_holds_the_lines(tmp_path: Path) -> None:
    """As with the kernel, a second one is refused and says so in its readings."""
    with tempfile.TemporaryDirectory(prefix="lf") as folder:
        async with GpioChip(Path(folder) / "g", ["panic", "door"], ["siren"]) as chip:
            settings = gpio_sim.Settings.model_validate({"lines": LINES, "socket": str(chip.path)})
            readings: list[Reading] = []
            first = asyncio.create_task(gpio_sim.build("buttons", settings, ()).run(lambda reading: None))
            await chip.until_held()
            second = asyncio.create_task(gpio_sim.build("buttons", settings, ()).run(readings.append))
            await until(lambda: readings)
            first.cancel()
            second.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
    assert "held by another gateway" in readings[0].failed["panic"]


async def test_the_chip_keeps_every_switching_of_an_output() -> None:
    """So a test can say that nothing rang twice."""
    with tempfile.TemporaryDirectory(prefix="lf") as folder:
        async with GpioChip(Path(folder) / "g", ["panic", "door"], ["siren"]) as chip:
            settings = gpio_sim.Settings.model_validate({"lines": LINES, "socket": str(chip.path)})
            driver = gpio_sim.build("buttons", settings, ())
            task = asyncio.create_task(driver.run(lambda reading: None))
            await until(lambda: driver.health()[0].online)
            for on in (True, True, False):
                await driver.write("buttons", "siren", on)
                await chip.until("siren", on)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert [move.on for move in chip.transitions("siren")] == [True, False]


class Overtaken:
    """Lines whose edge comes while the answer to a read is on its way: the value read is older than the edge."""

    def __init__(self) -> None:
        self._edges: Callable[[Sequence[Edge]], None] = lambda edges: None

    async def open(
        self, outputs: Mapping[str, bool], on_edges: Callable[[Sequence[Edge]], None], on_lost: Callable[[str], None]
    ) -> None:
        self._edges = on_edges

    async def read(self) -> Mapping[str, bool]:
        self._edges([Edge("panic", False, time.monotonic_ns(), 1)])
        return {"panic": True, "door": True}

    async def write(self, line: str, active: bool) -> None: ...

    def close(self) -> None: ...


async def test_a_value_older_than_an_edge_says_nothing() -> None:
    """A line whose edge came during the read is as that edge says; the read tells of the other lines only."""
    settings = gpio_sim.Settings.model_validate({"lines": LINES, "socket": "-", "alive_ms": 60_000})
    readings: list[Reading] = []
    task = asyncio.create_task(Chip("buttons", settings, Overtaken()).run(readings.append))
    await until(lambda: len(readings) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [{"panic": False}, {"door": True}] == [dict(reading.values) for reading in readings]
