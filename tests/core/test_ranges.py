"""Ranges are a set of positive integers; a plain Python set is the oracle."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.ranges import Ranges

SPANS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=30
)


def as_set(ranges: Ranges) -> set[int]:
    """Every number of the set, one by one."""
    return {number for first, last in ranges for number in range(first, last + 1)}


@settings(max_examples=1_000, deadline=None)
@given(SPANS)
def test_ranges_are_the_set_of_what_was_added(spans: list[tuple[int, int]]) -> None:
    """After every addition all questions have the answers of a plain set."""
    ranges, oracle = Ranges(), set[int]()
    for first, last in spans:
        new = set(range(first, last + 1)) - oracle
        assert ranges.add(first, last) == bool(new)
        oracle |= new
        top = max(oracle)
        assert as_set(ranges) == oracle
        assert ranges.total() == len(oracle)
        assert ranges.mark() == next(number for number in range(top + 2) if number + 1 not in oracle)
        holes = {number for low, high in ranges.holes() for number in range(low, high + 1)}
        assert holes == set(range(1, top + 1)) - oracle
        assert [number in ranges for number in range(80)] == [number in oracle for number in range(80)]


@given(SPANS)
def test_spans_are_sorted_disjoint_and_apart(spans: list[tuple[int, int]]) -> None:
    """The form is the smallest one: no two spans touch."""
    kept = list(Ranges(spans))
    assert all(first <= last for first, last in kept)
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(kept))


@given(SPANS, st.randoms(use_true_random=False))
def test_order_of_addition_does_not_matter(spans: list[tuple[int, int]], random: Random) -> None:
    """Records come in any order; the set is the same."""
    shuffled = random.sample(spans, len(spans))
    assert Ranges(spans) == Ranges(shuffled)


@given(SPANS, SPANS)
def test_copy_is_independent(spans: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    """Adding to either leaves the other as it was."""
    ranges = Ranges(spans)
    twin, before = ranges.copy(), as_set(ranges)
    assert twin == ranges
    for first, last in more:
        twin.add(first, last)
    assert as_set(ranges) == before
    for first, last in more:
        ranges.add(first, last)
    assert twin == ranges


def test_the_highest_sequence_fits() -> None:
    """The last number of 64-bit sequences costs one span, not its numbers."""
    ranges = Ranges([(1, 2**63 - 1)])
    assert (ranges.mark(), ranges.total(), ranges.holes()) == (2**63 - 1, 2**63 - 1, [])
    assert 2**63 - 1 in ranges
    assert 2**63 not in ranges


@pytest.mark.parametrize(("first", "last"), [(0, 5), (-1, 1), (5, 4)])
def test_what_is_no_range_is_refused_and_changes_nothing(first: int, last: int) -> None:
    """Zero, negative and descending ranges are told, and the set stays."""
    ranges = Ranges([(3, 4)])
    with pytest.raises(ValueError, match="runs upwards"):
        ranges.add(first, last)
    assert list(ranges) == [(3, 4)]


@given(SPANS, SPANS)
def test_a_union_is_what_adding_all_of_the_other_gives(
    spans: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    """In the smallest form, and with neither of the two changed."""
    one, other = Ranges(spans), Ranges(more)
    assert Ranges([*spans, *more]) == one.union(other)
    assert (Ranges(spans), Ranges(more)) == (one, other)
