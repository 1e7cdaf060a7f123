"""What time it is, and how far to believe it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.core.bounds import stamp_at
from protocol.records import WALL_MS_MAX, ClockQuality, Stamp

CHECK_MS = 5_000
"""How often the kernel is asked whether the clock is synchronised."""
STEP_MS = 500
"""A jump of wall time against monotonic time from here on is a setting of the clock."""
TIME_ERROR = 5
"""What adjtimex(2) answers while the clock is not synchronised."""
ERROR_MS_MAX = 16_000
"""The kernel calls a clock synchronised while it is surely less than this off (NTP_PHASE_LIMIT)."""
DRIFT_PPM = 500
"""How fast monotonic time may run; what is said to be past must be so."""
HUB_LATENCY_MS = 30_000
HUB_FORGET_MS = 24 * 3_600_000
NS = 1_000_000


def kernel_boot() -> str:
    """The random id of this kernel's boot; monotonic time counts within it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def built_ms() -> int:
    """When this software was put here, in wall ms; no true clock is before it."""
    return int(Path(__file__).stat().st_mtime * 1000)


class _Timex(ctypes.Structure):
    """The beginning of struct timex, with room for the rest; all zero asks and changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 1024),
    )  # fmt: skip


def kernel_error_ms() -> int | None:
    """How far the kernel's clock is off at most while a time service keeps it right; None while none does."""
    asked = _Timex()
    answer: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    return min(ERROR_MS_MAX, int(asked.maxerror) // 1000 + 1) if 0 <= answer < TIME_ERROR else None


@dataclass(frozen=True, slots=True)
class Step:
    """The wall clock was set: by how much, in ms, and what it is worth now: quality, and error where that is known."""

    by_ms: int
    quality: ClockQuality
    error_ms: int | None = None


class Clock:
    """Stamps. Monotonic time is CLOCK_MONOTONIC, in which the kernel also stamps GPIO edges.

    `floor_ms` is the latest wall time known to be past (saved by the last process, the build, the certificate); a clock
    before it is `unset`, and then the stamps' wall time runs from the latest time known to be past: never late, and
    after every stamp of the boot before. One above it is `synced` while a time service says so, `holdover` otherwise.
    `error_ms` says how far a synchronised clock is off at most, None for one that is not; `made_ms` stands for the
    build in a world of another time.
    """

    def __init__(
        self,
        floor_ms: int = 0,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
        error_ms: Callable[[], int | None] = kernel_error_ms,
        made_ms: int | None = None,
    ) -> None:
        self._floor_ms = min(max(floor_ms, built_ms() if made_ms is None else made_ms), WALL_MS_MAX)
        self._mono_ns = mono_ns
        self._wall_ns = wall_ns
        self._ask = error_ms
        self._past = (self._floor_ms, mono_ns())
        self._error_ms = error_ms()
        self._offset_ms = self._offset()
        self._quality = self._judge()
        self._learn()

    def mono_ns(self) -> int:
        """Monotonic ns."""
        return self._mono_ns()

    def now(self) -> Stamp:
        """The stamp of this moment, within what the wire carries."""
        wall_ms, mono_ns = self._wall_ns() // NS, self._mono_ns()
        if wall_ms < self._floor_ms:
            return stamp_at(Stamp(mono_ns, self.past_ms(), ClockQuality.UNSET), mono_ns)
        quality = self._quality
        if quality is not ClockQuality.HOLDOVER and abs(wall_ms - mono_ns // NS - self._offset_ms) >= STEP_MS:
            quality = ClockQuality.HOLDOVER  # set since the kernel was asked: by whom, the next look will tell
        return stamp_at(Stamp(mono_ns, wall_ms, quality), mono_ns)

    def past_ms(self) -> int:
        """The latest wall ms known to be past by now, whatever the clock claims: to be saved for the next start."""
        wall_ms, at_ns = self._past
        passed_ms = (self._mono_ns() - at_ns) // NS
        return wall_ms + passed_ms - passed_ms * DRIFT_PPM // 1_000_000

    def check(self) -> Step | None:
        """Ask the kernel again (call about every CHECK_MS); says when the clock was set or its quality changed."""
        self._error_ms = self._ask()
        offset_ms, quality = self._offset(), self._judge()
        by_ms = offset_ms - self._offset_ms
        changed = abs(by_ms) >= STEP_MS or quality is not self._quality
        self._quality = quality
        self._learn()
        if not changed:
            # a slow drift is no setting; a fast one adds up and becomes one
            return None
        self._offset_ms = offset_ms
        return Step(by_ms, quality, self.error_ms())

    def error_ms(self) -> int | None:
        """How far it was off at most when the kernel was last asked; None unless it is `synced`."""
        return self._error_ms if self._quality is ClockQuality.SYNCED else None

    def _learn(self) -> None:
        """Only a time service's word moves what is known to be past: a clock set wrongly ahead must not be saved."""
        if self._quality is ClockQuality.SYNCED:
            self._past = (min(self._wall_ns() // NS, WALL_MS_MAX), self._mono_ns())

    def _offset(self) -> int:
        return self._wall_ns() // NS - self._mono_ns() // NS

    def _judge(self) -> ClockQuality:
        if self._wall_ns() // NS < self._floor_ms:
            return ClockQuality.UNSET
        return ClockQuality.HOLDOVER if self._error_ms is None else ClockQuality.SYNCED


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

    def heard_at(self) -> tuple[int, int] | None:
        """The hub's wall ms last taken over, with the monotonic ns it arrived at: by then it was at least that late."""
        return None if self._hub_ms is None else (self._hub_ms, self._at_ns)

    def now_ms(self, now_ns: int) -> int | None:
        """The estimate for this moment in hub wall ms; None while unknown."""
        if self._hub_ms is None:
            return None
        passed_ms = (now_ns - self._at_ns) // NS
        return self._hub_ms + passed_ms if passed_ms <= HUB_FORGET_MS else None
