"""The thread that commits a lane's outbox in groups, so that a slow SD card never keeps the event loop waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from edge.outbox import Outbox, Pending
from edge.store import Loaded


class Committer:
    """Drives one outbox, whose listeners are called on the event loop."""

    def __init__(self, name: str, outbox: Outbox) -> None:
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._closing = False
        self._commits_since_s: float | None = None
        self._took_s = 0.0
        self._idle = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=f"outbox {name}", daemon=True)
        outbox.driven(on_news=self._wake.notify, later=self._tell, lock=self._wake)

    async def open(self) -> Loaded:
        """Load what the last process left and start the thread; a disk in trouble loads nothing, for now."""
        loaded = await asyncio.to_thread(self._outbox.open)
        self._thread.start()
        return loaded

    async def close(self, limit_s: float = 1.0) -> bool:
        """Commit what is pending and end the thread; False when the disk did not take it, or not within `limit_s`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if not self._thread.is_alive():
            return True
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return not self._outbox.waiting

    def slow_s(self) -> float:
        """How long the disk has been at the transaction under way, or was at the last one; seconds."""
        since_s = self._commits_since_s
        return self._took_s if since_s is None else time.monotonic() - since_s

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._commits_since_s = began_s = time.monotonic()
            self._outbox.commit(batch)
            self._took_s, self._commits_since_s = time.monotonic() - began_s, None
        self._outbox.close()
        self._tell(self._idle.set)

    def _next_batch(self) -> Pending | None:
        """Wait for work (after a failure also out the pause, unless a P1 or P2 came); None when closing and done."""
        outbox = self._outbox
        with self._wake:
            pause_s = outbox.stand_back_s()
            if pause_s and not self._closing:
                self._wake.wait_for(lambda: outbox.urgent or self._closing, pause_s)
            self._wake.wait_for(lambda: outbox.waiting or self._closing)
            if self._closing and (not outbox.waiting or pause_s):
                return None
            return outbox.take()

    def _tell(self, what: Callable[..., None], *words: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *words)
        except RuntimeError:
            return  # the loop is gone: so is everybody who would listen
