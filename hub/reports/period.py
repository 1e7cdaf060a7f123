"""Days, weeks and months of a place, on the hub's axis: each begins at local midnight, however long its days are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

HOUR_MS = 3_600_000


class Sort(StrEnum):
    """What a report covers."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Period(msgspec.Struct, frozen=True):
    """The local days from `first` up to and without `after`; [`start_ms`, `end_ms`) in hub wall ms."""

    sort: Sort
    zone: str
    first: date
    after: date
    start_ms: int
    end_ms: int

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.after - timedelta(days=1)

    def days(self) -> Iterator[tuple[date, int, int]]:
        """Each day with its beginning and its end, ms; 23 to 25 hours where clocks are changed."""
        day = self.first
        while day < self.after:
            following = day + timedelta(days=1)
            yield day, midnight_ms(day, self.zone), midnight_ms(following, self.zone)
            day = following

    def hours(self) -> Iterator[tuple[int, int]]:
        """Each hour of it as (beginning, end), ms."""
        yield from ((at, min(at + HOUR_MS, self.end_ms)) for at in range(self.start_ms, self.end_ms, HOUR_MS))

    def local(self, at_ms: int) -> datetime:
        """A time as clocks there show it."""
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(self.zone))

    def __contains__(self, at_ms: int | None) -> bool:
        return at_ms is not None and self.start_ms <= at_ms < self.end_ms


def midnight_ms(day: date, zone: str) -> int:
    """When a day begins there, ms since 1970 UTC."""
    return round(datetime.combine(day, time(), ZoneInfo(zone)).timestamp() * 1000)


def period(sort: Sort, day: date, zone: str) -> Period:
    """The day, the week from Monday, or the month that `day` is in."""
    if sort is Sort.DAILY:
        return _of(sort, zone, day, day + timedelta(days=1))
    if sort is Sort.WEEKLY:
        return weeks(day - timedelta(days=day.weekday()), zone)
    first = day.replace(day=1)
    return _of(sort, zone, first, (first + timedelta(days=32)).replace(day=1))


def weeks(first: date, zone: str) -> Period:
    """Seven days from any day on."""
    return _of(Sort.WEEKLY, zone, first, first + timedelta(days=7))


def before(one: Period) -> Period:
    """The period that it is compared with: the one that ends where it begins."""
    if one.sort is Sort.MONTHLY:
        return period(Sort.MONTHLY, one.first - timedelta(days=1), one.zone)
    return _of(one.sort, one.zone, one.first - (one.after - one.first), one.first)


def _of(sort: Sort, zone: str, first: date, after: date) -> Period:
    return Period(sort, zone, first, after, midnight_ms(first, zone), midnight_ms(after, zone))
