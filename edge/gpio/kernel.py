"""Lines of a real chip through libgpiod 2. Written against its documented interface; it has not met hardware yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import gpiod
from gpiod.line import Bias, Clock, Direction, Value
from gpiod.line import Edge as GpiodEdge

from edge.gpio.lines import Edge, Line, LineSettings, LinesLost

CONSUMER = "lianfang"
EVENTS_MAX = 256
"""The kernel's event buffer; when it is full it drops the oldest, which shows as a hole in a line's numbers."""
BIASES = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "none": Bias.DISABLED}


class Request(Protocol):
    """The part of gpiod.LineRequest that is used."""

    @property
    def fd(self) -> int: ...
    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool: ...
    def read_edge_events(self, max_events: int | None = None) -> list[Any]: ...
    def get_values(self, lines: Any = None) -> list[Value]: ...
    def set_values(self, values: Any) -> None: ...
    def release(self) -> None: ...


class KernelLines:
    """`edge.gpio.lines.Lines` over a character device such as /dev/gpiochip0. `request` is gpiod's own by default."""

    def __init__(
        self, chip: str, settings: LineSettings, request: Callable[..., Request] = gpiod.request_lines
    ) -> None:
        self._chip, self._lines, self._request_lines = chip, settings.lines, request
        self._inputs = settings.named("in")
        self._names = {line.offset: name for name, line in settings.lines.items()}
        self._request: Request | None = None
        self._on_edges: Callable[[Sequence[Edge]], None] = lambda edges: None
        self._on_lost: Callable[[str], None] = lambda reason: None

    async def open(
        self, outputs: Mapping[str, bool], on_edges: Callable[[Sequence[Edge]], None], on_lost: Callable[[str], None]
    ) -> None:
        """Request the lines with events on both edges, stamped by the monotonic clock."""
        config = {line.offset: _settings(line, outputs.get(name, False)) for name, line in self._lines.items()}
        self._on_edges, self._on_lost = on_edges, on_lost
        try:
            self._request = self._request_lines(
                self._chip, config=config, consumer=CONSUMER, event_buffer_size=EVENTS_MAX
            )
        except (OSError, ValueError) as cause:
            raise LinesLost(f"{self._chip}: {cause}") from cause
        asyncio.get_running_loop().add_reader(self._request.fd, self._ready)

    async def read(self) -> Mapping[str, bool]:
        """Take the edges that wait, then the values."""
        if not self._inputs:
            return {}
        request = self._held()
        self._ready()
        try:
            values = request.get_values([self._lines[name].offset for name in self._inputs])
        except OSError as cause:
            raise LinesLost(f"{self._chip}: {cause}") from cause
        return {name: value is Value.ACTIVE for name, value in zip(self._inputs, values, strict=True)}

    async def write(self, line: str, active: bool) -> None:
        """Set an output."""
        try:
            self._held().set_values({self._lines[line].offset: _value(active)})
        except OSError as cause:
            raise LinesLost(f"{self._chip}: {cause}") from cause

    def close(self) -> None:
        """Release the lines; the kernel then lets go of the outputs, which a fail-safe relay takes as off."""
        if self._request is not None:
            asyncio.get_running_loop().remove_reader(self._request.fd)
            self._request.release()
            self._request = None

    def _held(self) -> Request:
        if self._request is None:
            raise LinesLost(f"{self._chip}: its lines are not requested")
        return self._request

    def _ready(self) -> None:
        request = self._held()
        try:
            while request.wait_edge_events(0):
                self._on_edges([self._edge(event) for event in request.read_edge_events()])
        except OSError as cause:
            asyncio.get_running_loop().remove_reader(request.fd)
            self._on_lost(f"{self._chip}: {cause}")

    def _edge(self, event: Any) -> Edge:
        active = event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
        return Edge(self._names[event.line_offset], active, event.timestamp_ns, event.line_seqno)


def _settings(line: Line, on: bool) -> gpiod.LineSettings:
    if line.direction == "out":
        return gpiod.LineSettings(direction=Direction.OUTPUT, active_low=line.active_low, output_value=_value(on))
    return gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection=GpiodEdge.BOTH,
        bias=BIASES[line.pull],
        active_low=line.active_low,
        debounce_period=timedelta(milliseconds=line.debounce_ms),
        event_clock=Clock.MONOTONIC,
    )


def _value(on: bool) -> Value:
    return Value.ACTIVE if on else Value.INACTIVE
