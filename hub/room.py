"""Looks at the room left on the disk, and holds telemetry before it takes what the journal needs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from hub.core.room import held
from hub.metrics import Metrics

LOOK_S = 5.0
MIB = 2**20


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there. Raises OSError."""
    return shutil.disk_usage(folder).free


class Room:
    """`short` says in words why telemetry is held, or is None; `changed` is told of every change of that."""

    def __init__(
        self, folder: Path, reserve_mb: int, metrics: Metrics, read: Callable[[Path], int] = free_bytes
    ) -> None:
        self.short: str | None = None
        self.changed: Callable[[str | None], None] = lambda short: None
        self._folder = folder
        self._reserve_mb = reserve_mb
        self._metrics = metrics
        self._read = read
        self._log = structlog.get_logger("hub.room")
        metrics.disk_reserve_bytes.set(reserve_mb * MIB)

    async def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once. A disk that does not say is treated as short: not knowing is no room."""
        try:
            free = await asyncio.to_thread(self._read, self._folder)
        except OSError as cause:
            self._judge(f"the room left in {self._folder} is not known ({cause.strerror})")
            return
        self._metrics.disk_free_bytes.set(free)
        if held(self.short is not None, free, self._reserve_mb * MIB):
            self._judge(f"{free // MIB} MiB free, and {self._reserve_mb} MiB are reserved for the journal")
        else:
            self._judge(None)

    def _judge(self, short: str | None) -> None:
        before, self.short = self.short, short
        if (before is None) == (short is None):
            return
        if short is not None:
            self._log.error("telemetry is held: the disk is nearly full", why=short)
        else:
            self._log.info("telemetry is taken again: there is room")
        self.changed(short)
