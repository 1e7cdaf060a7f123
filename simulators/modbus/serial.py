"""A serial line with many units: a pseudo-terminal pair whose far end the driver opens like any serial port."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from simulators.modbus.bus import Units
from simulators.modbus.frames import RtuFraming
from simulators.modbus.unit import SimUnit

CHUNK = 4096


class RtuServer:
    """`async with RtuServer([unit]) as line` gives `line.port`, the device file to open.

    A pseudo-terminal has another name after `stop` and `start`; with `link`, `port` is a symbolic link that follows it,
    as /dev/serial/by-id does when an adapter is plugged in again.
    """

    def __init__(self, units: Iterable[SimUnit], *, link: Path | None = None) -> None:
        self.port = ""
        self._link = link
        self._units = Units(units, RtuFraming())
        self._near, self._far, self._rest = -1, -1, b""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Plug the line in."""
        self._near, self._far = os.openpty()
        tty.setraw(self._far)  # kept open by us too, so the near end sees no hang-up between two openings
        os.set_blocking(self._near, False)
        self.port = os.ttyname(self._far)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self.port)
            self.port = str(self._link)
        asyncio.get_running_loop().add_reader(self._near, self._receive)

    async def stop(self) -> None:
        """Pull the plug: whoever has the line open gets an input/output error."""
        if self._near < 0:
            return
        asyncio.get_running_loop().remove_reader(self._near)
        await self._units.cancel()
        os.close(self._near)
        os.close(self._far)
        self._near = self._far = -1
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _receive(self) -> None:
        with suppress(OSError):
            self._rest = self._units.receive(self._rest + os.read(self._near, CHUNK), self._send)

    def _send(self, frame: bytes) -> None:
        with suppress(BlockingIOError):  # nobody reads: a wire does not keep what nobody listens to
            if self._near >= 0:
                os.write(self._near, frame)
