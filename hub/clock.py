"""The hub's time: wall ms that never run backwards, carried by the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

AHEAD_MS = 1_000
"""How far the wall clock must be ahead before it is followed; a step back is not followed at all."""


def utc(ms: int) -> str:
    """A wall time as ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class HubClock:
    """Wall time for the journal and the desk's deadlines. `not_before_ms` is the journal's last entry.

    A clock that is set back must neither stop the desk's timers nor date an entry before the one it follows.
    `exact_ms` is the monotonic clock with its fractions, to measure with.
    """

    def __init__(
        self,
        not_before_ms: int = 0,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        mono_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        exact_ms: Callable[[], float] = lambda: time.monotonic_ns() / 1e6,
    ) -> None:
        self._wall_ms = wall_ms
        self.mono_ms = mono_ms
        self.exact_ms = exact_ms
        self._offset_ms = max(not_before_ms, wall_ms()) - mono_ms()

    def now_ms(self) -> int:
        """Hub wall ms since 1970 UTC."""
        wall_ms = self._wall_ms()  # first: held up between the two readings, the wall clock looks late, never ahead
        mono_ms = self.mono_ms()
        if wall_ms > mono_ms + self._offset_ms + AHEAD_MS:
            self._offset_ms = wall_ms - mono_ms
        return mono_ms + self._offset_ms
