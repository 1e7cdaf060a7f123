"""What time it is, and how far to believe it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.core.bounds import stamp_at
from protocol.records import ClockQuality, Stamp

CHECK_MS = 5_000
"""How often the kernel is asked whether the clock is synchronised."""
STEP_MS = 500
"""A jump of wall time against monotonic time from here on is a setting of the clock."""
TIME_ERROR = 5
"""What adjtimex(2) answers while the clock is not synchronised."""
HUB_LATENCY_MS = 30_000
HUB_FORGET_MS = 24 * 3_600_000
NS = 1_000_000


def kernel_boot() -> str:
    """The random id of this kernel's boot; monotonic time counts within it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def built_ms() -> int:
    """When this software was put here, in wall ms; no true clock is before it."""
    return int(Path(__file__).stat().st_mtime * 1000)


def kernel_synced() -> bool:
    """Whether a time service keeps the kernel's clock right at this moment."""
    buffer = ctypes.create_string_buffer(1024)  # struct timex, all zero: ask, change nothing
    answer: int = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    return 0 <= answer < TIME_ERROR


@dataclass(frozen=True, slots=True)
class Step:
    """The wall clock was set: by how much, in ms, and what it is worth now."""

    by_ms: int
    quality: ClockQuality


class Clock:
    """Stamps. Monotonic time is CLOCK_MONOTONIC, in which the kernel also stamps GPIO edges.

    `floor_ms` is the latest wall time known to be past (saved by the last process, or the build); a clock before it
    is `unset`. One above it is `synced` while a time service says so, `holdover` otherwise.
    """

    def __init__(
        self,
        floor_ms: int = 0,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
        synced: Callable[[], bool] = kernel_synced,
    ) -> None:
        self._floor_ms = max(floor_ms, built_ms())
        self._mono_ns = mono_ns
        self._wall_ns = wall_ns
        self._synced = synced
        self._is_synced = synced()
        self._checked_ns = mono_ns()
        self._offset_ms = self._offset()
        self._quality = self._judge()

    def mono_ns(self) -> int:
        """Monotonic ns."""
        return self._mono_ns()

    def now(self) -> Stamp:
        """The stamp of this moment, within what the wire carries."""
        wall_ms = self._wall_ns() // NS
        quality = ClockQuality.UNSET if wall_ms < self._floor_ms else self._quality
        mono_ns = self._mono_ns()
        return stamp_at(Stamp(mono_ns, wall_ms, quality), mono_ns)

    def check(self) -> Step | None:
        """Ask the kernel again (call about every CHECK_MS); says when the clock was set or its quality changed."""
        self._is_synced = self._synced()
        offset_ms, quality = self._offset(), self._judge()
        by_ms = offset_ms - self._offset_ms
        changed = abs(by_ms) >= STEP_MS or quality is not self._quality
        self._quality = quality
        if not changed:
            # a slow drift is no setting; a fast one adds up and becomes one
            return None
        self._offset_ms = offset_ms
        return Step(by_ms, quality)

    def _offset(self) -> int:
        return self._wall_ns() // NS - self._mono_ns() // NS

    def _judge(self) -> ClockQuality:
        if self._wall_ns() // NS < self._floor_ms:
            return ClockQuality.UNSET
        return ClockQuality.SYNCED if self._is_synced else ClockQuality.HOLDOVER


class HubClock:
    """The hub's wall time as its receipts tell it: never from a retained message, and forgotten after a day."""

    def __init__(self) -> None:
        self._hub_ms: int | None = None
        self._at_ns = 0

    def heard(self, hub_ms: int, now_ns: int) -> None:
        """A message written at `hub_ms` arrived. One that was merely slow does not set the estimate back."""
        known_ms = self.now_ms(now_ns)
        if known_ms is None or not known_ms - HUB_LATENCY_MS < hub_ms < known_ms:
            self._hub_ms, self._at_ns = hub_ms, now_ns

    def now_ms(self, now_ns: int) -> int | None:
        """The estimate for this moment in hub wall ms; None while unknown."""
        if self._hub_ms is None:
            return None
        passed_ms = (now_ns - self._at_ns) // NS
        return self._hub_ms + passed_ms if passed_ms <= HUB_FORGET_MS else None
