"""What the wire carries. A record beyond these bounds would be refused by the hub and sent again for ever."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from protocol.records import INT64_MAX, TEXT_MAX, WALL_MS_MAX, ClockQuality, Stamp

__all__ = ["INT64_MAX", "TEXT_MAX", "WALL_MS_MAX", "Detail", "fits", "fitting", "listed", "stamp_at"]

NS_PER_MS = 1_000_000
MORE_CHARS = 16
"""Room for " and N more"."""

Detail: TypeAlias = Mapping[str, str | int | float | bool]


def fits(value: bool | int | float) -> bool:
    """Whether a number can be told: finite, and an integer within 64 bits."""
    return math.isfinite(value) if isinstance(value, float) else -INT64_MAX - 1 <= value <= INT64_MAX


def text(value: str) -> str:
    """A text as the wire takes it: cut to its length, without what is no character."""
    return value[:TEXT_MAX].encode(errors="replace").decode()


def fitting(detail: Detail) -> dict[str, str | int | float | bool]:
    """A record's detail; a number that cannot be told as one is told as text."""
    return {
        name: value if not isinstance(value, str) and fits(value) else _told(value) for name, value in detail.items()
    }


def listed(names: Sequence[str]) -> str:
    """Names in one text, with a comma between; those that do not fit are counted."""
    joined = ",".join(names)
    if len(joined) <= TEXT_MAX:
        return joined
    kept = joined[: TEXT_MAX - MORE_CHARS].split(",")[:-1]
    return f"{','.join(kept)} and {len(names) - len(kept)} more"


def stamp_at(now: Stamp, mono_ns: int) -> Stamp:
    """The stamp of `mono_ns`, monotonic ns at or shortly before `now`; its wall time moves with it.

    A wall time out of range (before 1970, after 2262) is clamped, and then it is `unset`, whatever the clock claims.
    """
    mono_ns = max(0, min(mono_ns, now.mono_ns))
    wall_ms = now.wall_ms - (now.mono_ns - mono_ns) // NS_PER_MS
    clamped_ms = max(0, min(wall_ms, WALL_MS_MAX))
    return Stamp(mono_ns, clamped_ms, now.quality if clamped_ms == wall_ms else ClockQuality.UNSET)


def _told(value: str | int | float | bool) -> str:
    if isinstance(value, int) and value.bit_length() > TEXT_MAX:
        return f"an integer of {value.bit_length()} bits"  # its digits would take long to make, to no use
    return text(str(value))
