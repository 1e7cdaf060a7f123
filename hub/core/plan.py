"""The response levels planned of an area."""

from __future__ import annotations

import msgspec

from hub.core.defaults import Levels
from hub.core.io import Level


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
