"""Windows that arrival order cannot bend: incidents are re-read from their marks in event order until accepted.

Greedy in event order: a mark joins the earliest incident whose window (from that incident's first mark) has room for
it, else opens one. A record that comes late may so move the anchor of an incident nobody accepted yet, and split or
join incidents; each keeps its id: it stays with the mark that opened it. An accepted incident keeps its marks and its
anchor, and takes late joiners at either side of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from hub.core.rules.base import Absorbed, Decision, Grade, Joins, Mark, Opens, Raises, Standing

MARKS_MAX = 256
"""Marks kept of one incident; beyond, the one before the newest goes whose zone has another (the journal has all)."""

Fits: TypeAlias = Callable[[Mark, Mark], bool]
"""Whether a mark (second) is inside the window of an incident anchored at the first."""
Grading: TypeAlias = Callable[[Sequence[Mark]], Grade]


def settle(mark: Mark, standings: Sequence[Standing], fits: Fits, grade: Grading) -> list[Decision]:
    """Where `mark` belongs, and what else that changes."""
    for standing in sorted((s for s in standings if s.pinned), key=lambda s: s.marks[0]):
        if fits(standing.marks[0], mark):
            return [_joined(standing, thinned((*standing.marks, mark), standing.opened_by), grade)]
    free = [standing for standing in standings if not standing.pinned]
    return matched(greedy([*(m for s in free for m in s.marks), mark], fits), free, grade)


def greedy(marks: Iterable[Mark], fits: Fits) -> list[list[Mark]]:
    """Partition marks into windows, in event order."""
    windows: list[list[Mark]] = []
    for mark in sorted(marks):
        for window in windows:
            if fits(window[0], mark):
                window.append(mark)
                break
        else:
            windows.append([mark])
    return windows


def matched(windows: Iterable[Sequence[Mark]], free: Sequence[Standing], grade: Grading) -> list[Decision]:
    """Tell open incidents where their marks went; windows without one open new incidents."""
    opened = {standing.opened_by: standing for standing in free}
    decisions: list[Decision] = []
    for window in windows:
        mine = {opened[m.ident].id: opened[m.ident] for m in window if m.ident in opened}  # a mark may come twice
        here = sorted(mine.values(), key=lambda s: (s.raised_ms, s.id))
        if not here:
            decisions.append(Opens(tuple(window), grade(window)))
            continue
        first, *others = here
        marks = thinned(window, first.opened_by)
        if marks != first.marks:
            decisions.append(_joined(first, marks, grade))
        decisions += [Absorbed(other.id, first.id) for other in others]
    return decisions


def thinned(marks: Sequence[Mark], opened_by: str) -> tuple[Mark, ...]:
    """At most MARKS_MAX of them, never losing the anchor, the opener, the newest, or the last mark of a zone."""
    kept = list(marks)
    at = len(kept) - 2
    while len(kept) > MARKS_MAX and at > 0:
        gone = kept[at]
        if gone.ident != opened_by and any(m.zone == gone.zone and m.premises == gone.premises for m in kept[:at]):
            del kept[at]
        at -= 1
    return tuple(kept)


def _joined(standing: Standing, marks: tuple[Mark, ...], grade: Grading) -> Decision:
    now = grade(marks)
    sort = Raises if now.priority < standing.priority else Joins
    return sort(standing.id, marks, now)


def within(window_ms: int) -> Fits:
    """A plain window, both ends included."""
    return lambda anchor, mark: abs(mark.event_ms - anchor.event_ms) <= window_ms


def always(anchor: Mark, mark: Mark) -> bool:
    """No window: as long as the incident is unresolved."""
    return True


def span(ms: int) -> str:
    """A duration as a person reads it: "12 s", "5 min", "3 h"."""
    for unit_ms, unit in ((3_600_000, "h"), (60_000, "min")):
        if ms >= 2 * unit_ms:
            return f"{ms // unit_ms} {unit}"
    return f"{ms // 1000} s"


def several(names: Iterable[str | None]) -> list[str]:
    """Different names, in order of appearance."""
    return list(dict.fromkeys(name for name in names if name is not None))
