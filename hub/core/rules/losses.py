"""What is lost, by which way of transmission, and when: a loss of link is an interval, from last heard to detected."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.rules.base import LINK_DOWN, Mark
from protocol.kinds import Kind

PATHS = frozenset({LINK_DOWN, Kind.DEVICE_LOST})
"""What takes a way of transmission away: a gateway, or an expander of one."""
ENOUGH = 3
"""Ways lost together that are no chance any more."""


def path(mark: Mark) -> str:
    """The way of transmission a loss took away."""
    return f"{mark.gateway}/{mark.device}" if mark.what == Kind.DEVICE_LOST else mark.gateway


def apart_ms(one: Mark, other: Mark) -> int:
    """How far two are apart at least; 0 where their intervals overlap."""
    return max(_from_ms(one) - _to_ms(other), _from_ms(other) - _to_ms(one), 0)


def paths(marks: Sequence[Mark]) -> list[str]:
    """The different ways, in order of loss."""
    return list(dict.fromkeys(path(mark) for mark in marks))


def _from_ms(mark: Mark) -> int:
    return mark.event_ms if mark.not_before_ms is None or mark.what != LINK_DOWN else mark.not_before_ms


def _to_ms(mark: Mark) -> int:
    return mark.event_ms if mark.not_after_ms is None or mark.what != LINK_DOWN else mark.not_after_ms
