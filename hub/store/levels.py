"""How long telemetry is kept and how finely, and which copy answers for which time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Level:
    """A coarser copy, its window, and that window as InfluxQL says it."""

    name: str
    window_ms: int
    literal: str


FIVE_MINUTE = Level("five_minute", 300_000, "5m")
HOURLY = Level("hourly", 3_600_000, "1h")
LEVELS = {level.name: level for level in (FIVE_MINUTE, HOURLY)}


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days what is kept."""

    raw_days: int = 30
    five_minute_days: int = 365
    hourly_days: int = 3_650

    def begins_ms(self, level: Level | None, now_ms: int) -> int:
        """Since when a level (None: the readings themselves) is kept, wall ms."""
        days = {FIVE_MINUTE: self.five_minute_days, HOURLY: self.hourly_days}
        return max(0, now_ms - DAY_MS * (self.raw_days if level is None else days[level]))


KEPT = Kept()


class Part(NamedTuple):
    """Times from_ms <= t < to_ms, and the level (None: the readings themselves) that answers for them."""

    level: Level | None
    from_ms: int
    to_ms: int


class TooFine(ValueError):
    """Windows shorter than what is kept of that time; says what is allowed."""


def parts(from_ms: int, to_ms: int, every_ms: int, raw_ms: int, five_minute_ms: int) -> list[Part]:
    """By what windows of `every_ms` are answered: readings as far back as they are kept (since `raw_ms`), before that
    the widest copy whose windows fill them, rounded out to whole windows of it. Raises TooFine."""
    edge_ms = _up(raw_ms, HOURLY.window_ms)
    found = []
    if from_ms < min(edge_ms, to_ms):
        level = _level(every_ms)
        if level is None:
            raise TooFine(f"a multiple of {FIVE_MINUTE.window_ms} before {edge_ms}: readings are not kept that long")
        if level is FIVE_MINUTE and from_ms < (ends_ms := _up(five_minute_ms, HOURLY.window_ms)):
            raise TooFine(f"a multiple of {HOURLY.window_ms} before {ends_ms}: five minutes are not kept that long")
        found.append(Part(level, from_ms - from_ms % level.window_ms, min(to_ms, edge_ms)))
    if to_ms > edge_ms:
        found.append(Part(None, max(from_ms, edge_ms), to_ms))
    return found


def _level(every_ms: int) -> Level | None:
    return next((level for level in (HOURLY, FIVE_MINUTE) if every_ms % level.window_ms == 0), None)


def _up(at_ms: int, step_ms: int) -> int:
    return -(-at_ms // step_ms) * step_ms
