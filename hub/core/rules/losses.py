"""What is lost, by which way of transmission, and when: a loss of link is an interval, from last heard to detected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hub.core.rules.base import LINK_DOWN, Mark
from protocol.kinds import Kind

Span: TypeAlias = tuple[int, int]
PATHS = frozenset({LINK_DOWN, Kind.DEVICE_LOST})
"""What takes a way of transmission away: a gateway, or an expander of one."""
ENOUGH = 3
"""Ways lost together that are no chance any more."""


def path(mark: Mark) -> str:
    """The way of transmission a loss took away."""
    return f"{mark.gateway}/{mark.device}" if mark.what == Kind.DEVICE_LOST else mark.gateway


def span_ms(mark: Mark) -> Span:
    """Between which times something was lost, or happened."""
    if mark.what != LINK_DOWN or mark.not_before_ms is None or mark.not_after_ms is None:
        return mark.event_ms, mark.event_ms
    return mark.not_before_ms, mark.not_after_ms


def apart_ms(one: Mark, other: Mark | Span) -> int:
    """How far two are apart at least; 0 where their intervals overlap."""
    (begins, ends), (other_begins, other_ends) = span_ms(one), span_ms(other) if isinstance(other, Mark) else other
    return max(begins - other_ends, other_begins - ends, 0)


def hull(marks: Sequence[Mark]) -> Span:
    """From the earliest of some marks, at least one, to the latest."""
    spans = [span_ms(mark) for mark in marks]
    return min(begins for begins, _ in spans), max(ends for _, ends in spans)


def paths(marks: Sequence[Mark]) -> list[str]:
    """The different ways, in order of loss."""
    return list(dict.fromkeys(path(mark) for mark in marks))
