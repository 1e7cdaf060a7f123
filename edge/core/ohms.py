"""The resistance that a loop's value shows."""

from __future__ import annotations

from edge.core.site import Loop
from edge.port import Value

OHM_MAX = 1e9
"""Nothing flows: the loop is cut."""


def ohms(loop: Loop, value: Value) -> float:
    """The resistance in ohm that a value shows, up to `OHM_MAX`; 0 where the loop is bridged."""
    if loop.feed is None:
        return min(float(value), OHM_MAX)
    if value <= 0:
        return 0.0
    return OHM_MAX if value >= loop.feed.volt else min(OHM_MAX, loop.feed.ohm * value / (loop.feed.volt - value))


def value_of(loop: Loop, ohm: float) -> float:
    """The value that shows a resistance in ohm."""
    return ohm if loop.feed is None else loop.feed.volt * ohm / (loop.feed.ohm + ohm)
