"""One GPIO chip as a bus: edges as they come, every line read again now and then, outputs kept through a reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence

from edge.gpio.lines import Edge, Lines, LineSettings, LinesLost
from edge.port import DeviceHealth, DriverError, Reading, Value

RETRY_FIRST_S, RETRY_MOST_S = 0.1, 5.0


class Chip:
    """An edge.port.Driver over any `Lines`. The bus is its own single device."""

    def __init__(
        self, name: str, settings: LineSettings, lines: Lines, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._name, self._lines, self._clock = name, lines, clock
        self._inputs = settings.named("in")
        self._outputs = dict.fromkeys(settings.named("out"), False)
        self._alive_s = settings.alive_ms / 1000
        self._report: Callable[[Reading], None] = lambda reading: None
        self._seqnos: dict[str, int] = {}
        self._read_ns: int | None = None
        self._again = asyncio.Event()
        self._lost: str | None = None
        self._open = False
        self._polls, self._failures = 0, Counter[str]()

    async def run(self, report: Callable[[Reading], None]) -> None:
        """Read until cancelled; a chip that is not there is a reading with every line failed, and is tried again."""
        self._report = report
        wait_s = RETRY_FIRST_S
        try:
            while True:
                try:
                    await self._request()
                    wait_s = RETRY_FIRST_S
                    await self._watch()
                except LinesLost as lost:
                    self._gone(str(lost))
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, RETRY_MOST_S)
        finally:
            self._open = False
            self._lines.close()

    async def write(self, device: str, point: str, value: Value) -> None:
        """Set an output. While the chip is away the value is kept for its return, and the writer is told."""
        if device != self._name or point not in self._outputs:
            allowed = ", ".join(f"{self._name}/{name}" for name in self._outputs) or "none, it has no outputs"
            raise DriverError(f"{device}/{point}: not an output; allowed: {allowed}")
        if value not in (False, True):
            raise DriverError(f"{device}/{point}: cannot be {value!r}; allowed: true or false")
        self._outputs[point] = bool(value)
        if not self._open:
            raise DriverError(f"{device}/{point}: {self._name} is not there")
        try:
            await self._lines.write(point, bool(value))
        except LinesLost as lost:
            raise DriverError(f"{device}/{point}: {lost}") from lost

    def health(self) -> list[DeviceHealth]:
        """Counters of the chip."""
        return [DeviceHealth(self._name, self._open, self._polls, dict(self._failures), None)]

    async def _request(self) -> None:
        self._lost, self._read_ns = None, None
        self._seqnos.clear()
        self._again.clear()
        await self._lines.open(dict(self._outputs), self._edges, self._on_lost)
        self._open = True

    async def _watch(self) -> None:
        """Read every line when opened, when edges were missed, and every `alive_ms`."""
        while True:
            self._again.clear()
            before = dict(self._seqnos)
            values = {} if self._lost is not None else await self._lines.read()
            if self._lost is not None:
                raise LinesLost(self._lost)
            self._polls += 1
            at_ns = self._clock()
            since_ns = at_ns if self._read_ns is None else self._read_ns
            self._read_ns = at_ns
            # an edge that came during the read is newer than its answer, which would press a released button again
            still = {line: value for line, value in values.items() if self._seqnos.get(line) == before.get(line)}
            self._report(Reading(self._name, at_ns, since_ns, still))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._alive_s):  # wait_for of Python 3.11 can swallow a cancellation
                    await self._again.wait()

    def _edges(self, edges: Sequence[Edge]) -> None:
        for edge in edges:
            before = self._seqnos.get(edge.line, 0)
            self._seqnos[edge.line] = edge.seqno
            if edge.seqno > before + 1:
                self._missed(edge)
            self._report(Reading(self._name, edge.at_ns, edge.at_ns, {edge.line: edge.active}))

    def _missed(self, edge: Edge) -> None:
        """Edges fell out of the buffer. They alternate, so the line was the other way before this one: a press whose
        first edge was lost is still a press. Then everything is read again."""
        self._failures["edges missed"] += 1
        since_ns = edge.at_ns if self._read_ns is None else min(self._read_ns, edge.at_ns)
        self._report(Reading(self._name, edge.at_ns, since_ns, {edge.line: not edge.active}))
        self._again.set()

    def _on_lost(self, reason: str) -> None:
        self._lost = reason
        self._again.set()

    def _gone(self, reason: str) -> None:
        self._open = False
        self._lines.close()
        self._failures["lost"] += 1
        at_ns = self._clock()
        self._report(Reading(self._name, at_ns, at_ns, failed=dict.fromkeys(self._inputs, reason)))
