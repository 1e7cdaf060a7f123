"""Days, weeks and months as clocks of a place have them."""

from __future__ import annotations

from datetime import date

import pytest

from hub.reports.period import HOUR_MS, Sort, before, period, weeks


@pytest.mark.parametrize(
    ("sort", "day", "first", "after"),
    [
        (Sort.DAILY, date(2026, 10, 7), date(2026, 10, 7), date(2026, 10, 8)),
        (Sort.WEEKLY, date(2026, 10, 7), date(2026, 10, 5), date(2026, 10, 12)),
        (Sort.WEEKLY, date(2026, 10, 5), date(2026, 10, 5), date(2026, 10, 12)),
        (Sort.MONTHLY, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (Sort.MONTHLY, date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_a_day_is_in_its_day_week_and_month(sort: Sort, day: date, first: date, after: date) -> None:
    """Weeks begin on Monday, months on the first."""
    found = period(sort, day, "Asia/Shanghai")
    assert (first, after) == (found.first, found.after)


def test_a_day_begins_at_midnight_of_the_place() -> None:
    """Shanghai is eight hours before UTC, Urumqi by its own clocks six."""
    assert 1_790_524_800_000 == period(Sort.DAILY, date(2026, 9, 28), "Asia/Shanghai").start_ms
    assert 1_790_532_000_000 == period(Sort.DAILY, date(2026, 9, 28), "Asia/Urumqi").start_ms


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)]
)
def test_a_day_on_which_clocks_change_has_as_many_hours_as_it_has(day: date, hours: int) -> None:
    """23 in spring, 25 in autumn; an hour that is there twice is shown twice."""
    found = period(Sort.DAILY, day, "Europe/Berlin")
    assert hours * HOUR_MS == found.end_ms - found.start_ms
    assert hours == len(list(found.hours()))
    assert (2 if hours == 25 else 1) >= [found.local(begin).hour for begin, _ in found.hours()].count(2)


def test_a_period_is_compared_with_the_one_that_ends_where_it_begins() -> None:
    """A month with the month before, whatever their lengths; seven days from any day with the seven before."""
    march = period(Sort.MONTHLY, date(2026, 3, 15), "Europe/Berlin")
    assert (date(2026, 2, 1), march.start_ms) == (before(march).first, before(march).end_ms)
    seven = weeks(date(2026, 10, 7), "Europe/Berlin")
    assert (date(2026, 9, 30), seven.start_ms) == (before(seven).first, before(seven).end_ms)
    assert date(2026, 10, 13) == seven.last


def test_the_days_of_a_period_leave_nothing_out() -> None:
    """Each begins where the one before ends."""
    month = period(Sort.MONTHLY, date(2026, 10, 1), "Europe/Berlin")
    days = list(month.days())
    assert 31 == len(days)
    edges = [month.start_ms, *(end for _, _, end in days)]
    assert [begin for _, begin, _ in days] == edges[:-1]
    assert month.end_ms == edges[-1]
