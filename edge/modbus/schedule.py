"""Whose turn it is on the bus: fixed-rate slots, the longest-due first, and never two probes in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Turn(Protocol):
    """Something that wants the bus at `due_ns`; a `probing` one will probably cost a time-out."""

    @property
    def due_ns(self) -> int: ...
    @property
    def probing(self) -> bool: ...


T = TypeVar("T", bound=Turn)


def pick(turns: Sequence[T], now_ns: int, after_probe: bool) -> T | None:
    """The longest-due of those due. After a probe a unit that is well goes first, so dead units never queue up."""
    due = [turn for turn in turns if turn.due_ns <= now_ns]
    if after_probe:
        due = [turn for turn in due if not turn.probing] or due
    return min(due, key=lambda turn: turn.due_ns, default=None)


def next_slot(slot_ns: int, period_ns: int, now_ns: int) -> int:
    """The first slot of the grid after `now_ns`: a poll that overran skips slots and does not shift the grid."""
    assert period_ns > 0
    missed = max(0, now_ns - slot_ns) // period_ns
    return slot_ns + (missed + 1) * period_ns
