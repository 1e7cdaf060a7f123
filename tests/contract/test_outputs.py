"""Outputs reach what is wanted of them, whatever a bus does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from edge.outputs import Outputs
from edge.port import DeviceHealth, DriverError, Reading, Value
from tests.support.wait import until


@dataclass
class Bench:
    """A driver whose device is in memory; `broken` points refuse."""

    state: dict[str, Value] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    stuck: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, report: Callable[[Reading], None]) -> None:
        await asyncio.Event().wait()

    async def write(self, device: str, point: str, value: Value) -> None:
        if point == "stuck":
            await self.stuck.wait()
        if point == "bug":
            raise ZeroDivisionError("a bug")
        if point in self.broken:
            raise DriverError(f"{device}/{point}: no answer")
        self.state[point] = value

    def health(self) -> list[DeviceHealth]:
        return []


@contextlib.asynccontextmanager
async def working(bench: Bench, other: Bench | None = None) -> AsyncIterator[tuple[Outputs, list[tuple[str, bool]]]]:
    drivers = {"one": bench, "two": other or Bench()}
    outputs = Outputs(drivers, {"d1": "one", "d2": "two"})
    told: list[tuple[str, bool]] = []
    outputs.on_trouble = lambda output, reason: told.append((output, reason is not None))
    tasks = [asyncio.create_task(outputs.run(bus)) for bus in drivers]
    try:
        yield outputs, told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_written_output_says_so() -> None:
    """A wish that is granted comes back as None."""
    bench = Bench()
    async with working(bench) as (outputs, _):
        assert await outputs.drive("siren", "d1/r1", True) is None
    assert bench.state == {"r1": True}


async def test_broken_output_gives_its_reason_and_is_tried_until_it_works() -> None:
    """The reason comes back, the trouble is told once, and ends when the device obeys."""
    bench = Bench(broken={"r1"})
    async with working(bench) as (outputs, told):
        reason = await outputs.drive("siren", "d1/r1", True)
        bench.broken.clear()
        await until(lambda: bench.state == {"r1": True})
        assert (reason, told) == ("d1/r1: no answer", [("siren", True), ("siren", False)])


async def test_broken_output_does_not_delay_its_neighbour() -> None:
    """The next output on the same bus is written between the retries."""
    bench = Bench(broken={"r1"})
    async with working(bench) as (outputs, _):
        outputs.drive("siren", "d1/r1", True)
        assert await outputs.drive("lamp", "d1/r2", True) is None


async def test_stuck_bus_does_not_delay_another() -> None:
    """A write that hangs on one bus leaves the other free."""
    stuck, free = Bench(), Bench()
    async with working(stuck, free) as (outputs, _):
        outputs.drive("siren", "d1/stuck", True)
        assert await outputs.drive("lamp", "d2/r1", True) is None


async def test_newer_wish_replaces_an_older() -> None:
    """What is retried is the latest wish alone."""
    bench = Bench(broken={"r1"})
    async with working(bench) as (outputs, _):
        first = asyncio.ensure_future(outputs.drive("siren", "d1/r1", True))
        await asyncio.sleep(0)
        second = outputs.drive("siren", "d1/r1", False)
        bench.broken.clear()
        assert (await first, await second, bench.state) == ("replaced by a newer wish", None, {"r1": False})


async def test_bug_in_a_driver_is_a_failed_write() -> None:
    """An unexpected error of a driver is a reason, and the next output is written."""
    bench = Bench()
    async with working(bench) as (outputs, _):
        assert await outputs.drive("siren", "d1/bug", True) == "d1/bug: ZeroDivisionError: a bug"
        assert await outputs.drive("lamp", "d1/r2", True) is None
