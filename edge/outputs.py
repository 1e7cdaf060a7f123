"""Sirens and lamps as they should be: the latest wish of each output, tried until the device has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from edge.port import Driver, DriverError

WRITE_S_MAX = 3.0
"""How long one write may take before it counts as failed."""
TRIES_QUICK = 3
"""Failed attempts (within about half a second) until a wish counts as failed: a bus may just be connecting."""
RETRY_S = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Waits before the next attempt; the last repeats for as long as the output is not as it should be."""

ENDING = "the gateway ends"

log = structlog.get_logger("lianfang.outputs")


@dataclass(slots=True, eq=False)
class _Wish:
    output: str
    target: str
    on: bool
    failures: int = 0
    due_s: float = 0.0
    tried: asyncio.Future[str | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Outputs:
    """Writes what the fold wants. One task a bus, so that a dead one delays no other; a newer wish replaces an older.

    Of those `beating` each wish is one beat of a pattern: what was wanted first is answered by what the next comes to.
    `on_trouble` hears (output, reason) when an output does not obey, and (output, None) when it works again.
    """

    def __init__(self, drivers: Mapping[str, Driver], bus_of: Mapping[str, str], beating: Collection[str] = ()) -> None:
        self._drivers = drivers
        self._beating = frozenset(beating)
        self._bus_of = bus_of
        self._wishes: dict[str, dict[str, _Wish]] = {bus: {} for bus in drivers}
        self._wake = {bus: asyncio.Event() for bus in drivers}
        self._failing: set[str] = set()
        self._ending = False
        self.on_trouble: Callable[[str, str | None], None] = _nobody

    def drive(self, output: str, target: str, on: bool) -> Awaitable[str | None]:
        """Want `target` ("device/point") on or off; None comes back once it is so, or why it failed at first."""
        bus = self._bus_of[target.partition("/")[0]]
        older = self._wishes[bus].pop(output, None)
        wish = _Wish(output, target, on, failures=older.failures if older is not None else 0)
        if older is not None and not older.tried.done():
            if output in self._beating:
                wish.tried = older.tried
            else:
                older.tried.set_result("replaced by a newer wish")
        if self._ending:
            wish.tried.set_result(ENDING)
            return wish.tried
        self._wishes[bus][output] = wish
        self._wake[bus].set()
        return asyncio.shield(wish.tried)

    async def run(self, bus: str) -> None:
        """Serve one bus until cancelled."""
        clock = asyncio.get_running_loop().time
        wishes, wake = self._wishes[bus], self._wake[bus]
        while True:
            wake.clear()
            due = [wish for wish in wishes.values() if wish.due_s <= clock()]
            if not due:
                wait_s = min((wish.due_s for wish in wishes.values()), default=None)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if wait_s is None else max(0.0, wait_s - clock())):
                        await wake.wait()
                continue
            await self._try(bus, min(due, key=lambda wish: (wish.failures, wish.due_s)))

    async def _try(self, bus: str, wish: _Wish) -> None:
        reason = await self._write(bus, wish.target, wish.on)
        wishes = self._wishes[bus]
        if reason is None:
            if not wish.tried.done():
                wish.tried.set_result(None)
            if wishes.get(wish.output) is wish:
                del wishes[wish.output]
            if wish.output in self._failing:
                self._failing.discard(wish.output)
                self.on_trouble(wish.output, None)
            return
        wish.due_s = asyncio.get_running_loop().time() + RETRY_S[min(wish.failures, len(RETRY_S) - 1)]
        wish.failures += 1
        if wish.failures < TRIES_QUICK:
            return
        if not wish.tried.done():
            wish.tried.set_result(reason)
        if wish.output not in self._failing:
            self._failing.add(wish.output)
            log.error("output does not obey", output=wish.output, target=wish.target, on=wish.on, why=reason)
            self.on_trouble(wish.output, reason)

    async def _write(self, bus: str, target: str, on: bool) -> str | None:
        device, _, point = target.partition("/")
        try:
            async with asyncio.timeout(WRITE_S_MAX):
                await self._drivers[bus].write(device, point, on)
        except DriverError as cause:
            return str(cause)
        except TimeoutError:
            return f"{target}: no answer in {WRITE_S_MAX} s"
        except Exception as cause:  # a driver's bug must not silence the other outputs
            log.exception("driver failed in a write", bus=bus, target=target)
            return f"{target}: {type(cause).__name__}: {cause}"
        return None

    async def all_off(self, targets: Iterable[str], limit_s: float) -> None:
        """At the end: nobody will be there to switch these off later, so nothing is switched on from here on. Best
        effort, in `limit_s` at most."""
        self._ending = True
        for wishes in self._wishes.values():
            for wish in wishes.values():
                if not wish.tried.done():
                    wish.tried.set_result(ENDING)
            wishes.clear()
        writes = [self._write(self._bus_of[target.partition("/")[0]], target, False) for target in targets]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*writes)


def _nobody(output: str, reason: str | None) -> None:
    """Until somebody listens."""
