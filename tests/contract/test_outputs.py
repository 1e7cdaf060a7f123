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
    tries: list[str] = field(default_factory=list)
    stuck: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, report: Callable[[Reading], None]) -> None:
        await asyncio.Event().wait()

    async def write(self, device: str, point: str, value: Value) -> None:
        self.tries.append(point)
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
    outputs = Outputs(drivers, {"d1": "one", "d2": "two"}, beating=["counting"])
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


async def test_a_beat_that_came_too_late_is_answered_by_the_next() -> None:
    """A siren that counts on a slow bus: its order is done as soon as one beat of it is."""
    bench = Bench(broken={"r1"})
    async with working(bench) as (outputs, _):
        first = asyncio.ensure_future(outputs.drive("counting", "d1/r1", True))
        await asyncio.sleep(0)
        second = outputs.drive("counting", "d1/r1", False)
        bench.broken.clear()
        assert (await first, await second, bench.state) == (None, None, {"r1": False})


async def test_nothing_sounds_again_once_all_was_switched_off_for_the_end() -> None:
    """What was still wanted, and what is wished later, gives way: nobody will be there to end it."""
    bench = Bench(broken={"r1"})
    async with working(bench) as (outputs, _):
        waiting = outputs.drive("siren-1", "d1/r1", True)
        await until(lambda: bench.tries.count("r1") >= 1)
        bench.broken.clear()
        await outputs.all_off(["d1/r1", "d1/r3"], 20.0)
        late = outputs.drive("siren-3", "d1/r3", True)
        assert (await waiting, await late) == ("the gateway ends", "the gateway ends")
        for _ in range(50):
            await asyncio.sleep(0)
    assert bench.state == {"r1": False, "r3": False}


async def test_lamp_that_blinks_on_a_dead_board_is_told_and_goes_behind_a_siren() -> None:
    """Each phase of its pattern is a new wish, but the failures are the same output's."""
    bench = Bench(broken={"lamp"})
    async with working(bench) as (outputs, told):
        for phase in range(6):
            before = len(bench.tries)
            outputs.drive("lamp-1", "d1/lamp", phase % 2 == 0)
            await until(lambda: len(bench.tries) > before)  # noqa: B023
        assert told == [("lamp-1", True)]
        outputs.drive("lamp-1", "d1/lamp", True)
        outputs.drive("siren-1", "d1/r1", True)
        await until(lambda: bench.tries[-2:] == ["r1", "lamp"])


async def test_bug_in_a_driver_is_a_failed_write() -> None:
    """An unexpected error of a driver is a reason, and the next output is written."""
    bench = Bench()
    async with working(bench) as (outputs, _):
        assert await outputs.drive("siren", "d1/bug", True) == "d1/bug: ZeroDivisionError: a bug"
        assert await outputs.drive("lamp", "d1/r2", True) is None
