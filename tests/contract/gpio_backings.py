"""Two backings of the one GPIO engine: the simulator's line server, and libgpiod over a request made of a pipe.

The second stands where the kernel would: it has gpiod's own event, value and settings types and a pollable file
descriptor, but no hardware. The driver has not met a real chip yet.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import gpiod
from gpiod.line import Direction, Value

from edge.drivers import gpio_sim
from edge.gpio.chip import Chip
from edge.gpio.kernel import KernelLines
from edge.gpio.lines import LineSettings
from simulators.gpio import GpioChip

BUFFER = 8
LINES = {
    "panic": {"offset": 4, "pull": "up", "active_low": True},
    "door": {"offset": 5},
    "siren": {"offset": 6, "direction": "out"},
}


class Backing(Protocol):
    """What a test may do to the lines."""

    def driver(self) -> Chip: ...
    def set(self, line: str, active: bool) -> None: ...
    def get(self, output: str) -> bool: ...
    def burst(self, line: str, times: int) -> None: ...
    async def vanish(self) -> None: ...
    async def come_back(self) -> None: ...
    async def stop(self) -> None: ...


class Simulated:
    """The line server on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._chip = GpioChip(folder / "gpio.sock", ["panic", "door"], ["siren"], events_max=BUFFER)
        self.set, self.get, self.burst = self._chip.set, self._chip.get, self._chip.chatter
        self.vanish, self.come_back, self.stop = self._chip.stop, self._chip.start, self._chip.stop

    def driver(self) -> Chip:
        settings = gpio_sim.Settings.model_validate(
            {"lines": LINES, "socket": str(self._chip.path), "alive_ms": 60_000}
        )
        made = gpio_sim.build("buttons", settings, ())
        assert isinstance(made, Chip)
        return made


class PipeRequest:
    """A line request as gpiod gives it: a descriptor that is readable while edges wait, at most `BUFFER` of them."""

    def __init__(self, levels: dict[int, bool], config: dict[int, gpiod.LineSettings]) -> None:
        self.config = config
        self._levels = levels
        self._events: deque[gpiod.EdgeEvent] = deque(maxlen=BUFFER)
        self._numbers: dict[int, int] = {}
        self._read_fd, self._write_fd = os.pipe()
        self.broken = self.released = False
        self.outputs = {
            offset: settings.output_value for offset, settings in config.items()
            if settings.direction is Direction.OUTPUT
        }  # fmt: skip

    @property
    def fd(self) -> int:
        return self._read_fd

    def edge(self, offset: int, active: bool) -> None:
        """The kernel puts an edge into the buffer, the oldest falling out of a full one."""
        number = self._numbers[offset] = self._numbers.get(offset, 0) + 1
        kind = gpiod.EdgeEvent.Type.RISING_EDGE if active else gpiod.EdgeEvent.Type.FALLING_EDGE
        if not self._events:
            os.write(self._write_fd, b"!")
        self._events.append(gpiod.EdgeEvent(kind.value, time.monotonic_ns(), offset, number, number))

    def break_down(self) -> None:
        """The chip is unplugged: its descriptor wakes the reader and every call fails."""
        self.broken = True
        os.write(self._write_fd, b"!")

    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool:
        self._check()
        return bool(self._events)

    def read_edge_events(self, max_events: int | None = None) -> list[Any]:
        self._check()
        events = list(self._events)
        self._events.clear()
        os.read(self._read_fd, 1)
        return events

    def get_values(self, lines: Any = None) -> list[Value]:
        self._check()
        return [Value.ACTIVE if self._levels[offset] else Value.INACTIVE for offset in lines]

    def set_values(self, values: Any) -> None:
        self._check()
        self.outputs.update(values)

    def release(self) -> None:
        self.released = True
        os.close(self._read_fd)
        os.close(self._write_fd)

    def _check(self) -> None:
        if self.broken:
            raise OSError(19, "No such device")


class Kernel:
    """libgpiod's side of the driver over `PipeRequest`."""

    def __init__(self, folder: Path) -> None:
        self._levels = {4: False, 5: False}
        self._offsets = {"panic": 4, "door": 5, "siren": 6}
        self._there = False
        self.request: PipeRequest | None = None

    def driver(self) -> Chip:
        settings = LineSettings.model_validate({"lines": LINES, "alive_ms": 60_000})
        return Chip("buttons", settings, KernelLines("/dev/gpiochip9", settings, self._request_lines))

    def set(self, line: str, active: bool) -> None:
        offset = self._offsets[line]
        if self._levels[offset] != active:
            self._levels[offset] = active
            if self.request is not None and not self.request.broken and not self.request.released:
                self.request.edge(offset, active)

    def get(self, output: str) -> bool:
        live = self.request is not None and not self.request.released
        return live and self.request is not None and self.request.outputs[self._offsets[output]] is Value.ACTIVE

    def burst(self, line: str, times: int) -> None:
        for _ in range(times):
            self.set(line, not self._levels[self._offsets[line]])
            self.set(line, not self._levels[self._offsets[line]])

    async def vanish(self) -> None:
        self._there = False
        if self.request is not None:
            self.request.break_down()

    async def come_back(self) -> None:
        self._there = True

    async def stop(self) -> None:
        """Nothing to stop: the driver releases its request."""

    def _request_lines(
        self, path: str, config: dict[int, gpiod.LineSettings], consumer: str, event_buffer_size: int
    ) -> PipeRequest:
        if not self._there:
            raise FileNotFoundError(2, "No such file or directory", path)
        self.request = PipeRequest(self._levels, config)
        return self.request


BACKINGS: dict[str, Callable[[Path], Backing]] = {"simulated": Simulated, "libgpiod": Kernel}
