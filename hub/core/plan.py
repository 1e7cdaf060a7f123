"""The response levels of an area: as a supervisor sets them, and as they are planned."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.core.defaults import Levels


class Level(StrEnum):
    """Response levels (等级防控)."""

    NORMAL = "normal"
    ENHANCED = "enhanced"
    CRITICAL = "critical"


class Levelled(msgspec.Struct, frozen=True, tag="levelled", omit_defaults=True):
    """A supervisor set the response level of an area from one time (hub wall ms; None: now) until another, in place of
    what was set for that time; `normal` may be for good (None). `by` is an opaque person id, `why` the salted hash of
    the reason's text."""

    area: str
    level: Level
    by: str
    why: str
    from_ms: int | None = None
    until_ms: int | None = None


class Period(msgspec.Struct, frozen=True, omit_defaults=True):
    """A level from one time to another (hub wall ms; the end is not in it), who set it, when, and why."""

    level: Level
    from_ms: int
    until_ms: int
    by: str
    why: str
    set_ms: int


class Plan(msgspec.Struct, frozen=True):
    """An area's level as last applied, and its periods in order of time; they do not overlap."""

    level: Level = Level.NORMAL
    periods: tuple[Period, ...] = ()

    def at(self, at_ms: int) -> Level:
        """The level at a time."""
        found = (period.level for period in self.periods if period.from_ms <= at_ms < period.until_ms)
        return next(found, Level.NORMAL)


def level_of(plan: Plan | None) -> Level:
    """The level in force; where nothing was ever planned, normal."""
    return Level.NORMAL if plan is None else plan.level


def divisor(levels: Levels, level: Level) -> int:
    """By what accept limits are divided at a level."""
    return {Level.NORMAL: levels.normal, Level.ENHANCED: levels.enhanced, Level.CRITICAL: levels.critical}[level]
