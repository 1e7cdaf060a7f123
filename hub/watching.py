"""The hub's own book of when it was on watch: it heard the alarm lane and could write its journal.

Kept in the journal's file, so that a minute in which nothing could be written is not in it. Reports read it: what
happened while nobody watched is not known, and is never taken for quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import NamedTuple

import structlog

from hub.journal import Journal
from hub.past import JournalError
from protocol.records import Lane

EVERY_S = 30.0
PAUSE_MAX_MS = 120_000
"""Two looks further apart than this: the machine slept, or the hub was held up."""
KEPT_MS = 800 * 24 * 3_600_000
"""How long the book is kept; the oldest goes first."""


class Stretch(NamedTuple):
    """On watch from one time to another, hub wall ms."""

    began_ms: int
    until_ms: int


def looked(last: Stretch | None, now_ms: int, on_watch: bool) -> Stretch | None:
    """The stretch after a look: it goes on, begins anew, or there is none."""
    if not on_watch:
        return None
    if last is None or now_ms - last.until_ms > PAUSE_MAX_MS:
        return Stretch(now_ms, now_ms)
    return Stretch(last.began_ms, max(last.until_ms, now_ms))


class Watching:
    """Looks every half minute. `broker` says per lane why it is down, or None."""

    def __init__(
        self, journal: Journal, writer: Executor, now_ms: Callable[[], int], broker: Mapping[str, str | None]
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._now_ms = now_ms
        self._broker = broker
        self._last: Stretch | None = None
        self._log = structlog.get_logger("hub.watching")

    async def run(self) -> None:
        """Look for ever, and write what was seen."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S if self._last is not None else 1.0)

    async def look(self) -> None:
        """One look. A journal that takes nothing ends the stretch, and is told by the clerk."""
        self._last = looked(self._last, self._now_ms(), self._broker.get(Lane.ALARM.value) is None)
        if self._last is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._writer, self._journal.on_watch, *self._last, self._last.until_ms - KEPT_MS
            )
        except JournalError as cause:
            self._log.warning("the book of the watch cannot be written", why=str(cause))
            self._last = None
