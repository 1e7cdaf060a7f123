"""The drivers, kept running: one that breaks fails its own points and starts anew; the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from edge.config import Bus
from edge.port import DeviceHealth, Driver, DriverError, Reading, Value

RESTART_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 60.0

log = structlog.get_logger("lianfang.buses")


class KeptDriver:
    """A driver that is rebuilt when it breaks. Itself a Driver, whose `run` truly never ends."""

    def __init__(self, bus: Bus, mono_ns: Callable[[], int]) -> None:
        self._bus = bus
        self._mono_ns = mono_ns
        self._driver: Driver | None = None
        points = bus.module.points(bus.id, bus.settings, bus.devices)
        self._points: dict[str, list[str]] = {}
        for name in points:
            device, _, point = name.partition("/")
            self._points.setdefault(device, []).append(point)
        self._lost: set[str] = set()
        self.breaks = 0

    @property
    def devices(self) -> list[str]:
        """The devices of the bus."""
        return list(self._points)

    async def run(self, report: Callable[[Reading], None]) -> None:
        """Run the driver; when it raises, its points fail and it is built anew after a pause."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            began_s = clock()
            try:
                self._driver = self._bus.build()
                await self._driver.run(lambda reading: self._pass_on(reading, report))
                why = "it ended by itself"
            except Exception as cause:
                log.exception("driver broke", bus=self._bus.id, driver=self._bus.driver)
                why = f"{type(cause).__name__}: {cause}"
            self.breaks += 1
            failures = failures + 1 if clock() - began_s < STEADY_S else 1
            now_ns = self._mono_ns()
            for device, points in self._points.items():
                report(Reading(device, now_ns, now_ns, failed=dict.fromkeys(points, f"driver broke: {why}")))
            await asyncio.sleep(RESTART_S[min(failures, len(RESTART_S)) - 1])

    def _pass_on(self, reading: Reading, report: Callable[[Reading], None]) -> None:
        """Hand it on, and log when a device goes away or comes back."""
        lost = bool(reading.failed) and not reading.values
        if lost and reading.device not in self._lost:
            self._lost.add(reading.device)
            why = next(iter(reading.failed.values()))
            log.warning("device does not answer", bus=self._bus.id, device=reading.device, why=why)
        elif not lost and reading.device in self._lost:
            self._lost.discard(reading.device)
            log.info("device answers again", bus=self._bus.id, device=reading.device)
        report(reading)

    async def write(self, device: str, point: str, value: Value) -> None:
        """Write through the driver there is at the moment. Raises DriverError."""
        if self._driver is None:
            raise DriverError(f"{device}/{point}: bus {self._bus.id} is not running yet")
        await self._driver.write(device, point, value)

    def health(self) -> list[DeviceHealth]:
        """As the driver tells it; nothing before its first start."""
        return self._driver.health() if self._driver is not None else []
