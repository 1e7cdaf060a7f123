"""The arithmetic of reports, against the plainest way to do the same."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from hub.reports.sections.factors import WEIGHTS, Factor, judged
from hub.reports.sections.load import MINUTE_MS, floods
from hub.reports.stats import Spread, both, clipped, share, spread, total_ms

TIMES = st.integers(0, 60)
SPELLS = st.lists(st.tuples(TIMES, TIMES), max_size=12)


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_percentiles_are_times_that_were_measured(times: list[int]) -> None:
    """By nearest rank: the smallest that so many percent are not above."""
    found = spread(times)
    if not times:
        assert Spread(0) == found
        return
    ranks = [sorted(times)[max(1, ceil(len(times) * percent / 100)) - 1] for percent in (50, 90)]
    assert (len(times), *ranks, max(times)) == (found.n, found.median_ms, found.p90_ms, found.most_ms)


def test_a_share_of_nothing_is_not_known() -> None:
    """It is neither nothing nor all."""
    assert (None, 0.5) == (share(0, 0), share(1, 2))


@given(SPELLS, SPELLS)
def test_spells_cover_what_their_moments_do(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """Joined, clipped and laid over one another, moment by moment."""

    def moments(spells: list[tuple[int, int]]) -> set[int]:
        return {at for begin, end in spells for at in range(begin, end)}

    first, second = clipped(one, 10, 50), clipped(other, 0, 60)
    assert moments(one) & set(range(10, 50)) == moments(first)
    assert len(moments(first)) == total_ms(first)
    assert moments(first) & moments(second) == moments(both(first, second))
    assert all(end < begin for (_, end), (begin, _) in pairwise(first))


def _naively(pages: Mapping[int, int], until: int) -> tuple[int, set[int]]:
    """The most in ten minutes, and the minutes of floods, minute by minute."""
    most, flooded, minutes = 0, False, set()
    for minute in range(until):
        window = sum(pages.get(at, 0) for at in range(minute - 9, minute + 1))
        most = max(most, window)
        flooded = window > 10 if not flooded else window >= 5
        if flooded:
            minutes.add(minute)
    return most, minutes


@given(st.dictionaries(st.integers(0, 89), st.integers(1, 8), max_size=60))
def test_floods_begin_above_ten_in_ten_minutes_and_end_below_five(pages: dict[int, int]) -> None:
    """As somebody would find them who looks at every minute."""
    most, spells = floods({at * MINUTE_MS: count for at, count in pages.items()}, 90 * MINUTE_MS)
    found = {minute for begin, end in spells for minute in range(begin // MINUTE_MS, end // MINUTE_MS)}
    assert _naively(pages, 90) == (most, found)


def test_the_factors_of_risk_make_a_hundred_points() -> None:
    """Nothing below its first measure, all of them above its last, evenly between; unknown, the points lack."""
    assert 100 == sum(weight.points for weight in WEIGHTS.values())
    assert set(Factor) == set(WEIGHTS)
    for factor, weight in WEIGHTS.items():
        middle = (weight.none_at + weight.all_at) / 2
        assert 0.0 == judged(factor, weight.none_at).points
        assert weight.points == judged(factor, weight.all_at * 2).points
        assert abs(judged(factor, middle).points - weight.points / 2) <= 0.05
        assert (0.0, weight.points) == (judged(factor, None).points, judged(factor, None).lacking)
