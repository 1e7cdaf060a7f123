"""Figures of figures: how a list of times is spread, and a share of what it is a share of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

Number = TypeVar("Number", int, float)
Spell = tuple[int, int]
"""From and until, ms."""


class Spread(msgspec.Struct, frozen=True):
    """How `n` times are spread, ms; all None where there are none."""

    n: int
    median_ms: int | None = None
    p90_ms: int | None = None
    most_ms: int | None = None


def spread(times_ms: Iterable[int]) -> Spread:
    """Median and 90th percentile by nearest rank: each is a time that was measured."""
    found = sorted(times_ms)
    if not found:
        return Spread(0)
    return Spread(len(found), nearest(found, 50), nearest(found, 90), found[-1])


def nearest(ordered: Sequence[Number], percent: int) -> Number:
    """The nearest-rank percentile of what is ordered and not empty."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def share(of: int, over: int) -> float | None:
    """None where there is nothing to be a share of."""
    return of / over if over else None


def clipped(spells: Iterable[Spell], start_ms: int, end_ms: int) -> list[Spell]:
    """What of them lies between; they are joined where they meet."""
    joined: list[Spell] = []
    for begin, end in sorted((max(begin, start_ms), min(end, end_ms)) for begin, end in spells):
        if begin >= end:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def total_ms(spells: Iterable[Spell]) -> int:
    """How long spells are that do not overlap."""
    return sum(end - begin for begin, end in spells)


def both(one: Sequence[Spell], other: Sequence[Spell]) -> list[Spell]:
    """The time that lies in both of two lists, each in order and joined."""
    found, at = [], 0
    for begin, end in one:
        while at < len(other) and other[at][1] <= begin:
            at += 1
        ahead = at
        while ahead < len(other) and other[ahead][0] < end:
            found.append((max(begin, other[ahead][0]), min(end, other[ahead][1])))
            ahead += 1
    return found
