"""One Modbus bus: one request at a time, fixed rates, writes first, and little time lost on silent units."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.modbus import backoff, requests, schedule, values
from edge.modbus.backoff import Answering, Policy, Silent
from edge.modbus.link import Link, LinkLost, NoAnswer
from edge.modbus.plan import Block
from edge.modbus.requests import Request
from edge.modbus.unit import Unit
from edge.port import Device, DeviceHealth, DriverError, Reading, Value

WRITES_MAX = 64  # queued writes of a bus; a writer beyond that is told so, its write is never lost silently


@dataclass(frozen=True, slots=True)
class _Write:
    unit: Unit
    point: str
    request: Request
    done: asyncio.Future[None]


class Bus:
    """An edge.port.Driver. `make_link` gets a callback for the loss of the connection; `jitter` gives 0 to 1."""

    def __init__(
        self,
        name: str,
        devices: Sequence[Device],
        make_link: Callable[[Callable[[], None]], Link],
        *,
        timeout_ms: int,
        policy: Policy,
        clock: Callable[[], int] = time.monotonic_ns,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._name, self._timeout_ms, self._policy = name, timeout_ms, policy
        self._units = {device.id: Unit(device, policy) for device in devices}
        self._make_link, self._clock, self._jitter = make_link, clock, jitter
        self._link: Link | None = None
        self._writes: deque[_Write] = deque()
        self._wake = asyncio.Event()
        self._line = Answering()  # the connection backs off like a unit does
        self._report: Callable[[Reading], None] = lambda reading: None

    def health(self) -> list[DeviceHealth]:
        """Counters of every device of the bus."""
        return [unit.health() for unit in self._units.values()]

    async def run(self, report: Callable[[Reading], None]) -> None:
        """Read until cancelled."""
        self._report = report
        for unit in self._units.values():
            unit.start(self._clock())
        try:
            while True:
                self._link = self._make_link(self._wake.set)
                reason = await self._link.open() or await self._serve(self._link)
                self._cut_off(reason)
                await asyncio.sleep((self._line.retry_at_ns - self._clock()) / 1e9)
        finally:
            self._drop_link("the bus was stopped")

    async def write(self, device: str, point: str, value: Value) -> None:
        """Write one output ahead of queued polls and wait for the device's own confirmation. Raises DriverError."""
        unit, request = self._checked(device, point, value)
        where = f"{device}/{point}"
        if self._link is None or not self._link.up:
            raise DriverError(f"{where}: bus {self._name} is not connected")
        if len(self._writes) >= WRITES_MAX:
            raise DriverError(f"{where}: {WRITES_MAX} writes already wait on bus {self._name}")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writes.append(_Write(unit, point, request, done))
        self._wake.set()
        await done

    def _checked(self, device: str, point: str, value: Value) -> tuple[Unit, Request]:
        """The request that writes a value, or DriverError naming the point and what is allowed."""
        unit = self._units.get(device)
        if unit is None:
            raise DriverError(
                f"{device}/{point}: no such device on bus {self._name}; allowed: {', '.join(self._units)}"
            )
        points = unit.device.profile.points
        outputs = ", ".join(name for name, found in points.items() if found.writable) or "none, it has no outputs"
        if point not in points:
            raise DriverError(f"{device}/{point}: no such point; allowed: {outputs}")
        if not points[point].writable:
            raise DriverError(f"{device}/{point}: can only be read; allowed: {outputs}")
        try:
            words = values.encode(points[point], value)
        except ValueError as error:
            raise DriverError(f"{device}/{point}: cannot be {value!r}; allowed: {error}") from error
        return unit, requests.write(unit.device.unit, points[point], words)

    async def _serve(self, link: Link) -> str:
        """Ask until the connection is lost; says why."""
        after_probe = False
        try:
            while link.up:
                await self._write_waiting(link)
                unit = schedule.pick(list(self._units.values()), self._clock(), after_probe)
                if unit is None:
                    await self._until_due()
                    after_probe = False
                    continue
                after_probe = unit.probing
                await self._poll(link, unit)
        except LinkLost as lost:
            return str(lost)
        return "connection lost"

    async def _poll(self, link: Link, unit: Unit) -> None:
        """Ask for every block of a unit; the first time-out ends its turn."""
        unit.begin_poll(self._clock())
        for block in unit.blocks:
            await self._write_waiting(link)
            try:
                self._report(await self._read(link, unit, block))
            except NoAnswer as silence:
                self._report(unit.silent(str(silence), self._clock(), self._jitter()))
                return

    async def _read(self, link: Link, unit: Unit, block: Block) -> Reading:
        asked_ns = self._clock()
        reply = await link.ask(requests.read(unit.device.unit, block), self._timeout_ms)
        at_ns = self._clock()
        self._line = Answering()
        if reply.isError():
            if reply.exception_code in requests.GATEWAY_SILENCE:
                raise NoAnswer(requests.exception_text(reply.exception_code))
            return unit.refused(block, requests.exception_text(reply.exception_code), at_ns)
        return unit.answered(block, requests.words_of(block, reply), at_ns, at_ns - asked_ns)

    async def _write_waiting(self, link: Link) -> None:
        """Send queued writes, at most a queue's length of them so that polls get their turn."""
        for _ in range(min(len(self._writes), WRITES_MAX)):
            write = self._writes.popleft()
            if write.done.done():  # its writer gave up, and asks again if it still wants it
                continue
            error = await self._write_error(link, write)
            if not write.done.done():  # its writer may have been cancelled
                write.done.set_exception(DriverError(error)) if error else write.done.set_result(None)

    async def _write_error(self, link: Link, write: _Write) -> str | None:
        """Perform one write; says why it failed."""
        unit, where = write.unit, f"{write.unit.device.id}/{write.point}"
        if not backoff.write_may_try(unit.answering, self._clock(), self._policy):
            return f"{where}: {unit.device.id} does not answer; the next write may try {self._policy.first_ms} ms later"
        try:
            reply = await link.ask(write.request, self._timeout_ms)
        except NoAnswer as silence:
            self._report(unit.silent(str(silence), self._clock(), self._jitter()))
            return f"{where}: {silence}"
        except (LinkLost, asyncio.CancelledError) as lost:
            if not write.done.done():
                write.done.set_exception(DriverError(f"{where}: {str(lost) or 'the bus was stopped'}"))
            raise
        unit.spoke()
        return f"{where}: {requests.exception_text(reply.exception_code)}" if reply.isError() else None

    def _cut_off(self, reason: str) -> None:
        self._drop_link(reason)
        now_ns = self._clock()
        self._line = backoff.step(self._line, Silent(now_ns, self._jitter()), self._policy)
        for unit in self._units.values():
            self._report(unit.cut_off(reason, now_ns))

    def _drop_link(self, reason: str) -> None:
        if self._link is not None:
            self._link.close()
        while self._writes:
            write = self._writes.popleft()
            if not write.done.done():
                write.done.set_exception(DriverError(f"{write.unit.device.id}/{write.point}: {reason}"))

    async def _until_due(self) -> None:
        """Wait for the next turn, a write, or the loss of the connection."""
        due_ns = min((unit.due_ns for unit in self._units.values()), default=self._clock() + 10**9)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, due_ns - self._clock()) / 1e9):
                await self._wake.wait()
        self._wake.clear()
