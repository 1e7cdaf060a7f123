"""When a schedule acts: local times of day, weekdays and holidays to wall ms, by a zone's rules given as data."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from edge.core.modes import Mode

MINUTE_MS = 60_000
DAY_MS = 86_400_000
THURSDAY = 3
"""The weekday of day 0, 1970-01-01; Monday is 0."""
AHEAD_DAYS = 40
"""How far ahead a next moment is looked for."""


class Holidays(StrEnum):
    """What a schedule does on a holiday: as on any day, arm but not disarm, nothing; or it acts on holidays alone."""

    AS_USUAL = "as_usual"
    CLOSED = "closed"
    SKIP = "skip"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Arms premises in `mode` at `arm_min` and disarms them at `disarm_min`, minutes of the local day; None: does not.

    `days` are weekdays, Monday is 0. It chirps `warn_ms` before it arms; each of at most `postpone_max` postponements
    is for `postpone_ms`. With `force` what is open is left out.
    """

    id: str
    premises: tuple[str, ...]
    arm_min: int | None = None
    disarm_min: int | None = None
    days: frozenset[int] = frozenset(range(7))
    mode: Mode = Mode.ARMED_AWAY
    holidays: Holidays = Holidays.AS_USUAL
    warn_ms: int = 60_000
    postpone_ms: int = 1_800_000
    postpone_max: int = 3
    force: bool = True


@dataclass(frozen=True, slots=True)
class Calendar:
    """A time zone and the holidays. `offsets` are (wall ms from which, s east of UTC), ascending; before the first its
    offset holds too. `holidays` are (first, last) days since 1970-01-01 in local time."""

    offsets: tuple[tuple[int, int], ...] = ((0, 0),)
    holidays: tuple[tuple[int, int], ...] = ()

    def offset_ms(self, wall_ms: int) -> int:
        """Local time less UTC at a moment."""
        at = bisect_right(self.offsets, (wall_ms, 10**9)) - 1
        return self.offsets[max(0, at)][1] * 1000

    def day(self, wall_ms: int) -> int:
        """The local day of a moment, counted from 1970-01-01."""
        return (wall_ms + self.offset_ms(wall_ms)) // DAY_MS

    def wall_ms(self, day: int, minute: int) -> int:
        """When a local time of day is; of two the first, and one that is skipped is when the clocks jump over it."""
        local_ms = day * DAY_MS + minute * MINUTE_MS
        before = self.offset_ms(local_ms - DAY_MS)
        after = self.offset_ms(local_ms + DAY_MS)
        for offset_ms in (max(before, after), min(before, after)):
            if self.offset_ms(local_ms - offset_ms) == offset_ms:
                return local_ms - offset_ms
        return next(at_ms for at_ms, _ in self.offsets if at_ms > local_ms - max(before, after))

    def is_holiday(self, day: int) -> bool:
        """Whether a local day is one."""
        return any(first <= day <= last for first, last in self.holidays)


UTC = Calendar()


@dataclass(frozen=True, slots=True)
class Nightly:
    """When a gateway proves itself: from minute `at_min` of the local day on, each at its own share of `within_ms`."""

    at_min: int = 120
    within_ms: int = 3 * 3_600_000

    def following(self, calendar: Calendar, share: float, after_ms: int) -> int:
        """The first such moment after `after_ms`, wall ms, of the gateway whose `share` in [0, 1) this is."""
        days = range(calendar.day(after_ms) - 2, calendar.day(after_ms) + 3)
        moments = (calendar.wall_ms(day, self.at_min) + int(share * self.within_ms) for day in days)
        return min(moment for moment in moments if moment > after_ms)


class Moment(NamedTuple):
    """A schedule arms or disarms at `at_ms` wall time."""

    at_ms: int
    mode: Mode
    schedule: Schedule


def between(schedules: Iterable[Schedule], calendar: Calendar, after_ms: int, until_ms: int) -> list[Moment]:
    """What acts after `after_ms` and not later than `until_ms`, in order; of what is at once the disarming first."""
    schedules = tuple(schedules)
    found: list[Moment] = []
    for day in range(calendar.day(after_ms) - 1, calendar.day(until_ms) + 2):
        found += [moment for schedule in schedules for moment in _of_day(schedule, calendar, day)]
    inside = (moment for moment in found if after_ms < moment.at_ms <= until_ms)
    return sorted(inside, key=lambda moment: (moment.at_ms, moment.mode is not Mode.DISARMED))


def following(schedules: Iterable[Schedule], calendar: Calendar, after_ms: int) -> int:
    """When something acts next after `after_ms`, or when to look again."""
    until_ms = after_ms + AHEAD_DAYS * DAY_MS
    moments = between(schedules, calendar, after_ms, until_ms)
    return moments[0].at_ms if moments else until_ms


def _of_day(schedule: Schedule, calendar: Calendar, day: int) -> Iterator[Moment]:
    if (day + THURSDAY) % 7 not in schedule.days:
        return
    holiday = calendar.is_holiday(day)
    if (schedule.holidays is Holidays.ONLY and not holiday) or (schedule.holidays is Holidays.SKIP and holiday):
        return
    if schedule.disarm_min is not None and not (holiday and schedule.holidays is Holidays.CLOSED):
        yield Moment(calendar.wall_ms(day, schedule.disarm_min), Mode.DISARMED, schedule)
    if schedule.arm_min is not None:
        yield Moment(calendar.wall_ms(day, schedule.arm_min), schedule.mode, schedule)
